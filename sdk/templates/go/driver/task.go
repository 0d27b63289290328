package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"example.com/@name@/pb"
)

// task is one task: a keeper process (keeper.go) with a directory of its own, so that neither a crash nor an update of the
// plugin loses it.
type task struct {
	config    *pb.TaskConfig
	state     taskState
	ended     chan struct{} // closed when the fields below are final
	result    *pb.ExitResult
	failure   string
	completed time.Time
}

// taskState is what a handle remembers.
type taskState struct {
	Directory string    `json:"directory"`
	Keeper    int       `json:"keeper"`
	Began     uint64    `json:"began"` // with this, the keeper's number names it for good
	Pid       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
}

func newTask(config *pb.TaskConfig, stateDir string) *task {
	sum := sha256.Sum256([]byte(config.Id)) // an id has slashes
	return &task{config: config, ended: make(chan struct{}), result: &pb.ExitResult{},
		state: taskState{Directory: filepath.Join(stateDir, hex.EncodeToString(sum[:16])), StartedAt: time.Now()}}
}

func (t *task) path(file string) string { return filepath.Join(t.state.Directory, file) }

func (t *task) hasEnded() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

func (t *task) start(command []string) error {
	who, err := credentials(t.config.User)
	if err != nil {
		return err
	}
	spec := keeperSpec{Command: command, Env: t.config.Env, Directory: filepath.Join(t.config.AllocDir, t.config.Name),
		Stdout: t.config.StdoutPath, Stderr: t.config.StderrPath, User: who}
	if err := os.MkdirAll(t.state.Directory, 0o700); err != nil {
		return err
	}
	if err := writeJSON(t.path("spec"), spec); err != nil {
		return err
	}
	keeper := exec.Command("/proc/self/exe", "keep", t.state.Directory)
	keeper.Dir = "/"
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := keeper.StdoutPipe()
	if err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		os.RemoveAll(t.state.Directory)
		return err
	}
	t.state.Keeper, t.state.Began = keeper.Process.Pid, began(keeper.Process.Pid)
	said, _ := bufio.NewReader(out).ReadString('\n')
	if said = strings.TrimSpace(said); said != "ok" {
		keeper.Wait()
		os.RemoveAll(t.state.Directory)
		if said == "" {
			said = "its keeper died"
		}
		return fmt.Errorf("starting %q: %s", command[0], said)
	}
	readJSON(t.path("pid"), &t.state.Pid)
	go func() {
		keeper.Wait()
		t.finish()
	}()
	return nil
}

func (t *task) handle() *pb.TaskHandle {
	state, _ := json.Marshal(t.state)
	return &pb.TaskHandle{Version: 1, Config: t.config, State: pb.TaskState_RUNNING, DriverState: state}
}

func (t *task) recover(driverState []byte) error {
	if err := json.Unmarshal(driverState, &t.state); err != nil || t.state.Keeper <= 0 {
		return errors.New("this is no handle of " + name)
	}
	if _, err := os.Stat(t.state.Directory); err != nil {
		return errNotFound
	}
	keeper, err := unix.PidfdOpen(t.state.Keeper, 0)
	if err != nil || began(t.state.Keeper) != t.state.Began {
		if err == nil {
			unix.Close(keeper)
		}
		t.finish()
		return nil
	}
	go func() { // the keeper is no child of this process
		defer unix.Close(keeper)
		for {
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(keeper), Events: unix.POLLIN}}, -1); err != unix.EINTR {
				break
			}
		}
		t.finish()
	}()
	return nil
}

func (t *task) finish() {
	var end keeperEnd
	if err := readJSON(t.path("exit"), &end); err == nil {
		t.result, t.completed = &pb.ExitResult{ExitCode: end.Code, Signal: end.Signal}, end.At
	} else {
		t.failure, t.completed = "the end of the task is not known: its keeper is gone", time.Now()
	}
	close(t.ended)
}

func (t *task) signal(signal string) error {
	number := unix.SignalNum(signal)
	if number == 0 {
		return fmt.Errorf("there is no signal %q", signal)
	}
	// While its keeper lives, the number of the task is not given to another process.
	if !t.hasEnded() {
		syscall.Kill(t.state.Pid, number)
	}
	return nil
}

func (t *task) stop(timeout time.Duration, signal string) error {
	if timeout > 0 {
		if err := t.signal(signal); err != nil {
			return err
		}
		select {
		case <-t.ended:
		case <-time.After(timeout):
		}
	}
	if !t.hasEnded() {
		syscall.Kill(-t.state.Pid, syscall.SIGKILL)
	}
	<-t.ended
	return nil
}

func (t *task) destroy() {
	t.stop(0, "")
	os.RemoveAll(t.state.Directory)
}

func (t *task) status() *pb.TaskStatus {
	out := &pb.TaskStatus{Id: t.config.Id, Name: t.config.Name, State: pb.TaskState_RUNNING, Result: &pb.ExitResult{},
		StartedAt: timestamp(t.state.StartedAt), CompletedAt: timestamp(time.Time{})}
	if t.hasEnded() {
		out.State, out.Result, out.CompletedAt = pb.TaskState_EXITED, t.result, timestamp(t.completed)
	}
	return out
}

// credentials says whom the task runs as; nil: whom the plugin runs as.
func credentials(who string) (*keeperUser, error) {
	if who == "" {
		return nil, nil
	}
	number, notNumber := strconv.ParseUint(who, 10, 32)
	entry, err := user.LookupId(who)
	if notNumber != nil {
		entry, err = user.Lookup(who)
	}
	if err != nil {
		if notNumber != nil {
			return nil, fmt.Errorf("there is no user %q", who)
		}
		return &keeperUser{Uid: uint32(number), Gid: uint32(number)}, nil
	}
	uid, _ := strconv.ParseUint(entry.Uid, 10, 32)
	gid, _ := strconv.ParseUint(entry.Gid, 10, 32)
	out := &keeperUser{Uid: uint32(uid), Gid: uint32(gid)}
	groups, _ := entry.GroupIds()
	for _, group := range groups {
		if id, err := strconv.ParseUint(group, 10, 32); err == nil {
			out.Groups = append(out.Groups, uint32(id))
		}
	}
	return out, nil
}

func writeJSON(path string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
