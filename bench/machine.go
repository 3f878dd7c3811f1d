package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"parley.link/parley/bench/report"
)

// machine is the machine, with the programs that only some sections need.
type machine struct {
	report.Machine
	Node, Chromium string
}

func lookAtMachine(ctx context.Context, c config) machine {
	return machine{Machine: report.Look(c.root), Node: say(ctx, "node", "--version"), Chromium: say(ctx, chromiumPath(), "--version")}
}

func chromiumPath() string {
	if p := os.Getenv("CHROMIUM"); p != "" {
		return p
	}
	return "/usr/bin/chromium"
}

// say is the first line that a program prints, or "not here".
func say(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || line == "" {
		return filepath.Base(name) + " not here"
	}
	return strings.TrimSpace(line)
}

func (m machine) lines() []string {
	return []string{m.Hardware(), fmt.Sprintf("%s, Node %s, %s", m.Go, m.Node, m.Chromium)}
}

func (m machine) text() string { return strings.Join(append(m.lines(), m.When()), "\n") + "\n" }
