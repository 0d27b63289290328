// @program@ is a task driver.
package main

import (
	"os"

	"google.golang.org/grpc"

	"example.com/@name@/pb"
)

const (
	name    = "@name@"
	version = "0.1.0"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "keep" {
		os.Exit(keep(os.Args[2])) // this process is the keeper of a task
	}
	driver := newDriver()
	serve(func(server *grpc.Server) {
		pb.RegisterBasePluginServer(server, base{kind: pb.PluginType_DRIVER, schema: configSchema, setConfig: driver.setConfig})
		pb.RegisterDriverServer(server, driver)
	})
}
