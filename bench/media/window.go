//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// count is the state of all counters at a moment.
type count struct {
	at            time.Time
	cpu, own      float64 // seconds
	core          float64 // of the servers' core, by everybody
	sent, refused uint64
	got           uint64
}

func (s *session) count(pid, core int) (c count, err error) {
	s.loop.Do(func() {
		for _, src := range s.sources {
			c.sent += src.Packets
			c.refused += src.Refused
		}
		for _, t := range s.streams() {
			c.got += t.Packets
		}
		c.cpu, err = cpu(pid)
		c.core = coreBusy(core)
		c.at = time.Now()
	})
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	c.own = float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	return c, err
}

// window measures for so long. receivers is to how many people each sent packet goes.
func (s *session) window(ctx context.Context, pid, core, receivers int, long time.Duration) (f figure, err error) {
	a, err := s.count(pid, core)
	if err != nil {
		return f, err
	}
	s.loop.Do(s.loop.Begin)
	select {
	case <-ctx.Done():
		return f, ctx.Err()
	case <-time.After(long):
	}
	var late []int32
	s.loop.Do(func() { late, f.Bad = s.loop.End() })
	b, err := s.count(pid, core)
	if err != nil {
		return f, err
	}
	took := b.at.Sub(a.at).Seconds()
	got, due := float64(b.got-a.got), float64(b.sent-a.sent)*float64(receivers)
	if got == 0 || due == 0 {
		return f, fmt.Errorf("nothing was forwarded")
	}
	if len(late) == 0 {
		return f, fmt.Errorf("%.0f packets came, but none that was looked into was what had been sent (%d were not)", got, f.Bad)
	}
	f.CPU = (b.cpu - a.cpu) / got * 1e6
	f.Busy = (b.cpu - a.cpu) / took
	f.Others = max(0, (b.core-a.core)/took-f.Busy)
	f.Own = (b.own - a.own) / took
	f.Rate = got / took
	f.Sent = float64(b.sent-a.sent) / took
	f.Loss = max(0, 1-got/due)
	f.P50, f.P95, f.P99 = percentile(late, 50), percentile(late, 95), percentile(late, 99)
	f.Profile = s.profile
	return f, nil
}
