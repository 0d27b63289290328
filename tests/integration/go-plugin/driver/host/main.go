// A host on the genuine go-plugin library: it asks the plugin named on the command line for AutoMTLS, pings it and ends it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

type remote struct{ plugin.NetRPCUnsupportedPlugin }

func (remote) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (remote) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return connection, nil
}

func run() error {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 2, MagicCookieKey: "NOMAD_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "e4327c2e01eabfd75a8a67adb114fb34a757d57eee7728d857a8cec6e91a7255"},
		Plugins:          plugin.PluginSet{"driver": remote{}},
		Cmd:              exec.Command(os.Args[1]),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr}),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return err
	}
	if err := protocol.Ping(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	raw, err := protocol.Dispense("driver")
	if err != nil {
		return err
	}
	answer := &emptypb.Empty{}
	if err := raw.(*grpc.ClientConn).Invoke(context.Background(), "/hashicorp.nomad.plugins.base.proto.BasePlugin/PluginInfo", &emptypb.Empty{}, answer); err != nil {
		return fmt.Errorf("PluginInfo: %w", err)
	}
	if len(answer.ProtoReflect().GetUnknown()) == 0 {
		return fmt.Errorf("PluginInfo says nothing")
	}
	client.Kill()
	if !client.Exited() {
		return fmt.Errorf("the plugin has not ended")
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Println("AutoMTLS with a genuine host:", err)
		os.Exit(1)
	}
	fmt.Println("AutoMTLS with a genuine host: ok")
}
