package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"parley.link/parley/bench/report"
	"parley.link/parley/internal/native"
)

// cost measures what the node processes use while ten native participants, five on each side, send a camera and a microphone each and
// receive all others'.
func cost(ctx context.Context, c config) ([]table, error) {
	const each = 5
	s, err := raise(ctx, c, each, "test")
	if err != nil {
		return nil, err
	}
	defer s.close()
	empty := []uint64{rss(s.Sides[0].Node.PID()), rss(s.Sides[1].Node.PID())}
	kind := native.Config{FPS: 15}
	all, err := s.enterMany(ctx, 2*each, func(int) (native.Config, native.Trace) { return kind, native.Trace{} })
	if err != nil {
		return nil, err
	}
	if err := until(ctx, 30*time.Second, func() string { return everybodySeen(all) }); err != nil {
		return nil, err
	}
	span := time.Duration(c.runs(20, 5)) * time.Second
	before, mine, opened, at := []time.Duration{cpu(s.Sides[0].Node.PID()), cpu(s.Sides[1].Node.PID())}, cpu(os.Getpid()), openedFrames(all), time.Now()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(span):
	}
	took := time.Since(at)
	t := table{Title: fmt.Sprintf("Cost of a session of 2 × %d native participants over %.0f s", each, took.Seconds()),
		Head: []string{"process", "CPU, % of a core", "for each of its own people", "memory, MiB", "before anybody came"},
		Notes: []string{
			fmt.Sprintf("%.0f frames a second were opened by the ten together; everybody sends a microphone (50 packets a second) and a camera (15 pictures of 320×180 a second, about 2 packets each).",
				float64(openedFrames(all)-opened)/took.Seconds()),
		}}
	for i, sd := range s.Sides {
		used := 100 * (cpu(sd.Node.PID()) - before[i]).Seconds() / took.Seconds()
		t.Rows = append(t.Rows, []string{"node of " + sd.Cast.Name["en"], fmt.Sprintf("%.1f", used), fmt.Sprintf("%.1f", used/each),
			fmt.Sprint(rss(sd.Node.PID()) >> 20), fmt.Sprint(empty[i] >> 20)})
	}
	own := 100 * (cpu(os.Getpid()) - mine).Seconds() / took.Seconds()
	t.Rows = append(t.Rows, []string{"the ten participants, one process", fmt.Sprintf("%.1f", own), fmt.Sprintf("%.1f", own/(2*each)), fmt.Sprint(rss(os.Getpid()) >> 20), ""})
	return []table{t}, nil
}

func everybodySeen(all []*actor) string {
	for _, a := range all {
		seen := 0
		for _, s := range a.Sights() {
			if time.Since(s.Last) < time.Second {
				seen++
			}
		}
		if seen != 2*(len(all)-1) {
			return fmt.Sprintf("%s perceives %d of %d tracks", a.person.ID, seen, 2*(len(all)-1))
		}
	}
	return ""
}

func openedFrames(all []*actor) (n uint64) {
	for _, a := range all {
		n += a.Verdicts()["opened"]
	}
	return n
}

// cpu is the time that a process has used, user and system (proc(5): fields 14 and 15, in hundredths of a second).
func cpu(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rss is a process's resident memory, bytes.
func rss(pid int) uint64 {
	var kib uint64
	_, _ = fmt.Sscan(report.Field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS"), &kib)
	return kib << 10
}
