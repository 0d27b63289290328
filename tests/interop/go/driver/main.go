// A task driver on the genuine SDK packages, as third parties write them: it runs programs, and loses them with its process.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/nomad/drivers/shared/eventer"
	"github.com/hashicorp/nomad/plugins"
	"github.com/hashicorp/nomad/plugins/base"
	"github.com/hashicorp/nomad/plugins/drivers"
	"github.com/hashicorp/nomad/plugins/shared/hclspec"
	"github.com/hashicorp/nomad/plugins/shared/structs"
)

const name = "genuine"

type options struct {
	Command string   `codec:"command"`
	Args    []string `codec:"args"`
}

type task struct {
	config  *drivers.TaskConfig
	command *exec.Cmd
	started time.Time
	ended   chan struct{}
	done    time.Time
	result  *drivers.ExitResult
}

type driver struct {
	drivers.DriverSignalTaskNotSupported
	drivers.DriverExecTaskNotSupported
	events *eventer.Eventer
	log    hclog.Logger
	mutex  sync.Mutex
	tasks  map[string]*task
}

func (d *driver) PluginInfo() (*base.PluginInfoResponse, error) {
	return &base.PluginInfoResponse{Type: base.PluginTypeDriver, PluginApiVersions: []string{drivers.ApiVersion010}, PluginVersion: "1.0.0", Name: name}, nil
}

func (d *driver) ConfigSchema() (*hclspec.Spec, error) {
	return hclspec.NewObject(map[string]*hclspec.Spec{"enabled": hclspec.NewDefault(hclspec.NewAttr("enabled", "bool", false), hclspec.NewLiteral("true"))}), nil
}

func (d *driver) SetConfig(config *base.Config) error {
	var into struct {
		Enabled bool `codec:"enabled"`
	}
	if len(config.PluginConfig) == 0 {
		return nil
	}
	return base.MsgPackDecode(config.PluginConfig, &into)
}

func (d *driver) TaskConfigSchema() (*hclspec.Spec, error) {
	return hclspec.NewObject(map[string]*hclspec.Spec{
		"command": hclspec.NewAttr("command", "string", true),
		"args":    hclspec.NewAttr("args", "list(string)", false),
	}), nil
}

func (d *driver) Capabilities() (*drivers.Capabilities, error) {
	return &drivers.Capabilities{SendSignals: false, Exec: false, FSIsolation: "none"}, nil
}

func (d *driver) Fingerprint(ctx context.Context) (<-chan *drivers.Fingerprint, error) {
	out := make(chan *drivers.Fingerprint)
	go func() {
		defer close(out)
		first := &drivers.Fingerprint{Attributes: map[string]*structs.Attribute{"driver.genuine.sdk": structs.NewStringAttribute("genuine")},
			Health: drivers.HealthStateHealthy, HealthDescription: drivers.DriverHealthy}
		select {
		case out <- first:
		case <-ctx.Done():
		}
		<-ctx.Done()
	}()
	return out, nil
}

func (d *driver) find(id string) (*task, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if t := d.tasks[id]; t != nil {
		return t, nil
	}
	return nil, drivers.ErrTaskNotFound
}

func (d *driver) StartTask(config *drivers.TaskConfig) (*drivers.TaskHandle, *drivers.DriverNetwork, error) {
	if config.ID == "" {
		return nil, nil, errors.New("the task has no id")
	}
	if _, err := d.find(config.ID); err == nil {
		return nil, nil, fmt.Errorf("task with ID %q already started", config.ID)
	}
	var given options
	if err := config.DecodeDriverConfig(&given); err != nil {
		return nil, nil, fmt.Errorf("failed to decode driver config: %w", err)
	}
	out, err := open(config.StdoutPath)
	if err != nil {
		return nil, nil, err
	}
	defer out.Close()
	failures, err := open(config.StderrPath)
	if err != nil {
		return nil, nil, err
	}
	defer failures.Close()
	t := &task{config: config, command: exec.Command(given.Command, given.Args...), started: time.Now(), ended: make(chan struct{})}
	t.command.Dir = filepath.Join(config.AllocDir, config.Name)
	t.command.Env = config.EnvList()
	t.command.Stdout, t.command.Stderr = out, failures
	t.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := t.command.Start(); err != nil {
		return nil, nil, err
	}
	go t.wait()
	d.mutex.Lock()
	d.tasks[config.ID] = t
	d.mutex.Unlock()
	handle := drivers.NewTaskHandle(1)
	handle.Config, handle.State = config, drivers.TaskStateRunning
	return handle, nil, handle.SetDriverState(map[string]int{"pid": t.command.Process.Pid})
}

func (t *task) wait() {
	t.command.Wait()
	syscall.Kill(-t.command.Process.Pid, syscall.SIGKILL)
	status := t.command.ProcessState.Sys().(syscall.WaitStatus)
	t.result = &drivers.ExitResult{ExitCode: status.ExitStatus()}
	if status.Signaled() {
		t.result = &drivers.ExitResult{ExitCode: 128 + int(status.Signal()), Signal: int(status.Signal())}
	}
	t.done = time.Now()
	close(t.ended)
}

func open(path string) (*os.File, error) {
	if path == "" {
		path = os.DevNull
	}
	return os.OpenFile(path, os.O_WRONLY, 0)
}

// RecoverTask: the tasks end with the process.
func (d *driver) RecoverTask(handle *drivers.TaskHandle) error {
	if handle == nil || handle.Config == nil {
		return errors.New("handle is missing")
	}
	_, err := d.find(handle.Config.ID)
	return err
}

func (d *driver) WaitTask(ctx context.Context, id string) (<-chan *drivers.ExitResult, error) {
	t, err := d.find(id)
	if err != nil {
		return nil, err
	}
	out := make(chan *drivers.ExitResult)
	go func() {
		defer close(out)
		select {
		case <-t.ended:
		case <-ctx.Done():
			return
		}
		select {
		case out <- t.result:
		case <-ctx.Done():
		}
	}()
	return out, nil
}

func (d *driver) StopTask(id string, timeout time.Duration, signal string) error {
	t, err := d.find(id)
	if err != nil {
		return err
	}
	number := map[string]syscall.Signal{"": syscall.SIGINT, "SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGUSR1": syscall.SIGUSR1}[signal]
	if timeout > 0 && number != 0 {
		t.kill(number)
		select {
		case <-t.ended:
		case <-time.After(timeout):
		}
	}
	t.kill(syscall.SIGKILL)
	<-t.ended
	return nil
}

func (t *task) kill(signal syscall.Signal) {
	select {
	case <-t.ended:
	default:
		syscall.Kill(-t.command.Process.Pid, signal)
	}
}

func (d *driver) DestroyTask(id string, force bool) error {
	t, err := d.find(id)
	if err != nil {
		return err
	}
	select {
	case <-t.ended:
	default:
		if !force {
			return errors.New("cannot destroy running task")
		}
		t.kill(syscall.SIGKILL)
		<-t.ended
	}
	d.mutex.Lock()
	delete(d.tasks, id)
	d.mutex.Unlock()
	return nil
}

func (d *driver) InspectTask(id string) (*drivers.TaskStatus, error) {
	t, err := d.find(id)
	if err != nil {
		return nil, err
	}
	out := &drivers.TaskStatus{ID: id, Name: t.config.Name, State: drivers.TaskStateRunning, StartedAt: t.started, ExitResult: &drivers.ExitResult{}}
	select {
	case <-t.ended:
		out.State, out.CompletedAt, out.ExitResult = drivers.TaskStateExited, t.done, t.result
	default:
	}
	return out, nil
}

func (d *driver) TaskStats(ctx context.Context, id string, interval time.Duration) (<-chan *drivers.TaskResourceUsage, error) {
	t, err := d.find(id)
	if err != nil {
		return nil, err
	}
	if interval <= 0 {
		interval = time.Second
	}
	out := make(chan *drivers.TaskResourceUsage)
	go func() {
		defer close(out)
		for {
			sample := &drivers.TaskResourceUsage{Timestamp: time.Now().UnixNano(), ResourceUsage: &drivers.ResourceUsage{
				CpuStats: &drivers.CpuStats{}, MemoryStats: &drivers.MemoryStats{RSS: 1 << 20, Measured: []string{"RSS"}}}}
			select {
			case out <- sample:
			case <-ctx.Done():
				return
			}
			select {
			case <-t.ended:
				return
			case <-ctx.Done():
				return
			case <-time.After(interval):
			}
		}
	}()
	return out, nil
}

func (d *driver) TaskEvents(ctx context.Context) (<-chan *drivers.TaskEvent, error) {
	return d.events.TaskEvents(ctx)
}

func main() {
	plugins.Serve(func(log hclog.Logger) any {
		return &driver{events: eventer.NewEventer(context.Background(), log), log: log, tasks: map[string]*task{}}
	})
}
