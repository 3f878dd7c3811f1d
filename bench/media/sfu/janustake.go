//go:build linux

package sfu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket/wsjson"

	"parley.link/parley/bench/media/light"
)

// run takes what the server says until the socket ends.
func (p *janusPerson) run(ctx context.Context) {
	defer p.conn.CloseNow()
	for {
		var m janusMessage
		if err := wsjson.Read(ctx, p.conn, &m); err != nil {
			if ctx.Err() == nil {
				p.fail(fmt.Errorf("janus: %w: %w", errGone, err))
			}
			return
		}
		p.asking.Lock()
		c := p.waits[m.Transaction]
		p.asking.Unlock()
		switch {
		case m.Transaction != "" && c != nil:
			c <- m
		case m.Janus == "event" && m.Sender == p.feeder:
			p.hear(m)
		case m.Janus == "hangup":
			p.fail(errors.New("janus: the server hung up"))
		}
	}
}

// runTake receives the feeds: the first makes the connection, later ones are added to it, one negotiation at a time.
func (p *janusPerson) runTake(ctx context.Context, l *light.Loop) {
	var e *light.End
	for {
		select {
		case <-ctx.Done():
			return
		case ids := <-p.feeds:
			if err := p.takeFeeds(ctx, l, &e, ids); err != nil && ctx.Err() == nil {
				p.fail(fmt.Errorf("janus: %w", err))
			}
		}
	}
}

func (p *janusPerson) takeFeeds(ctx context.Context, l *light.Loop, e **light.End, ids []uint64) (err error) {
	var streams []jmap
	for _, id := range ids {
		streams = append(streams, jmap{"feed": id})
	}
	body := jmap{"request": "update", "subscribe": streams}
	if *e == nil {
		if *e, err = l.NewEnd(); err != nil {
			return err
		}
		p.down(*e)
		if p.taker, err = p.attach(ctx); err != nil {
			return err
		}
		body = jmap{"request": "join", "ptype": "subscriber", "room": p.room, "streams": streams}
	}
	m, err := p.tell(ctx, p.taker, body, nil)
	if err != nil {
		return err
	}
	if m.Jsep == nil {
		return nil // nothing new
	}
	sdp, err := (*e).Answer(m.Jsep.SDP)
	if err != nil {
		return err
	}
	_, err = p.tell(ctx, p.taker, jmap{"request": "start"}, jmap{"type": "answer", "sdp": sdp})
	return err
}

func (p *janusPerson) runKeep(ctx context.Context) {
	t := time.NewTicker(keepJanus)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = writeWhole(ctx, p.conn, jmap{"janus": "keepalive", "session_id": p.session, "transaction": token(8)})
		}
	}
}

func (p *janusPerson) Close() { p.close() }
