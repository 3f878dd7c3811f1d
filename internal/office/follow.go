// Package office is what an officer does from a command line that takes more than one request: it follows the log of a session, checked as
// every client checks it, rehearses a session with synthetic people, and begins a new term of the sequencer.
package office

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// ErrWait is returned when what was waited for did not come in time.
var ErrWait = errors.New("office: it did not come in time")

// askEvery keeps below what a node answers one officer, ten requests a second (package seat).
const askEvery = 150 * time.Millisecond

// Follower is an officer who reads what the node tells: the sessions, and of one of them the log and the votes.
type Follower struct {
	Office native.Office
	done   chan struct{}

	mu       sync.Mutex
	sessions []*signalpb.SessionInfo
	scope    []byte
	log      *native.Log
	caughtUp bool
	votes    [][]byte
	err      error
}

// Follow reads the officer's desk from here on. Close ends it, and the desk.
func Follow(o native.Office) *Follower {
	f := &Follower{Office: o, done: make(chan struct{}), sessions: o.Desk.Welcome.Sessions}
	go f.runRead()
	return f
}

// Close closes the desk and waits for its reader.
func (f *Follower) Close() {
	f.Office.Desk.Close()
	<-f.done
}

func (f *Follower) runRead() {
	defer close(f.done)
	for m := range f.Office.Desk.Pushes() {
		f.heed(m)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = errors.Join(native.ErrClosed, f.Office.Desk.Err())
	}
}

// heed takes one push. What cannot be true ends the belief in this log: nothing is agreed to on it any more.
func (f *Follower) heed(m *signalpb.ToClient) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := m.GetSessions(); s != nil {
		f.sessions = s.Sessions
	}
	if f.log == nil || f.err != nil {
		return
	}
	if e := m.GetEntries(); e != nil && bytes.Equal(e.Scope, f.scope) {
		for _, x := range e.Entries {
			if _, err := f.log.Entry(x); err != nil {
				f.err = fmt.Errorf("check the log: %w", err)
				return
			}
		}
		f.caughtUp = f.caughtUp || e.CaughtUp
	}
	if o := m.GetOutbox(); o != nil && bytes.Equal(o.Scope, f.scope) {
		f.err = f.log.Outbox(o.Items)
	}
	if h := m.GetHeads(); h != nil && bytes.Equal(h.Scope, f.scope) {
		f.err = f.log.Heads(h.Heads)
	}
	if r := m.GetRelay(); r != nil && r.Kind == "vote" && bytes.Equal(r.Scope, f.scope) {
		f.votes = append(f.votes, r.Payload)
		f.votes = f.votes[max(0, len(f.votes)-64):]
	}
}

// Watch reads a session's log from its beginning and returns when what there is was read.
func (f *Follower) Watch(ctx context.Context, scope []byte) error {
	if len(scope) != act.ScopeSize {
		return problem.New(problem.UnknownSession)
	}
	d := f.Office.Desk
	f.mu.Lock()
	f.scope, f.caughtUp, f.votes = scope, false, nil
	f.log = native.NewLog([32]byte(scope), d.Welcome.Side.Id, d.Challenge.Node, d.Welcome.Side.Delegation)
	f.mu.Unlock()
	_, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: scope, Want: true}}})
	if err != nil {
		return err
	}
	return f.Until(ctx, 30*time.Second, "the log", func(*session.State) (bool, error) { return f.caughtUp, nil })
}

// Until asks for a condition of the session again and again; an error ends it. The state is nil before Watch; it is only read within.
func (f *Follower) Until(ctx context.Context, most time.Duration, what string, done func(*session.State) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		ok, err := f.look(done)
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, ErrWait, ctx.Err())
		case <-tick.C:
		}
	}
}

func (f *Follower) look(done func(*session.State) (bool, error)) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return false, f.err
	}
	var st *session.State
	if f.log != nil {
		st = f.log.State
	}
	return done(st)
}

// state is a copy of the followed session, for use outside the lock.
func (f *Follower) state() (*session.State, error) {
	var st *session.State
	_, err := f.look(func(s *session.State) (bool, error) {
		if s != nil {
			st = s.Clone()
		}
		return true, nil
	})
	return st, err
}

// Sessions are the sessions as the node last told them.
func (f *Follower) Sessions() []*signalpb.SessionInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*signalpb.SessionInfo(nil), f.sessions...)
}

// votesFor are other sides' votes for this very term, the newest of each side.
func (f *Follower) votesFor(t act.Term) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	bySide := map[string][]byte{}
	for _, v := range f.votes {
		var s act.Signed
		var a act.Act
		var b act.Term
		if canon.Decode(v, &s) != nil || canon.Decode(s.Act, &a) != nil || a.Kind != act.KindTerm || canon.Decode(a.Body, &b) != nil {
			continue
		}
		if b.Term == t.Term && b.After == t.After && bytes.Equal(b.Hash, t.Hash) && bytes.Equal(b.Sequencer, t.Sequencer) && !bytes.Equal(a.Side, f.Office.Author.Side) {
			bySide[string(a.Side)] = v
		}
	}
	var all [][]byte
	for _, v := range bySide {
		all = append(all, v)
	}
	return all
}

// Peer finds the other side by its name or the beginning of its id; empty is the only one. Its link must be up, or come up in time.
func (f *Follower) Peer(ctx context.Context, with string, most time.Duration) (act.PlanSide, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		r, err := f.Office.List(ctx)
		if err != nil {
			return act.PlanSide{}, err
		}
		var up []act.PlanSide
		for _, l := range r.Links {
			if p, err := native.PeerIntroduction(l); err == nil && l.State == "up" && isSide(p, with) {
				up = append(up, p)
			}
		}
		switch len(up) {
		case 0:
		case 1:
			return up[0], nil
		default:
			return act.PlanSide{}, fmt.Errorf("links with more than one side are up, name one: %w", problem.New(problem.TooMany, "what", "links"))
		}
		select {
		case <-ctx.Done():
			return act.PlanSide{}, fmt.Errorf("no link is up: %w", problem.New(problem.LinkLost))
		case <-time.After(2 * askEvery):
		}
	}
}

func isSide(p act.PlanSide, named string) bool {
	if named == "" || fmt.Sprintf("%x", p.ID) == named || len(named) >= 8 && bytes.HasPrefix([]byte(fmt.Sprintf("%x", p.ID)), []byte(named)) {
		return true
	}
	for _, n := range p.Name {
		if n == named {
			return true
		}
	}
	return false
}
