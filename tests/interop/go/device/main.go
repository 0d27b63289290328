// A device plugin on the genuine SDK packages: two devices that are always there.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/nomad/helper/pointer"
	"github.com/hashicorp/nomad/plugins"
	"github.com/hashicorp/nomad/plugins/base"
	"github.com/hashicorp/nomad/plugins/device"
	"github.com/hashicorp/nomad/plugins/shared/hclspec"
	"github.com/hashicorp/nomad/plugins/shared/structs"
)

var ids = []string{"one", "two"}

type devices struct{}

func (devices) PluginInfo() (*base.PluginInfoResponse, error) {
	return &base.PluginInfoResponse{Type: base.PluginTypeDevice, PluginApiVersions: []string{device.ApiVersion010}, PluginVersion: "1.0.0", Name: "genuine-device"}, nil
}

func (devices) ConfigSchema() (*hclspec.Spec, error) {
	return hclspec.NewObject(map[string]*hclspec.Spec{"enabled": hclspec.NewAttr("enabled", "bool", false)}), nil
}

func (devices) SetConfig(*base.Config) error { return nil }

func (devices) Fingerprint(ctx context.Context) (<-chan *device.FingerprintResponse, error) {
	out := make(chan *device.FingerprintResponse)
	go func() {
		defer close(out)
		group := &device.DeviceGroup{Vendor: "test", Type: "thing", Name: "genuine",
			Attributes: map[string]*structs.Attribute{"memory": structs.NewIntAttribute(4, "GiB")}}
		for _, id := range ids {
			group.Devices = append(group.Devices, &device.Device{ID: id, Healthy: true})
		}
		select {
		case out <- &device.FingerprintResponse{Devices: []*device.DeviceGroup{group}}:
		case <-ctx.Done():
		}
		<-ctx.Done()
	}()
	return out, nil
}

func (devices) Reserve(wanted []string) (*device.ContainerReservation, error) {
	out := &device.ContainerReservation{Envs: map[string]string{}}
	for _, id := range wanted {
		if id != "one" && id != "two" {
			return nil, fmt.Errorf("unknown device IDs: %s", id)
		}
		out.Envs["THING_"+id] = id
	}
	return out, nil
}

func (devices) Stats(ctx context.Context, interval time.Duration) (<-chan *device.StatsResponse, error) {
	if interval <= 0 {
		interval = time.Second
	}
	out := make(chan *device.StatsResponse)
	go func() {
		defer close(out)
		for {
			group := &device.DeviceGroupStats{Vendor: "test", Type: "thing", Name: "genuine", InstanceStats: map[string]*device.DeviceStats{}}
			for _, id := range ids {
				value := &structs.StatValue{IntNumeratorVal: pointer.Of(int64(1)), Unit: "#"}
				group.InstanceStats[id] = &device.DeviceStats{Summary: value, Stats: &structs.StatObject{Attributes: map[string]*structs.StatValue{"use": value}}, Timestamp: time.Now()}
			}
			select {
			case out <- &device.StatsResponse{Groups: []*device.DeviceGroupStats{group}}:
			case <-ctx.Done():
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(interval):
			}
		}
	}()
	return out, nil
}

func main() {
	plugins.Serve(func(hclog.Logger) any { return devices{} })
}
