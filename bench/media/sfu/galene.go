//go:build linux

package sfu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley.link/parley/bench/media/light"
)

// galene speaks Galène's protocol, version 2 (galene-protocol.md): JSON over a WebSocket, one connection per stream. The group "bench" must
// let anybody in and allow subgroups; rooms are its subgroups.
type galene struct{ address string }

// GaleneGroup is the description of the group that the adapter uses (groups/bench.json).
const GaleneGroup = `{"wildcard-user": {"password": {"type": "wildcard"}, "permissions": "present"}, "allow-subgroups": true, "auto-subgroups": true, "codecs": ["vp8", "opus"]}`

func (*galene) Version(context.Context) string { return "" }

type galeneMessage struct {
	Type      string          `json:"type"`
	Kind      string          `json:"kind,omitempty"`
	Version   []string        `json:"version,omitempty"`
	ID        string          `json:"id,omitempty"`
	Error     string          `json:"error,omitempty"`
	Group     string          `json:"group,omitempty"`
	Username  string          `json:"username,omitempty"`
	Password  string          `json:"password,omitempty"`
	Request   any             `json:"request,omitempty"`
	Label     string          `json:"label,omitempty"`
	SDP       string          `json:"sdp,omitempty"`
	Source    string          `json:"source,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
	Candidate *struct {
		Candidate string `json:"candidate"`
	} `json:"candidate,omitempty"`
}

type galenePerson struct {
	base
	conn   *websocket.Conn
	stream string                // of up
	ends   map[string]*light.End // by stream; only used by run
}

func (g *galene) Join(ctx context.Context, l *light.Loop, s Seat) (Person, error) {
	conn, _, err := websocket.Dial(ctx, "ws://"+g.address+"/ws", nil)
	if err != nil {
		return nil, fmt.Errorf("galene: %w", err)
	}
	conn.SetReadLimit(8 << 20)
	life, stop := context.WithCancel(context.Background())
	p := &galenePerson{conn: conn, ends: map[string]*light.End{}, stream: token(16)}
	p.stop = stop
	joined, answered := make(chan error, 1), make(chan error, 1)
	if tracks := s.tracks(); len(tracks) > 0 {
		if p.up, err = l.NewEnd(); err != nil {
			stop()
			return nil, err
		}
	}
	p.wait.Go(func() { p.run(life, l, joined, answered) })
	if err := p.enter(ctx, s, joined, answered); err != nil {
		p.Close()
		return nil, fmt.Errorf("galene: %w", err)
	}
	return p, nil
}

func (p *galenePerson) enter(ctx context.Context, s Seat, joined, answered <-chan error) error {
	hello := []galeneMessage{
		{Type: "handshake", Version: []string{"2"}, ID: token(16)},
		{Type: "join", Kind: "join", Group: "bench/" + s.Room, Username: s.Name, Password: "any"},
	}
	for _, m := range hello {
		if err := wsjson.Write(ctx, p.conn, m); err != nil {
			return err
		}
	}
	if err := p.await(ctx, joined); err != nil {
		return err
	}
	if s.Listen {
		all := map[string][]string{"": {"audio", "video"}}
		if err := wsjson.Write(ctx, p.conn, galeneMessage{Type: "request", Request: all}); err != nil {
			return err
		}
	}
	if p.up == nil {
		return nil
	}
	offer := galeneMessage{Type: "offer", ID: p.stream, Label: "camera", SDP: p.up.Offer(s.tracks())}
	if err := wsjson.Write(ctx, p.conn, offer); err != nil {
		return err
	}
	return p.await(ctx, answered)
}

func (p *galenePerson) await(ctx context.Context, said <-chan error) error {
	select {
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.Err())
	case err := <-said:
		return err
	}
}

// run takes what the server says until the socket ends.
func (p *galenePerson) run(ctx context.Context, l *light.Loop, joined, answered chan<- error) {
	defer p.conn.CloseNow()
	for {
		var m galeneMessage
		if err := wsjson.Read(ctx, p.conn, &m); err != nil {
			if ctx.Err() == nil {
				p.fail(fmt.Errorf("galene: %w: %w", errGone, err))
			}
			return
		}
		if err := p.take(ctx, l, m, joined, answered); err != nil {
			p.fail(fmt.Errorf("galene: %s: %w", m.Type, err))
		}
	}
}

func (p *galenePerson) take(ctx context.Context, l *light.Loop, m galeneMessage, joined, answered chan<- error) error {
	switch m.Type {
	case "ping":
		return wsjson.Write(ctx, p.conn, galeneMessage{Type: "pong"})
	case "joined":
		switch m.Kind {
		case "join":
			joined <- nil
		case "fail":
			joined <- fmt.Errorf("join refused: %s %s", m.Error, m.Value)
		}
	case "answer":
		if p.up != nil && m.ID == p.stream {
			answered <- p.up.SetAnswer(m.SDP)
		}
	case "offer":
		e := p.ends[m.ID]
		if e == nil {
			var err error
			if e, err = l.NewEnd(); err != nil {
				return err
			}
			p.ends[m.ID] = e
			p.down(e)
		}
		sdp, err := e.Answer(m.SDP)
		if err != nil {
			return err
		}
		return wsjson.Write(ctx, p.conn, galeneMessage{Type: "answer", ID: m.ID, SDP: sdp})
	case "close": // the same id may be offered again, as another connection
		if e := p.ends[m.ID]; e != nil {
			delete(p.ends, m.ID)
			p.drop(e)
		}
	case "ice":
		e := p.ends[m.ID]
		if m.ID == p.stream {
			e = p.up
		}
		if e != nil && m.Candidate != nil {
			e.AddCandidate(strings.TrimPrefix(m.Candidate.Candidate, "a="))
		}
	case "abort":
		return fmt.Errorf("the server ends a stream")
	case "usermessage":
		if m.Kind == "error" {
			return fmt.Errorf("the server says %s", m.Value)
		}
	}
	return nil
}

func (p *galenePerson) Close() { p.close() }
