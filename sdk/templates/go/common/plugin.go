// What drivers and device plugins have in common: the process, the log, the base service, schemas and configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/vmihailenco/msgpack/v5"
	"google.golang.org/grpc"

	"example.com/@name@/pb"
)

// log writes to the host. Fields are pairs: log.Info("task started", "task", id).
var log = hclog.New(&hclog.LoggerOptions{Name: name, Level: hclog.Debug, Output: os.Stderr, JSONFormat: true})

type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	register func(*grpc.Server)
}

func (p grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	p.register(server)
	return nil
}

func (grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin's side")
}

// serve runs until the host says stop.
func serve(register func(*grpc.Server)) {
	// The host may be gone when something is logged; that must not take the plugin with it.
	// Ctrl-C on an interactive agent reaches its plugins too, here before the library is ready for it.
	signal.Ignore(syscall.SIGPIPE, os.Interrupt)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  2,
			MagicCookieKey:   "NOMAD_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "e4327c2e01eabfd75a8a67adb114fb34a757d57eee7728d857a8cec6e91a7255",
		},
		Plugins: plugin.PluginSet{"plugin": grpcPlugin{register: register}},
		// The library's own limit of 4 MiB would refuse a task with a large environment.
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(math.MaxInt32))...)
		},
		Logger: log,
	})
}

// base answers what every plugin is asked.
type base struct {
	pb.UnimplementedBasePluginServer
	kind      pb.PluginType
	schema    *pb.Spec
	setConfig func(data []byte) error // may be called more than once
}

func (b base) PluginInfo(context.Context, *pb.PluginInfoRequest) (*pb.PluginInfoResponse, error) {
	return &pb.PluginInfoResponse{Type: b.kind, PluginApiVersions: []string{"v0.1.0"}, PluginVersion: version, Name: name}, nil
}

func (b base) ConfigSchema(context.Context, *pb.ConfigSchemaRequest) (*pb.ConfigSchemaResponse, error) {
	return &pb.ConfigSchemaResponse{Spec: b.schema}, nil
}

func (b base) SetConfig(_ context.Context, request *pb.SetConfigRequest) (*pb.SetConfigResponse, error) {
	return &pb.SetConfigResponse{}, b.setConfig(request.MsgpackConfig)
}

func object(attributes map[string]*pb.Spec) *pb.Spec {
	return &pb.Spec{Block: &pb.Spec_Object{Object: &pb.Object{Attributes: attributes}}}
}

func attr(name, kind string, required bool) *pb.Spec {
	return &pb.Spec{Block: &pb.Spec_Attr{Attr: &pb.Attr{Name: name, Type: kind, Required: required}}}
}

// withDefault takes an expression of the attribute's own type: `"text"`, `5`, `["a"]`.
func withDefault(spec *pb.Spec, literal string) *pb.Spec {
	fallback := &pb.Spec{Block: &pb.Spec_Literal{Literal: &pb.Literal{Value: literal}}}
	return &pb.Spec{Block: &pb.Spec_Default{Default: &pb.Default{Primary: spec, Default: fallback}}}
}

// decode reads a config block of an agent or a job.
func decode(data []byte, into any) error {
	if len(data) == 0 {
		return nil
	}
	if err := msgpack.Unmarshal(data, into); err != nil {
		return fmt.Errorf("decoding the configuration: %w", err)
	}
	return nil
}

func text(value string) *pb.Attribute {
	return &pb.Attribute{Value: &pb.Attribute_StringVal{StringVal: value}}
}
