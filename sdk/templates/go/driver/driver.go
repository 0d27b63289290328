package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/@name@/pb"
)

// What the agent's plugin block and the task's config block may hold.
var (
	configSchema = object(map[string]*pb.Spec{"state_dir": withDefault(attr("state_dir", "string", false), `"/run/@name@"`)})
	taskSchema   = object(map[string]*pb.Spec{"command": attr("command", "string", true), "args": attr("args", "list(string)", false)})
)

type taskOptions struct {
	Command string   `msgpack:"command"`
	Args    []string `msgpack:"args"`
}

var errNotFound = errors.New("task not found for given id") // this text is what hosts look for

// driver answers the calls of the protocol. Exec sessions and networks are left to the embedded type: UNIMPLEMENTED.
type driver struct {
	pb.UnimplementedDriverServer
	mutex    sync.Mutex
	stateDir string
	tasks    map[string]*task
}

func newDriver() *driver { return &driver{stateDir: "/run/@name@", tasks: map[string]*task{}} }

func (d *driver) setConfig(data []byte) error {
	var config struct {
		StateDir string `msgpack:"state_dir"`
	}
	if err := decode(data, &config); err != nil {
		return err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if config.StateDir != "" {
		d.stateDir = config.StateDir
	}
	return nil
}

func (d *driver) directory() string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.stateDir
}

func (d *driver) find(id string) (*task, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if t := d.tasks[id]; t != nil {
		return t, nil
	}
	return nil, errNotFound
}

// add takes an id for a new task; false: it is taken.
func (d *driver) add(t *task) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.tasks[t.config.Id] != nil {
		return false
	}
	d.tasks[t.config.Id] = t
	return true
}

func (d *driver) remove(id string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.tasks, id)
}

func (d *driver) Init(context.Context, *pb.InitRequest) (*pb.InitResponse, error) {
	return &pb.InitResponse{}, nil
}

func (d *driver) Shutdown(context.Context, *pb.ShutdownRequest) (*pb.ShutdownResponse, error) {
	return &pb.ShutdownResponse{}, nil // the tasks run on
}

func (d *driver) TaskConfigSchema(context.Context, *pb.TaskConfigSchemaRequest) (*pb.TaskConfigSchemaResponse, error) {
	return &pb.TaskConfigSchemaResponse{Spec: taskSchema}, nil
}

func (d *driver) Capabilities(context.Context, *pb.CapabilitiesRequest) (*pb.CapabilitiesResponse, error) {
	// Tasks run on the host as they are: no file isolation, so no mounts.
	return &pb.CapabilitiesResponse{Capabilities: &pb.DriverCapabilities{SendSignals: true, MountConfigs: pb.MountConfigs_NO_MOUNTS}}, nil
}

func (d *driver) Fingerprint(_ *pb.FingerprintRequest, stream grpc.ServerStreamingServer[pb.FingerprintResponse]) error {
	answer := &pb.FingerprintResponse{Health: pb.HealthState_HEALTHY, HealthDescription: "Healthy",
		Attributes: map[string]*pb.Attribute{"driver." + name + ".version": text(version)}}
	if err := os.MkdirAll(d.directory(), 0o700); err != nil {
		answer.Health, answer.HealthDescription = pb.HealthState_UNHEALTHY, "state_dir: "+err.Error()
	}
	if err := stream.Send(answer); err != nil {
		return err
	}
	<-stream.Context().Done() // the stream stays open; send another message when something changes
	return nil
}

func (d *driver) TaskEvents(_ *pb.TaskEventsRequest, stream grpc.ServerStreamingServer[pb.DriverTaskEvent]) error {
	<-stream.Context().Done()
	return nil
}

func (d *driver) StartTask(_ context.Context, request *pb.StartTaskRequest) (*pb.StartTaskResponse, error) {
	config := request.GetTask()
	if config.GetId() == "" {
		return nil, errors.New("the task has no id")
	}
	var options taskOptions
	if err := decode(config.MsgpackDriverConfig, &options); err != nil {
		return nil, err
	}
	if options.Command == "" {
		return nil, errors.New("command is missing")
	}
	t := newTask(config, d.directory())
	if !d.add(t) {
		return nil, fmt.Errorf("task with ID %q already started", config.Id)
	}
	if err := t.start(append([]string{options.Command}, options.Args...)); err != nil {
		d.remove(config.Id)
		return nil, err
	}
	log.Info("task started", "task", config.Id)
	return &pb.StartTaskResponse{Handle: t.handle()}, nil
}

// RecoverTask comes after a restart of the plugin or the agent. It must not need MsgpackDriverConfig: a host may have lost it.
func (d *driver) RecoverTask(_ context.Context, request *pb.RecoverTaskRequest) (*pb.RecoverTaskResponse, error) {
	handle := request.GetHandle()
	if handle.GetConfig().GetId() == "" || handle.Version != 1 {
		return nil, errors.New("this is no handle of " + name)
	}
	if _, err := d.find(handle.Config.Id); err == nil {
		return &pb.RecoverTaskResponse{}, nil
	}
	t := newTask(handle.Config, d.directory())
	if err := t.recover(handle.DriverState); err != nil {
		return nil, err
	}
	d.add(t)
	return &pb.RecoverTaskResponse{}, nil
}

func (d *driver) WaitTask(ctx context.Context, request *pb.WaitTaskRequest) (*pb.WaitTaskResponse, error) {
	t, err := d.find(request.TaskId)
	if err != nil {
		return nil, err
	}
	select {
	case <-t.ended:
		return &pb.WaitTaskResponse{Result: t.result, Err: t.failure}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *driver) StopTask(_ context.Context, request *pb.StopTaskRequest) (*pb.StopTaskResponse, error) {
	t, err := d.find(request.TaskId)
	if err != nil {
		return nil, err
	}
	signal := request.Signal
	if signal == "" {
		signal = "SIGINT"
	}
	return &pb.StopTaskResponse{}, t.stop(request.Timeout.AsDuration(), signal)
}

func (d *driver) DestroyTask(_ context.Context, request *pb.DestroyTaskRequest) (*pb.DestroyTaskResponse, error) {
	t, err := d.find(request.TaskId)
	if err != nil {
		return nil, err
	}
	if !t.hasEnded() && !request.Force {
		return nil, errors.New("cannot destroy running task")
	}
	t.destroy()
	d.remove(request.TaskId)
	return &pb.DestroyTaskResponse{}, nil
}

func (d *driver) InspectTask(_ context.Context, request *pb.InspectTaskRequest) (*pb.InspectTaskResponse, error) {
	t, err := d.find(request.TaskId)
	if err != nil {
		return nil, err
	}
	return &pb.InspectTaskResponse{Task: t.status(), Driver: &pb.TaskDriverStatus{}}, nil
}

func (d *driver) SignalTask(_ context.Context, request *pb.SignalTaskRequest) (*pb.SignalTaskResponse, error) {
	t, err := d.find(request.TaskId)
	if err != nil {
		return nil, err
	}
	return &pb.SignalTaskResponse{}, t.signal(request.Signal)
}

func (d *driver) TaskStats(request *pb.TaskStatsRequest, stream grpc.ServerStreamingServer[pb.TaskStatsResponse]) error {
	t, err := d.find(request.TaskId)
	if err != nil {
		return err
	}
	interval := request.CollectionInterval.AsDuration()
	if interval <= 0 {
		interval = time.Second
	}
	meter := newMeter(t)
	for {
		if err := stream.Send(&pb.TaskStatsResponse{Stats: meter.sample()}); err != nil {
			return err
		}
		select {
		case <-t.ended:
			return nil
		case <-stream.Context().Done():
			return nil
		case <-time.After(interval):
		}
	}
}

// timestamp says year 1 for "not yet".
func timestamp(at time.Time) *timestamppb.Timestamp { return timestamppb.New(at) }
