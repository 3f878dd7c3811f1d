//go:build linux

package sfu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"

	"parley.link/parley/bench/media/light"
	"parley.link/parley/bench/media/serve"
	"parley.link/parley/internal/rtc"
)

// parley speaks to package serve.
type parley struct{ address string }

func (*parley) Version(context.Context) string { return "" }

type parleyPerson struct {
	base
	conn net.Conn
	say  func(serve.Message) error
}

func (p *parley) Join(ctx context.Context, l *light.Loop, s Seat) (Person, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	life, stop := context.WithCancel(context.Background())
	q := &parleyPerson{conn: conn}
	q.stop = stop
	var mu sync.Mutex
	out := json.NewEncoder(conn)
	q.say = func(m serve.Message) error {
		mu.Lock()
		defer mu.Unlock()
		return out.Encode(m)
	}
	answered := make(chan string, 1)
	q.wait.Go(func() { q.run(life, l, answered) })
	context.AfterFunc(life, func() { _ = conn.Close() })
	if err := q.enter(ctx, l, s, answered); err != nil {
		q.Close()
		return nil, fmt.Errorf("parley: %w", err)
	}
	return q, nil
}

func (q *parleyPerson) enter(ctx context.Context, l *light.Loop, s Seat, answered <-chan string) error {
	if err := q.say(serve.Message{Op: "join", Room: s.Room, ID: s.Name, Receive: s.Listen, Remote: s.Remote}); err != nil {
		return err
	}
	tracks := s.tracks()
	if len(tracks) == 0 {
		return nil
	}
	var err error
	if q.up, err = l.NewEnd(); err != nil {
		return err
	}
	offer := serve.Message{Op: "up", SDP: q.up.Offer(tracks)}
	for _, t := range tracks {
		offer.Tracks = append(offer.Tracks, rtc.TrackMid{Mid: t.Mid, Track: t.Name})
	}
	if err := q.say(offer); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return errors.Join(ctx.Err(), q.Err())
	case sdp := <-answered:
		return q.up.SetAnswer(sdp)
	}
}

// run takes what the server says until the connection ends.
func (q *parleyPerson) run(ctx context.Context, l *light.Loop, answered chan<- string) {
	in := json.NewDecoder(q.conn)
	var down *light.End
	for {
		var m serve.Message
		if err := in.Decode(&m); err != nil {
			if ctx.Err() == nil {
				q.fail(fmt.Errorf("parley: %w: %w", errGone, err))
			}
			return
		}
		var err error
		switch m.Op {
		case "up":
			answered <- m.SDP
		case "down":
			if down == nil {
				if down, err = l.NewEnd(); err == nil {
					q.down(down)
				}
			}
			var answer string
			if err == nil {
				answer, err = down.Answer(m.SDP)
			}
			if err == nil {
				err = q.say(serve.Message{Op: "answer", SDP: answer, Generation: m.Generation})
			}
		case "error":
			err = errors.New(m.Text)
		}
		if err != nil {
			q.fail(fmt.Errorf("parley: %w", err))
		}
	}
}

func (q *parleyPerson) Close() { q.close() }
