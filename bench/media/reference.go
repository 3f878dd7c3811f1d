//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"parley.link/parley/bench/media/bare"
)

// bareRound runs every way of the bare loop once, each in a process of its own on the servers' core.
func (c *config) bareRound(ctx context.Context, r *results) error {
	if r.Bare == nil {
		r.Bare = make([][]bare.Result, len(bare.Ways))
	}
	s, err := newSession(c.host)
	if err != nil {
		return err
	}
	defer s.close()
	for i, w := range bare.Ways {
		out, err := c.bareWay(ctx, s, w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Title, err)
		}
		r.Bare[i] = append(r.Bare[i], out)
		fmt.Printf("bare loop: %-48s %5s CPU s/M · %.0f packets/s\n", w.Title, digits(out.CPU), out.Rate)
	}
	return nil
}

func (c *config) bareWay(ctx context.Context, s *session, w bare.Way) (out bare.Result, err error) {
	sinks, err := s.loop.NewSinks(bare.Receivers, w.Coalesce)
	if err != nil {
		return out, err
	}
	defer sinks.Close()
	var to []string
	for _, a := range sinks.Addrs() {
		to = append(to, a.String())
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", fmt.Sprint(c.serverC), c.self, "-bare", w.Name, fmt.Sprint(min(c.window.Seconds()/2, 3)), strings.Join(to, ","))
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(b, &out)
}
