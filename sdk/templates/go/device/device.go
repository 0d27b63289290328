package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/@name@/pb"
)

// Jobs ask for "example/@name@/file", "example/@name@" or "@name@".
const (
	vendor     = "example"
	deviceType = "@name@"
	model      = "file"
)

var configSchema = object(map[string]*pb.Spec{"directory": attr("directory", "string", false)})

// devices is the plugin: every file of a directory is a device. A task that reserves some gets their names, and the files.
type devices struct {
	pb.UnimplementedDevicePluginServer
	mutex     sync.Mutex
	directory string
}

func (d *devices) setConfig(data []byte) error {
	var config struct {
		Directory string `msgpack:"directory"`
	}
	if err := decode(data, &config); err != nil {
		return err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.directory = config.Directory
	return nil
}

// look returns the devices that are there now, and where.
func (d *devices) look() (string, []string) {
	d.mutex.Lock()
	place, _ := filepath.Abs(d.directory)
	enabled := d.directory != ""
	d.mutex.Unlock()
	if !enabled {
		return "", nil
	}
	var names []string
	entries, _ := os.ReadDir(place)
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return place, names
}

// Fingerprint sends the whole list at once, and again whenever it changes.
func (d *devices) Fingerprint(_ *pb.FingerprintRequest, stream grpc.ServerStreamingServer[pb.FingerprintResponse]) error {
	if place, _ := d.look(); place == "" {
		return errors.New("device is not enabled")
	}
	for told, first := []string(nil), true; ; first = false {
		if _, names := d.look(); first || !slices.Equal(names, told) {
			told = names
			group := &pb.DeviceGroup{Vendor: vendor, DeviceType: deviceType, DeviceName: model, Attributes: map[string]*pb.Attribute{"language": text("en")}}
			for _, id := range names {
				group.Devices = append(group.Devices, &pb.DetectedDevice{ID: id, Healthy: true})
			}
			if err := stream.Send(&pb.FingerprintResponse{DeviceGroup: []*pb.DeviceGroup{group}}); err != nil {
				return err
			}
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// Reserve must be cheap, and the same each time: nothing releases a reservation.
func (d *devices) Reserve(_ context.Context, request *pb.ReserveRequest) (*pb.ReserveResponse, error) {
	place, names := d.look()
	ids := slices.Compact(slices.Sorted(slices.Values(request.DeviceIds)))
	out := &pb.ContainerReservation{Envs: map[string]string{}}
	for _, id := range ids {
		if !slices.Contains(names, id) {
			return nil, fmt.Errorf("unknown device IDs: %s", id)
		}
		out.Mounts = append(out.Mounts, &pb.Mount{TaskPath: "/devices/" + id, HostPath: filepath.Join(place, id), ReadOnly: true})
	}
	out.Envs[strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"_DEVICES"] = strings.Join(ids, ",")
	return &pb.ReserveResponse{ContainerRes: out}, nil
}

func (d *devices) Stats(request *pb.StatsRequest, stream grpc.ServerStreamingServer[pb.StatsResponse]) error {
	interval := request.CollectionInterval.AsDuration()
	if interval <= 0 {
		interval = time.Second
	}
	for {
		place, names := d.look()
		group := &pb.DeviceGroupStats{Vendor: vendor, Type: deviceType, Name: model, InstanceStats: map[string]*pb.DeviceStats{}}
		for _, id := range names {
			info, err := os.Stat(filepath.Join(place, id))
			if err != nil {
				continue
			}
			size := &pb.StatValue{IntNumeratorVal: &pb.Int64Value{Value: info.Size()}, Unit: "bytes", Desc: "size of the file"}
			group.InstanceStats[id] = &pb.DeviceStats{Summary: size, Stats: &pb.StatObject{Attributes: map[string]*pb.StatValue{"size": size}}, Timestamp: timestamppb.Now()}
		}
		if err := stream.Send(&pb.StatsResponse{Groups: []*pb.DeviceGroupStats{group}}); err != nil {
			return err
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-time.After(interval):
		}
	}
}
