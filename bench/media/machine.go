//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what a figure is worth nothing without.
type machine struct {
	CPU, Kernel, OS, Go, Commit string
	Cores                       int
	MemoryGiB, Load             float64
	At                          time.Time
}

func lookAtMachine(root string) machine {
	m := machine{CPU: entry("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Go: runtime.Version(), At: time.Now().UTC(), Commit: commit(root)}
	m.OS = strings.Trim(entry("/etc/os-release", "PRETTY_NAME"), `"`)
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	var kib float64
	_, _ = fmt.Sscan(entry("/proc/meminfo", "MemTotal"), &kib)
	m.MemoryGiB = kib / (1 << 20)
	b, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(b), &m.Load)
	return m
}

func commit(root string) string {
	cmd := exec.Command("git", "describe", "--always", "--dirty")
	cmd.Dir = root
	b, _ := cmd.Output()
	return strings.TrimSpace(string(b))
}

// entry is the first value of a name in a file of "name : value" or "name=value" lines.
func entry(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if at := strings.IndexAny(s.Text(), ":="); at > 0 && strings.TrimSpace(s.Text()[:at]) == name {
			return strings.TrimSpace(s.Text()[at+1:])
		}
	}
	return "unknown"
}

func (m machine) text() string {
	return fmt.Sprintf("%s, %d cores, %.0f GiB, %s, Linux %s, %s\ncommit %s, %s, load average at the start %.1f\n",
		m.CPU, m.Cores, m.MemoryGiB, m.OS, m.Kernel, m.Go, m.Commit, m.At.Format("2006-01-02 15:04 UTC"), m.Load)
}
