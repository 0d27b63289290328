// A driver plugin on the genuine go-plugin library, for the test of our host. Messages are written with protowire, carried
// in Empty's unknown fields, so that no generated code is needed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

type fields []byte

func (f fields) text(n protowire.Number, s string) fields {
	return protowire.AppendString(protowire.AppendTag(f, n, protowire.BytesType), s)
}
func (f fields) message(n protowire.Number, m fields) fields { return f.text(n, string(m)) }
func (f fields) number(n protowire.Number, v uint64) fields {
	return protowire.AppendVarint(protowire.AppendTag(f, n, protowire.VarintType), v)
}

// The bytes of one length-delimited field, empty when absent.
func (f fields) get(want protowire.Number) fields {
	for len(f) > 0 {
		n, t, size := protowire.ConsumeTag(f)
		if size < 0 {
			return nil
		}
		value := f[size:]
		length := protowire.ConsumeFieldValue(n, t, value)
		if length < 0 {
			return nil
		}
		if n == want && t == protowire.BytesType {
			out, _ := protowire.ConsumeBytes(value)
			return out
		}
		f = value[length:]
	}
	return nil
}

func pack(f fields) *emptypb.Empty {
	out := &emptypb.Empty{}
	out.ProtoReflect().SetUnknown([]byte(f))
	return out
}

type call func(fields) (fields, error)

func unary(service, method string, do call) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: method, Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := &emptypb.Empty{}
		if err := decode(in); err != nil {
			return nil, err
		}
		out, err := do(fields(in.ProtoReflect().GetUnknown()))
		if err != nil {
			return nil, err
		}
		return pack(out), nil
	}}
}

func stream(method string, first fields) grpc.StreamDesc {
	return grpc.StreamDesc{StreamName: method, ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		if first != nil {
			if err := s.SendMsg(pack(first)); err != nil {
				return err
			}
		}
		<-s.Context().Done()
		return nil
	}}
}

type driver struct{ plugin.NetRPCUnsupportedPlugin }

func (driver) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) { return nil, nil }

func (driver) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	base := "hashicorp.nomad.plugins.base.proto.BasePlugin"
	own := "hashicorp.nomad.plugins.drivers.proto.Driver"
	empty := func(fields) (fields, error) { return nil, nil }
	attr := fields{}.message(3, fields{}.text(1, "text").text(2, "string").number(3, 1))
	schema := fields{}.message(1, fields{}.message(1, fields{}.text(1, "text").message(2, attr)))
	s.RegisterService(&grpc.ServiceDesc{ServiceName: base, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
		unary(base, "PluginInfo", func(fields) (fields, error) {
			return fields{}.number(1, 2).text(2, "v0.1.0").text(3, "1.2.3").text(4, "gotest"), nil
		}),
		unary(base, "ConfigSchema", empty), unary(base, "SetConfig", empty),
	}}, struct{}{})
	s.RegisterService(&grpc.ServiceDesc{ServiceName: own, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
		unary(own, "TaskConfigSchema", func(fields) (fields, error) { return fields{}.message(1, schema), nil }),
		unary(own, "Capabilities", func(fields) (fields, error) { return fields{}.message(1, fields{}.number(2, 1).number(3, 1)), nil }),
		unary(own, "StartTask", func(in fields) (fields, error) {
			config := in.get(1)
			if len(config) > 3<<20 {
				return nil, errors.New("never reached")
			}
			fmt.Println("printed by the driver") // goes to the Stdio service
			return fields{}.message(3, fields{}.number(1, 1).message(2, config).text(4, "state")), nil
		}),
		unary(own, "RecoverTask", empty), unary(own, "StopTask", empty), unary(own, "DestroyTask", empty),
		unary(own, "WaitTask", func(in fields) (fields, error) {
			if string(in.get(1)) != "a/b/1" {
				return nil, errors.New("task not found for given id")
			}
			return fields{}.message(1, fields{}.number(1, 137).number(2, 9)), nil
		}),
	}, Streams: []grpc.StreamDesc{
		stream("Fingerprint", fields{}.message(1, fields{}.text(1, "driver.gotest").message(2, fields{}.number(4, 1))).number(2, 2).text(3, "Healthy")),
		stream("TaskEvents", nil),
	}}, struct{}{})
	return nil
}

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: 2, MagicCookieKey: "NOMAD_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "e4327c2e01eabfd75a8a67adb114fb34a757d57eee7728d857a8cec6e91a7255"},
		Plugins:    plugin.PluginSet{"driver": driver{}},
		GRPCServer: plugin.DefaultGRPCServer,
		Logger:     hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: os.Stderr, JSONFormat: true}),
	})
}
