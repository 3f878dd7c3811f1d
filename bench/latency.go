package main

import (
	"context"
	"fmt"
	"time"

	"parley.link/parley/internal/native"
)

// latency follows every frame of one publisher to a receiver on the same node and to one across the link, at the same time, and compares
// with the same frames between two native media clients that are connected to each other without any node.
func latency(ctx context.Context, c config) ([]table, error) {
	span := time.Duration(c.runs(25, 5)) * time.Second
	direct, err := baseline(ctx, span)
	if err != nil {
		return nil, fmt.Errorf("direct: %w", err)
	}
	s, err := raise(ctx, c, 2, "test")
	if err != nil {
		return nil, err
	}
	defer s.close()
	// The two receivers share one trace of what was sent.
	near, far := newFrames(), newFrames()
	both := native.Trace{Sent: func(source string, timestamp uint32, sealed bool, at time.Time) {
		near.publisher().Sent(source, timestamp, sealed, at)
		far.publisher().Sent(source, timestamp, sealed, at)
	}}
	// In the order of entering: publisher (side 0), far receiver (side 1), near receiver (side 0).
	_, err = s.enterMany(ctx, 3, func(i int) (native.Config, native.Trace) {
		switch i {
		case 0:
			return speaks, both
		case 1:
			return watches, far.receiver()
		}
		return watches, near.receiver()
	})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for _, f := range []*frames{near, far} {
		if err := until(ctx, 20*time.Second, func() string { return f.flows(began) }); err != nil {
			return nil, err
		}
	}
	began = time.Now()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(span):
	}
	ended := time.Now()
	for _, f := range []*frames{near, far} {
		if err := until(ctx, 10*time.Second, func() string { return f.flows(ended) }); err != nil {
			return nil, err
		}
	}
	t := table{Title: "One-way latency of a frame, from before sealing to after opening (ms)",
		Head: []string{"path", "frames", "lost", "p50", "p95", "p99"}, Raw: map[string]samples{}}
	added := table{Title: "Added (difference of the percentiles, ms)", Head: []string{"by", "p50", "p99"}}
	for i, video := range []bool{false, true} {
		kind := []string{"microphone (1 packet)", "camera (about 2 packets)"}[i]
		d, n, f := direct.count(video, direct.from, direct.to), near.count(video, began, ended), far.count(video, began, ended)
		for _, p := range []struct {
			name string
			c    count
		}{{"no node", d}, {"one node", n}, {"two nodes and the link", f}} {
			t.Rows = append(t.Rows, []string{kind + ": " + p.name, fmt.Sprint(p.c.Sent), fmt.Sprint(p.c.Lost), ms(p.c.Late.at(50)), ms(p.c.Late.at(95)), ms(p.c.Late.at(99))})
			t.Raw[kind+": "+p.name] = p.c.Late
		}
		added.Rows = append(added.Rows,
			[]string{kind + ": a node", ms(n.Late.at(50) - d.Late.at(50)), ms(n.Late.at(99) - d.Late.at(99))},
			[]string{kind + ": the link and the second node", ms(f.Late.at(50) - n.Late.at(50)), ms(f.Late.at(99) - n.Late.at(99))})
	}
	return []table{t, added}, nil
}
