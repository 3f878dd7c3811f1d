package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parley.link/parley/internal/native"
	"parley.link/parley/internal/synth"
)

// visit is what test/bench/open.mjs says of one opening of the page; times are ms since the navigation began.
type visit struct {
	OK     bool               `json:"ok"`
	Error  string             `json:"error"`
	Marks  map[string]float64 `json:"marks"`
	Frames []struct {
		At       float64  `json:"at"`
		Received *float64 `json:"received"`
		RGB      [3]uint8 `json:"rgb"`
	} `json:"frames"`
}

// chromiumOpen measures a page from its navigation to the first decoded picture of the far side.
func chromiumOpen(ctx context.Context, c config) ([]table, error) {
	s, err := raise(ctx, c, 3, "test")
	if err != nil {
		return nil, err
	}
	defer s.close()
	others, err := s.enterMany(ctx, 4, func(int) (native.Config, native.Trace) { return speaks, native.Trace{} })
	if err != nil {
		return nil, err
	}
	persona := s.Sides[0].Cast.People[2]
	b, err := openBrowser(ctx, c, s.Sides[0].Origin(persona.ID))
	if err != nil {
		return nil, err
	}
	defer b.close()
	// The first visit makes the device and asks; the officer accredits it. It is not counted.
	officer, stop := context.WithCancel(ctx)
	defer stop()
	s.wait.Go(func() { s.runAccredit(officer, 0, 2) })
	first := map[string]samples{}
	if err := b.visit(ctx, s, others, first); err != nil {
		return nil, fmt.Errorf("first visit: %w", err)
	}
	stop()
	raw := map[string]samples{}
	for range c.runs(20, 4) {
		if err := b.visit(ctx, s, others, raw); err != nil {
			return nil, err
		}
	}
	head := table{Title: "Chromium: from the navigation to the first decoded picture of the far side (ms)", Head: []string{"until", "runs", "p50", "p95"}, Raw: raw,
		Rows:  [][]string{raw[farFrame].row(farFrame, 50, 95), raw[allFrames].row(allFrames, 50, 95)},
		Notes: []string{fmt.Sprintf("Two natives on each side publish; a person accredited before opens a new tab; the browser runs, its cache is warm. The very first visit, with enrolment and a cold cache, took %s ms.", ms(first[farFrame].at(50)))}}
	steps := table{Title: "Where it goes (ms since the navigation began)", Head: []string{"moment", "runs", "p50", "p95"}}
	for _, m := range moments {
		steps.Rows = append(steps.Rows, raw[m[1]].row(m[1], 50, 95))
	}
	return []table{head, steps}, nil
}

const (
	farFrame  = "first picture of the far side decoded and presented"
	allFrames = "all four remote pictures presented"
)

// moments are the marks of open.mjs in the order in which they usually come, and what they mean.
var moments = [][2]string{
	{"html", "page received"}, {"script", "first script runs"}, {"paint", "first contentful paint"}, {"client", "client started"},
	{"socket-open", "socket open"}, {"message-1", "node's challenge came"}, {"message-2", "node's welcome came (device key proved)"},
	{"message-3", "node's next message came (log)"}, {"log", "log read and checked"}, {"room", "in the room, join under way"}, {"peer-made", "peer connections made"},
	{"down-offer", "node's offer (join ordered, wants known)"}, {"down-connected", "down connection stands"}, {"keys", "keys of an epoch held (Welcome joined)"},
	{"received", "first picture of the far side received, sealed"}, {"sending", "sends with the new epoch"}, {"up-answer", "own offer answered"}, {"up-connected", "up connection stands"},
}

// runAccredit signs for the one persona that asks, until stopped. Its page says its origin; only this machine reaches it.
func (s *summit) runAccredit(ctx context.Context, side, person int) {
	sd := s.Sides[side]
	p := sd.Cast.People[person]
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
		r, err := sd.Office.List(ctx)
		if err != nil {
			continue
		}
		for _, e := range r.Pending {
			if label, _, _ := strings.Cut(e.Note, ".localhost"); label == p.ID {
				_, _ = sd.Office.Accredit(ctx, e.Id, sd.Accreditation(p, e.Device)) // asked again if it failed
			}
		}
	}
}

// browser is the Node process that drives Chromium.
type browser struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func openBrowser(ctx context.Context, c config, url string) (*browser, error) {
	script, err := filepath.Abs(filepath.Join(c.root, "test", "bench", "open.mjs"))
	if err != nil {
		return nil, fmt.Errorf("find the browser's script: %w", err)
	}
	b := &browser{cmd: exec.CommandContext(ctx, "node", script, url)}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	b.cmd.Cancel = func() error { return syscall.Kill(-b.cmd.Process.Pid, syscall.SIGTERM) } // Chromium too
	b.cmd.WaitDelay = 5 * time.Second
	b.cmd.Stderr = os.Stderr
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("speak to Node: %w", err)
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("hear Node: %w", err)
	}
	b.out = bufio.NewReader(out)
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Node: %w", err)
	}
	return b, nil
}

func (b *browser) close() {
	_ = json.NewEncoder(b.in).Encode(map[string]any{"do": "end"})
	_ = b.in.Close()
	_ = b.cmd.Wait()
}

func (b *browser) order(o map[string]any) (v visit, err error) {
	if err := json.NewEncoder(b.in).Encode(o); err != nil {
		return v, fmt.Errorf("speak to Node: %w", err)
	}
	line, err := b.out.ReadBytes('\n')
	if err != nil {
		return v, fmt.Errorf("hear Node: %w", err)
	}
	if err := json.Unmarshal(line, &v); err != nil {
		return v, fmt.Errorf("understand Node: %w: %.300s", err, line)
	}
	if !v.OK {
		return v, errors.New(v.Error)
	}
	return v, nil
}

// visit opens the page, notes its times, and leaves.
func (b *browser) visit(ctx context.Context, s *summit, others []*actor, raw map[string]samples) error {
	v, err := b.order(map[string]any{"do": "open", "pictures": len(others), "timeout": 30_000})
	if err != nil {
		return err
	}
	far := -1.0
	for _, f := range v.Frames {
		if sideOf(f.RGB, others) != string(s.Sides[1].ID) || (far >= 0 && f.At >= far) {
			continue
		}
		if far = f.At; f.Received != nil {
			v.Marks["received"] = *f.Received
		}
	}
	if far < 0 {
		return fmt.Errorf("no picture has a colour of the far side: %+v", v.Frames)
	}
	note := func(name string, at float64) { raw[name] = append(raw[name], at) }
	note(farFrame, far)
	note(allFrames, v.Frames[len(v.Frames)-1].At)
	for _, m := range moments {
		if at, ok := v.Marks[m[0]]; ok {
			note(m[1], at)
		}
	}
	if _, err := b.order(map[string]any{"do": "leave"}); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return settled(ctx, others, len(others))
}

// sideOf is the side of the person whose colour it is, "" if nobody's.
func sideOf(rgb [3]uint8, others []*actor) string {
	for _, o := range others {
		if synth.Near(color.RGBA{rgb[0], rgb[1], rgb[2], 255}, synth.Colour(o.person.Number)) {
			return string(o.side.ID)
		}
	}
	return ""
}
