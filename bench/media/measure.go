//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley.link/parley/bench/media/light"
)

// wavesApart is between two people of a room who publish.
const wavesApart = 400 * time.Millisecond

// maxSteps bounds a ramp: fifteen per cent a step are a hundredfold by then.
const maxSteps = 32

// measure runs one scenario on a fresh server, or on the running one.
func (c *config) measure(ctx context.Context, t *target, sc scenario) (f figure, err error) {
	srv, err := t.start(ctx, c.serverC)
	if err != nil {
		return f, err
	}
	defer srv.stop()
	s, err := newSession(c.host)
	if err != nil {
		return f, err
	}
	defer s.close()
	time.Sleep(300 * time.Millisecond) // the server's start is not the scenario's
	before := resident(srv.pid)
	if err := c.gather(ctx, s, srv, sc, &before); err != nil {
		return f, err
	}
	f, err = s.window(ctx, srv.pid, c.serverC, sc.receivers(), c.window)
	if err != nil {
		return f, err
	}
	people := sc.rooms * sc.listen
	if sc.listen == 0 {
		people = sc.rooms * sc.publish
	}
	f.Memory = (resident(srv.pid) - before) / float64(people)
	return f, nil
}

// gather brings everybody in and waits for every stream. In a fan-out the memory of the publisher is no subscriber's: before is taken anew.
func (c *config) gather(ctx context.Context, s *session, srv *server, sc scenario, before *float64) error {
	publishers, listeners := sc.seats()
	for wave := range slices.Chunk(publishers, sc.rooms) {
		if err := s.join(ctx, srv, wave); err != nil {
			return err
		}
		// People of one room do not come within a few milliseconds of each other. (Galène collects a newcomer's tracks for 200 ms and then offers
		// them to those who were there when the first came.)
		time.Sleep(wavesApart)
	}
	if len(listeners) > 0 {
		time.Sleep(600 * time.Millisecond)
		*before = resident(srv.pid)
		if err := s.join(ctx, srv, listeners); err != nil {
			return err
		}
	}
	if err := s.flows(ctx, len(listeners)*sc.streams(true)+len(publishers)*sc.streams(sc.listen == 0)); err != nil {
		return err
	}
	time.Sleep(settle)
	return nil
}

// ramp raises the rate of a fan-out to 100 until one core forwards no more, and gives the step that forwarded most.
func (c *config) ramp(ctx context.Context, t *target) (best figure, err error) {
	sc := scenarios[3]
	srv, err := t.start(ctx, c.serverC)
	if err != nil {
		return best, err
	}
	defer srv.stop()
	s, err := newSession(c.host)
	if err != nil {
		return best, err
	}
	defer s.close()
	var before float64
	if err := c.gather(ctx, s, srv, sc, &before); err != nil {
		return best, err
	}
	rate := light.VideoBitrate
	for step, worse := 0, 0; worse < 2 && step < maxSteps; step++ {
		f, err := s.window(ctx, srv.pid, c.serverC, sc.receivers(), max(c.window/4, time.Second))
		if err != nil {
			return best, err
		}
		fmt.Printf("    %5.1f Mbit/s: %6.0f packets/s, core %3.0f %%, load generator %3.0f %%, lost %.1f %%\n",
			rate/1e6, f.Rate, 100*f.Busy, 100*f.Own, 100*f.Loss)
		if f.Rate > best.Rate {
			best = f
		}
		if f.Rate < best.Rate && f.Busy > 0.9 || f.Own > 0.97 || f.Loss > 0.2 { // past the best, or the load generator's own limit
			worse++
		}
		grow := 1.15
		if f.Busy < 0.9 {
			grow = min(1.6, max(1.15, 0.95/max(f.Busy, 0.1)))
		}
		rate *= grow
		s.loop.Do(func() { s.sources[0].SetBitrate(rate) })
		time.Sleep(500 * time.Millisecond)
	}
	return best, nil
}
