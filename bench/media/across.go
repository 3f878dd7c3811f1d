//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"parley.link/parley/bench/media/serve"
	"parley.link/parley/bench/media/sfu"
)

const behindLink = 50

// across is a fan-out through two nodes: the publisher's node, the link, the node of all subscribers.
type across struct {
	One, Many float64 // share of a core that the publisher's node used with one subscriber behind the link, and with all
	Far       figure  // of the subscribers' node
}

func (a across) line() string {
	return fmt.Sprintf("publisher's node %.2f %% of a core with 1 subscriber, %.2f %% with %d; the other node %s", 100*a.One, 100*a.Many, behindLink, a.Far.line())
}

// across starts two nodes on the servers' core and measures the first with one subscriber at the second, and with fifty.
func (c *config) across(ctx context.Context) (a across, err error) {
	host := c.host.String()
	at := func(port string) string { return net.JoinHostPort(host, port) }
	origin := &target{id: own, kind: "parley", name: "Parley, publisher's node", address: at("7460"),
		command: c.ownCommand(host, "7460", "7461", "-party", "a", "-link", at("7462"))}
	far := &target{id: own, kind: "parley", name: "Parley, subscribers' node", address: at("7470"),
		command: c.ownCommand(host, "7470", "7471", "-party", "b", "-link", at("7472"), "-peer", at("7462"))}
	first, err := origin.start(ctx, c.serverC)
	if err != nil {
		return a, err
	}
	defer first.stop()
	second, err := far.start(ctx, c.serverC)
	if err != nil {
		return a, err
	}
	defer second.stop()
	s, err := newSession(c.host)
	if err != nil {
		return a, err
	}
	defer s.close()

	speaker := sfu.Seat{Room: "room", Name: "speaker", Audio: true, Video: true}
	if err := s.join(ctx, first, []sfu.Seat{speaker}); err != nil {
		return a, err
	}
	var seats []sfu.Seat
	for i := range behindLink {
		seats = append(seats, sfu.Seat{
			Room: "room", Name: fmt.Sprintf("l%d", i), Listen: true,
			Remote: []string{serve.Track(speaker.Name, "audio"), serve.Track(speaker.Name, "video")},
		})
	}
	for _, step := range []struct {
		seats []sfu.Seat
		busy  *float64
	}{{seats[:1], &a.One}, {seats[1:], &a.Many}} {
		if err := s.join(ctx, second, step.seats); err != nil {
			return a, err
		}
		if err := s.flows(ctx, 2*(len(s.people)-1)); err != nil {
			return a, err
		}
		time.Sleep(settle)
		before, err := cpu(first.pid)
		if err != nil {
			return a, err
		}
		began := time.Now()
		if a.Far, err = s.window(ctx, second.pid, c.serverC, len(s.people)-1, c.window); err != nil {
			return a, err
		}
		after, err := cpu(first.pid)
		if err != nil {
			return a, err
		}
		*step.busy = (after - before) / time.Since(began).Seconds()
	}
	return a, nil
}
