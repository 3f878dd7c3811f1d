//go:build linux

package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/rtc"
)

// Config says where to listen.
type Config struct {
	Control string // TCP host:port of the signalling
	UDP     string // host:port of media

	Party string // "a" or "b": which end of the link; empty: no link
	Link  string // UDP host:port of the own end
	Peer  string // of the other end, if this one dials
}

// Server is rooms over one engine.
type Server struct {
	engine *rtc.Engine
	bond   *bond // nil: no link

	mu     sync.Mutex
	people map[string]map[*person]struct{} // by room
	wait   sync.WaitGroup
}

// Run serves until ctx ends. ready is called once everything listens; link is nil without one.
func Run(ctx context.Context, c Config, ready func(control, link net.Addr)) error {
	s := &Server{people: map[string]map[*person]struct{}{}}
	var err error
	if s.engine, err = rtc.New(rtc.Config{UDP: c.UDP, Loopback: true, Log: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	defer s.engine.Close()
	if c.Party != "" {
		if s.bond, err = newBond(s, c); err != nil {
			return err
		}
		s.wait.Go(func() { s.bond.run(ctx) })
	}
	l, err := net.Listen("tcp", c.Control)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	var own net.Addr
	if s.bond != nil {
		own = s.bond.endpoint.Addr()
	}
	ready(l.Addr(), own)
	for {
		conn, err := l.Accept()
		if err != nil {
			s.wait.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("serve: %w", err)
		}
		s.wait.Go(func() { s.runPerson(ctx, conn) })
	}
}

// person is one connection of the signalling and its participant.
type person struct {
	s       *Server
	room    string
	receive bool
	remote  []string
	rtc     *rtc.Participant
	ups     map[string]*forward.UpTrack // guarded by Server.mu

	mu  sync.Mutex
	out *json.Encoder
}

func (p *person) say(m Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.out.Encode(m) // a connection that is gone ends in runPerson
}

func (s *Server) runPerson(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	in := json.NewDecoder(bufio.NewReader(conn))
	var m Message
	if in.Decode(&m) != nil || m.Op != "join" {
		return
	}
	p := &person{s: s, room: m.Room, receive: m.Receive, remote: m.Remote, ups: map[string]*forward.UpTrack{}, out: json.NewEncoder(conn)}
	var err error
	p.rtc, err = s.engine.NewParticipant(m.ID, rtc.Handlers{
		UpTrack: p.upTrack, UpTrackEnd: p.upTrackEnd, DownOffer: p.downOffer, State: func(rtc.Which, rtc.State) {},
	})
	if err != nil {
		p.say(Message{Op: "error", Text: err.Error()})
		return
	}
	s.enter(p)
	defer s.leave(p)
	for {
		m = Message{}
		if in.Decode(&m) != nil {
			return
		}
		if err := p.take(ctx, m); err != nil {
			p.say(Message{Op: "error", Text: err.Error()})
		}
	}
}

func (p *person) take(ctx context.Context, m Message) error {
	switch m.Op {
	case "up":
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		answer, err := p.rtc.HandleUpOffer(ctx, m.SDP, m.Tracks)
		if err != nil {
			return err
		}
		p.say(Message{Op: "up", SDP: answer})
		return nil
	case "answer":
		if err := p.rtc.HandleDownAnswer(m.SDP, m.Generation); err != nil && !errors.Is(err, rtc.ErrStale) {
			return err
		}
		return nil
	default:
		return fmt.Errorf("serve: no op %q", m.Op)
	}
}

func (p *person) downOffer(o rtc.Offer) {
	p.say(Message{Op: "down", SDP: o.SDP, Generation: o.Generation, Tracks: o.Tracks})
}

func (p *person) upTrack(track string, up *forward.UpTrack) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.ups[track] = up
	p.s.apply(p.room)
	if p.s.bond != nil {
		p.s.bond.serve()
	}
}

func (p *person) upTrackEnd(track string, up *forward.UpTrack) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.ups[track] == up {
		delete(p.ups, track)
		p.s.apply(p.room)
	}
}

func (s *Server) enter(p *person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.people[p.room] == nil {
		s.people[p.room] = map[*person]struct{}{}
	}
	s.people[p.room][p] = struct{}{}
	s.apply(p.room)
}

func (s *Server) leave(p *person) {
	s.mu.Lock()
	delete(s.people[p.room], p)
	s.apply(p.room)
	s.mu.Unlock()
	p.rtc.Close()
}

// apply sets everybody's list. Called with mu held; SetDown only takes note.
func (s *Server) apply(room string) {
	for p := range s.people[room] {
		if !p.receive {
			continue
		}
		var list []*forward.UpTrack
		for q := range s.people[room] {
			if p == q {
				continue
			}
			for _, up := range q.ups {
				list = append(list, up)
			}
		}
		if s.bond != nil {
			list = append(list, s.bond.fetch(p.remote)...)
		}
		slices.SortFunc(list, func(a, b *forward.UpTrack) int { return strings.Compare(a.ID(), b.ID()) }) // sections in one order for all
		p.rtc.SetDown(list)
	}
}

// find is a local track of that name. Called with mu held.
func (s *Server) find(track string) *forward.UpTrack {
	for _, room := range s.people {
		for p := range room {
			if up := p.ups[track]; up != nil {
				return up
			}
		}
	}
	return nil
}
