//go:build linux

// Package report is what the benchmark programs have in common: the machine that a figure is worth nothing without, tables, and where
// figures are kept.
package report

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

// Machine is where figures were measured, and what was measured.
type Machine struct {
	CPU, Kernel, OS, Go, Commit string
	Cores                       int
	MemoryGiB                   float64
	Load                        float64 // average of the minute before
	At                          time.Time
}

// Look describes the machine at hand and the commit of the checkout at root.
func Look(root string) Machine {
	m := Machine{CPU: Field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Go: runtime.Version(), Commit: Commit(root), Load: Load(), At: time.Now().UTC()}
	m.OS = strings.Trim(Field("/etc/os-release", "PRETTY_NAME"), `"`)
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	var kib float64
	_, _ = fmt.Sscan(Field("/proc/meminfo", "MemTotal"), &kib)
	m.MemoryGiB = kib / (1 << 20)
	return m
}

// Hardware is the machine without versions of ours, in a line.
func (m Machine) Hardware() string {
	return fmt.Sprintf("%s, %d cores, %.0f GiB, %s, %s", m.CPU, m.Cores, m.MemoryGiB, m.OS, m.Kernel)
}

// When is what was measured and when, in a line.
func (m Machine) When() string {
	return fmt.Sprintf("commit %s, %s, load average at the start %.1f", m.Commit, m.At.Format("2006-01-02 15:04 UTC"), m.Load)
}

// Load is the load average of the last minute.
func Load() (l float64) {
	b, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(b), &l)
	return l
}

// Commit names the commit of the checkout at root.
func Commit(root string) string {
	cmd := exec.Command("git", "describe", "--always", "--dirty")
	cmd.Dir = root
	b, err := cmd.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

// Field is the first value of a name in a file of "name : value" or "name=value" lines.
func Field(path, name string) string {
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
