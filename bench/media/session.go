//go:build linux

package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"
	"sync"
	"time"

	"parley.link/parley/bench/media/light"
	"parley.link/parley/bench/media/sfu"
)

const (
	joinTime   = 60 * time.Second
	joinAtOnce = 4
	settle     = 1500 * time.Millisecond
)

// session is the load on one server: a loop, people, sources.
type session struct {
	loop   *light.Loop
	stop   context.CancelFunc
	wait   sync.WaitGroup
	people []sfu.Person

	mu      sync.Mutex
	sources []*light.Source
	profile string
}

func newSession(host netip.Addr) (*session, error) {
	l, err := light.NewLoop(host)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &session{loop: l, stop: stop}
	s.wait.Go(func() { l.Run(ctx) })
	return s, nil
}

// join seats people, a few at a time; those who publish begin at once.
func (s *session) join(ctx context.Context, a sfu.Adapter, seats []sfu.Seat) error {
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	return atOnce(joinAtOnce, len(seats), func(i int) error {
		seat := seats[i]
		p, err := a.Join(ctx, s.loop, seat)
		if err != nil {
			return fmt.Errorf("%s joins: %w", seat.Name, err)
		}
		s.mu.Lock()
		s.people = append(s.people, p)
		s.mu.Unlock()
		if p.Up() == nil {
			return nil
		}
		profile, err := p.Up().Stood(ctx)
		if err != nil {
			return fmt.Errorf("%s publishes: %w", seat.Name, err)
		}
		src := s.loop.Publish(p.Up(), phase(seat.Name))
		s.mu.Lock()
		s.sources, s.profile = append(s.sources, src), profile
		s.mu.Unlock()
		return nil
	})
}

// phase spreads sources over the time of a frame, the same way in every round.
func phase(name string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return float64(h.Sum32()%997) / 997
}

// atOnce calls f for 0 to n-1, so many at a time, and returns the first error.
func atOnce(limit, n int, f func(int) error) error {
	var wait sync.WaitGroup
	places, failed := make(chan struct{}, limit), make(chan error, n)
	for i := range n {
		places <- struct{}{}
		if len(failed) > 0 {
			break
		}
		wait.Go(func() {
			defer func() { <-places }()
			if err := f(i); err != nil {
				failed <- err
			}
		})
	}
	wait.Wait()
	close(failed)
	return <-failed
}

// flows waits until so many streams have come in all.
func (s *session) flows(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	for {
		have := 0
		s.loop.Do(func() {
			for _, t := range s.streams() {
				if t.Packets > 0 {
					have++
				}
			}
		})
		if have >= want {
			return nil
		}
		for _, p := range s.people {
			if err := p.Err(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d streams came: %s", have, want, s.states())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// states counts how far the receiving connections have come.
func (s *session) states() string {
	n := map[string]int{}
	for _, p := range s.people {
		if len(p.Downs()) == 0 {
			n["nothing offered"]++
		}
		for _, e := range p.Downs() {
			n[e.State()]++
		}
	}
	return fmt.Sprint(n)
}

func (s *session) streams() (all []*light.Stream) {
	for _, p := range s.people {
		for _, e := range p.Downs() {
			all = append(all, e.Streams()...)
		}
	}
	return all
}

func (s *session) close() {
	_ = atOnce(16, len(s.people), func(i int) error { s.people[i].Close(); return nil })
	s.stop()
	s.wait.Wait()
}
