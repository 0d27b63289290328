package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keeperSpec is what a keeper is told, keeperEnd what it writes down.
type keeperSpec struct {
	Command   []string          `json:"command"`
	Env       map[string]string `json:"env"`
	Directory string            `json:"directory"`
	Stdout    string            `json:"stdout"`
	Stderr    string            `json:"stderr"`
	User      *keeperUser       `json:"user"`
}

type keeperUser struct {
	Uid    uint32   `json:"uid"`
	Gid    uint32   `json:"gid"`
	Groups []uint32 `json:"groups"`
}

type keeperEnd struct {
	Code   int32     `json:"code"`
	Signal int32     `json:"signal"`
	At     time.Time `json:"at"`
}

// keep starts a task, waits for it and writes down how it ended. The plugin may die meanwhile, the keeper does not notice. It
// says "ok" or why not on its stdout, then leaves its result in the file "exit" of the directory.
func keep(directory string) int {
	runtime.LockOSThread() // the signal at our death is bound to the thread that starts the task
	var spec keeperSpec
	if err := readJSON(filepath.Join(directory, "spec"), &spec); err != nil {
		fmt.Println(err)
		return 1
	}
	task, err := startKept(spec)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	pid := task.Process.Pid
	if err := writeJSON(filepath.Join(directory, "pid"), pid); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ok")
	unix.Dup2(2, 1)
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR { // its number stays taken
	}
	syscall.Kill(-pid, syscall.SIGKILL) // what it left behind
	task.Wait()
	end := keeperEnd{At: time.Now()}
	if status := task.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		end.Code, end.Signal = 128+int32(status.Signal()), int32(status.Signal())
	} else {
		end.Code = int32(status.ExitStatus())
	}
	if writeJSON(filepath.Join(directory, "exit"), end) != nil {
		return 1
	}
	return 0
}

func startKept(spec keeperSpec) (*exec.Cmd, error) {
	os.Setenv("PATH", spec.Env["PATH"]) // where the task's command is looked for
	task := exec.Command(spec.Command[0], spec.Command[1:]...)
	task.Dir = spec.Directory
	task.Env = []string{}
	for key, value := range spec.Env {
		task.Env = append(task.Env, key+"="+value)
	}
	task.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if spec.User != nil {
		task.SysProcAttr.Credential = &syscall.Credential{Uid: spec.User.Uid, Gid: spec.User.Gid, Groups: spec.User.Groups}
	}
	out, err := openOutput(spec.Stdout)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	errors, err := openOutput(spec.Stderr)
	if err != nil {
		return nil, err
	}
	defer errors.Close()
	task.Stdout, task.Stderr = out, errors
	return task, task.Start()
}

// openOutput opens one of the FIFOs that the host reads.
func openOutput(path string) (*os.File, error) {
	if path == "" {
		path = os.DevNull
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
}
