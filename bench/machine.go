package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// machine is what a figure is worth nothing without.
type machine struct {
	CPU, Kernel, OS, Go, Node, Chromium, Commit string
	Cores                                       int
	MemoryGiB                                   float64
	At                                          time.Time
}

func lookAtMachine(ctx context.Context, c config) machine {
	m := machine{CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Go: runtime.Version(), At: time.Now().UTC()}
	m.OS = strings.Trim(field("/etc/os-release", "PRETTY_NAME"), `"`)
	m.Kernel = say(ctx, c.root, "uname", "-sr")
	m.Node = say(ctx, c.root, "node", "--version")
	m.Chromium = say(ctx, c.root, chromiumPath(), "--version")
	m.Commit = say(ctx, c.root, "git", "describe", "--always", "--dirty")
	var kib float64
	_, _ = fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib)
	m.MemoryGiB = kib / (1 << 20)
	return m
}

func chromiumPath() string {
	if p := os.Getenv("CHROMIUM"); p != "" {
		return p
	}
	return "/usr/bin/chromium"
}

// say is the first line that a program prints, or "not here".
func say(ctx context.Context, dir, name string, args ...string) string {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || line == "" {
		return filepath.Base(name) + " not here"
	}
	return strings.TrimSpace(line)
}

// field is the first value of a name in a file of "name : value" or "name=value" lines.
func field(path, name string) string {
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

// load is the load average of the last minute.
func load() (l float64) {
	b, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(b), &l)
	return l
}

func (m machine) lines() []string {
	return []string{
		fmt.Sprintf("%s, %d cores, %.0f GiB, %s, %s", m.CPU, m.Cores, m.MemoryGiB, m.OS, m.Kernel),
		fmt.Sprintf("%s, Node %s, %s", m.Go, m.Node, m.Chromium),
	}
}

func (m machine) text() string {
	return strings.Join(append(m.lines(), fmt.Sprintf("commit %s, %s, load %.2f", m.Commit, m.At.Format("2006-01-02 15:04 UTC"), load())), "\n") + "\n"
}
