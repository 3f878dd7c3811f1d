//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"parley.link/parley/bench/media/sfu"
)

// target is a server to be measured: one that runs, or a command that starts it.
type target struct {
	id, kind, name, version string // kind names the adapter; id the column
	address, command        string
}

func (t *target) title() string { return strings.TrimSpace(t.name + " " + t.version) }

// server is a target that runs.
type server struct {
	sfu.Adapter
	pid  int
	stop func()
}

const startTime = 15 * time.Second

// start starts the target's command on the server's core, or finds the running server and pins it.
func (t *target) start(ctx context.Context, core int) (s *server, err error) {
	a, err := sfu.New(t.kind, t.address)
	if err != nil {
		return nil, err
	}
	s = &server{Adapter: a, stop: func() {}}
	if t.command != "" {
		if pid, err := listener(t.address); err == nil {
			return nil, fmt.Errorf("%s: process %d listens at %s already", t.name, pid, t.address)
		}
		var said func() string
		if s.stop, said, err = launch(t.command, core); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		stop := s.stop
		defer func() {
			if err != nil {
				err = fmt.Errorf("%w; it said: %s", err, said())
				stop()
			}
		}()
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err = sfu.Await(ctx, t.address); err == nil {
		s.pid, err = listener(t.address)
	}
	if err == nil && t.command == "" {
		err = pin(s.pid, core)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	if t.version == "" {
		t.version = a.Version(ctx)
	}
	return s, nil
}

// launch starts a command in a process group of its own, whose threads all stay on a core. stop ends the group; said is
// the end of what it printed.
func launch(command string, core int) (stop func(), said func() string, err error) {
	cmd := exec.Command("sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	log, err := os.CreateTemp("", "bench-media-*.log")
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	runtime.LockOSThread() // a child inherits the affinity of the thread that forks it
	var before, one unix.CPUSet
	one.Set(core)
	if err = unix.SchedGetaffinity(0, &before); err == nil {
		err = unix.SchedSetaffinity(0, &one)
	}
	if err == nil {
		err = cmd.Start()
		_ = unix.SchedSetaffinity(0, &before)
	}
	runtime.UnlockOSThread()
	if err != nil {
		return nil, nil, fmt.Errorf("start %q on core %d: %w", command, core, err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	said = func() string {
		b, _ := os.ReadFile(log.Name())
		return strings.TrimSpace(string(b[max(0, len(b)-500):]))
	}
	return sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		_ = log.Close()
		_ = os.Remove(log.Name())
	}), said, nil
}

// pin keeps all threads of a process on a core.
func pin(pid, core int) error {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		return fmt.Errorf("process %d has no threads", pid)
	}
	var one unix.CPUSet
	one.Set(core)
	for _, t := range tasks {
		tid, err := strconv.Atoi(filepath.Base(t))
		if err == nil {
			err = unix.SchedSetaffinity(tid, &one)
		}
		if err != nil && err != unix.ESRCH {
			return fmt.Errorf("pin thread %d to core %d: %w", tid, core, err)
		}
	}
	return nil
}

// listener is the process that listens at a TCP address, or on its port at the unspecified one.
func listener(address string) (int, error) {
	_, port, _ := strings.Cut(address, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0, fmt.Errorf("address %q has no port", address)
	}
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && inodes[to] {
			return strconv.Atoi(strings.Split(fd, "/")[2])
		}
	}
	return 0, fmt.Errorf("nobody listens at %s, or this user may not see who", address)
}

// cpu is what a process has used, in seconds, from its CPU clock (clock_getcpuclockid(3)): proc(5) has the same in hundredths, of which
// a small room fills a dozen in a window.
func cpu(pid int) (float64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil { // CPUCLOCK_SCHED of a process
		return 0, fmt.Errorf("the server is gone: %w", err)
	}
	return float64(t.Nano()) / 1e9, nil
}

// coreBusy is how long a core has worked, in seconds, for whomever (proc(5), /proc/stat).
func coreBusy(core int) (seconds float64) {
	b, _ := os.ReadFile("/proc/stat")
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 9 || f[0] != fmt.Sprintf("cpu%d", core) {
			continue
		}
		for _, i := range []int{1, 2, 3, 6, 7, 8} { // user, nice, system, irq, softirq, steal
			n, _ := strconv.ParseUint(f[i], 10, 64)
			seconds += float64(n) / 100
		}
	}
	return seconds
}

// resident is a process's RSS in MB (10⁶ bytes).
func resident(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, rss float64
	_, _ = fmt.Sscan(string(b), &size, &rss)
	return rss * float64(os.Getpagesize()) / 1e6
}
