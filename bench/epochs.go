package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"parley.link/parley/internal/native"
)

// epochs measures how long a join and a leave take until every member holds the new epoch, and what is lost of one publisher's frames on
// the way to one receiver of the other side meanwhile.
func epochs(ctx context.Context, c config) ([]table, error) {
	times := table{Title: "Join and leave: to all members on the new epoch (ms)",
		Head: []string{"members", "change", "runs", "p50", "p95", "all send with it, p50", "p95"}, Raw: map[string]samples{},
		Notes: []string{
			"members: those in the session before the change; join: from the newcomer's dial; leave: from the wish of who leaves.",
			"What runs where: two nodes, each a process; all members in one process beside them with lower priority (nice 5), each with a ts-mls of its own in goja, one",
			"with microphone and camera, one that receives both, the others without media. At 32, these two cores process 32 commits for each change; devices of their own would not wait for each other."}}
	lost := table{Title: "Frames of one publisher lost on the way to a receiver of the other side during these changes",
		Head: []string{"members", "epoch changes", "sent", "not sealed", "came, did not open", "lost"}}
	for _, n := range c.sizes {
		if err := epochsAt(ctx, c, n, &times, &lost); err != nil {
			return []table{times, lost}, fmt.Errorf("at %d members: %w", n, err)
		}
	}
	return []table{times, lost}, nil
}

func epochsAt(ctx context.Context, c config, n int, times, lost *table) error {
	s, err := raise(ctx, c, n/2+1, "test")
	if err != nil {
		return err
	}
	defer s.close()
	restore, err := yieldToNodes() // after the nodes were started: they would inherit it
	if err != nil {
		return err
	}
	defer restore()
	follow := newFrames()
	all, err := s.enterMany(ctx, n, func(i int) (native.Config, native.Trace) {
		switch i {
		case 0:
			return speaks, follow.publisher()
		case 1:
			return watches, follow.receiver()
		}
		return present, native.Trace{}
	})
	if err != nil {
		return err
	}
	p, err := s.accredit(0, n/2)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := until(ctx, 20*time.Second, func() string { return follow.flows(began) }); err != nil {
		return err
	}
	began = time.Now()
	var joins, joinsSent, leaves, leavesSent samples
	runs := c.runs(15, 3)
	if n > 8 { // each change costs seconds
		runs = c.runs(8, 2)
	}
	for range runs {
		start := time.Now()
		a, err := p.enter(present, native.Trace{})
		if err != nil {
			return err
		}
		if err := change(ctx, append(all, a), start, &joins, &joinsSent); err != nil {
			return err
		}
		start = time.Now()
		a.Leave()
		if err := change(ctx, all, start, &leaves, &leavesSent); err != nil {
			return err
		}
		if err := a.leave(ctx); err != nil {
			return err
		}
	}
	ended := time.Now()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	times.Notes = append(times.Notes, fmt.Sprintf("Live heap of the members' process at %d: %d MiB.", n, memory.HeapAlloc>>20))
	if err := until(ctx, 10*time.Second, func() string { return follow.flows(ended.Add(time.Second)) }); err != nil {
		return err
	}
	for _, x := range []struct {
		name       string
		held, sent samples
	}{{"join", joins, joinsSent}, {"leave", leaves, leavesSent}} {
		times.Rows = append(times.Rows, []string{fmt.Sprint(n), x.name, fmt.Sprint(len(x.held)), ms(x.held.at(50)), ms(x.held.at(95)), ms(x.sent.at(50)), ms(x.sent.at(95))})
		times.Raw[fmt.Sprintf("%d %s", n, x.name)], times.Raw[fmt.Sprintf("%d %s, all send", n, x.name)] = x.held, x.sent
	}
	for i, video := range []bool{false, true} {
		k := follow.count(video, began, ended)
		lost.Rows = append(lost.Rows, []string{fmt.Sprintf("%d, %s", n, []string{"microphone", "camera"}[i]), fmt.Sprint(2 * runs),
			fmt.Sprint(k.Sent), fmt.Sprint(k.Unsealed), fmt.Sprint(k.Closed), fmt.Sprint(k.Lost)})
	}
	return nil
}

// change waits until all are on one epoch with exactly them as members, and send with it.
func change(ctx context.Context, all []*actor, start time.Time, held, sends *samples) error {
	if err := settled(ctx, all, len(all)); err != nil {
		return err
	}
	var last, sent time.Time
	for _, a := range all {
		f := a.Facts()
		if f.EpochAt.After(last) {
			last = f.EpochAt
		}
		if f.Steps.Keyed.After(sent) {
			sent = f.Steps.Keyed
		}
	}
	held.between(start, last)
	sends.between(start, sent)
	return nil
}

// flows complains unless frames of both kinds, sent after a moment, have been opened.
func (f *frames) flows(after time.Time) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, video := range []bool{false, true} {
		ok := false
		for i := len(f.sent[video]) - 1; i >= 0 && f.sent[video][i].at.After(after) && !ok; i-- {
			_, ok = f.came[video][f.sent[video][i].timestamp]
		}
		if !ok {
			return fmt.Sprintf("video %v: of %d frames sent, %d opened, none of the newest", video, len(f.sent[video]), len(f.came[video]))
		}
	}
	return ""
}
