// @program@ is a device plugin.
package main

import (
	"google.golang.org/grpc"

	"example.com/@name@/pb"
)

const (
	name    = "@name@"
	version = "0.1.0"
)

func main() {
	devices := &devices{}
	serve(func(server *grpc.Server) {
		pb.RegisterBasePluginServer(server, base{kind: pb.PluginType_DEVICE, schema: configSchema, setConfig: devices.setConfig})
		pb.RegisterDevicePluginServer(server, devices)
	})
}
