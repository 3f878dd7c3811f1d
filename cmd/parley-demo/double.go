package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/stage"
	"parley.link/parley/internal/synth"
)

const participantCommand = "participant"

// part is what a double is told on its standard input: keys are not for command lines.
type part struct {
	Address       string `json:"address"`
	Seed          []byte `json:"seed"`
	Accreditation []byte `json:"accreditation"`
	Scope         []byte `json:"scope"`
	Language      string `json:"language"`
	Number        int    `json:"number"`
	Initials      string `json:"initials"`
}

// double enrols a synthetic person and runs it in a process of its own: it shares no memory with any node or officer.
func (d *demo) double(ctx context.Context, sd *stage.Side, p stage.Person) error {
	key, acc, err := sd.Enrol(ctx, p)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, participantCommand)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("speak to a double: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a double: %w", err)
	}
	d.wait.Go(func() { _ = cmd.Wait() })
	err = json.NewEncoder(in).Encode(part{Address: sd.Address(), Seed: key.Seed(), Accreditation: acc, Scope: d.stage.Scope,
		Language: sd.Cast.Language, Number: p.Number, Initials: p.Initials})
	if err != nil {
		return fmt.Errorf("speak to a double: %w", err)
	}
	return in.Close()
}

// participate is the double's process.
func participate(ctx context.Context, in io.Reader) error {
	var p part
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return fmt.Errorf("read the part: %w", err)
	}
	key, err := ident.KeyFromSeed(p.Seed)
	if err != nil {
		return err
	}
	n, err := native.New(native.Config{Address: p.Address, Device: key, Accreditation: p.Accreditation, Scope: p.Scope, Language: p.Language,
		Number: p.Number, Initials: p.Initials, Tone: synth.ToneOf(p.Number), FPS: 10, Loopback: true, Sources: []string{"none"},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	if err := n.Run(ctx); problem.CodeOf(err) != problem.ReplacedByOtherDevice {
		return err
	}
	return nil // somebody sat down in its place
}
