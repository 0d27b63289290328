package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/@name@/pb"
)

const ticksPerSecond = 100 // USER_HZ, the same on every Linux

// statOf has the fields of /proc/<pid>/stat after the name: state, parent, group, session, ... Nil when there is no such process.
func statOf(pid string) []string {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 22 {
		return nil
	}
	return fields
}

func began(pid int) uint64 {
	fields := statOf(strconv.Itoa(pid))
	if fields == nil || fields[0] == "Z" {
		return 0
	}
	out, _ := strconv.ParseUint(fields[19], 10, 64)
	return out
}

// use is what all processes of a task's session have used up.
type use struct {
	at           time.Time
	user, system float64
	memory       uint64
}

type meter struct {
	task   *task
	before use
}

func newMeter(t *task) *meter { return &meter{task: t, before: t.use()} }

func (t *task) use() use {
	out := use{at: time.Now()}
	session := strconv.Itoa(t.state.Pid)
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if entry.Name()[0] < '0' || entry.Name()[0] > '9' {
			continue
		}
		if fields := statOf(entry.Name()); fields != nil && fields[3] == session {
			user, _ := strconv.ParseFloat(fields[11], 64)
			system, _ := strconv.ParseFloat(fields[12], 64)
			pages, _ := strconv.ParseUint(fields[21], 10, 64)
			out.user += user / ticksPerSecond
			out.system += system / ticksPerSecond
			out.memory += pages * uint64(os.Getpagesize())
		}
	}
	return out
}

func (m *meter) sample() *pb.TaskStats {
	now := m.task.use()
	seconds := max(now.at.Sub(m.before.at).Seconds(), 0.001)
	user, system := max(now.user-m.before.user, 0)/seconds*100, max(now.system-m.before.system, 0)/seconds*100
	m.before = now
	return &pb.TaskStats{Id: m.task.config.Id, Timestamp: timestamppb.Now(), AggResourceUsage: &pb.TaskResourceUsage{
		Cpu: &pb.CPUUsage{UserMode: user, SystemMode: system, Percent: user + system,
			MeasuredFields: []pb.CPUUsage_Fields{pb.CPUUsage_USER_MODE, pb.CPUUsage_SYSTEM_MODE, pb.CPUUsage_PERCENT}},
		Memory: &pb.MemoryUsage{Rss: now.memory, Usage: now.memory, MeasuredFields: []pb.MemoryUsage_Fields{pb.MemoryUsage_RSS, pb.MemoryUsage_USAGE}},
	}}
}
