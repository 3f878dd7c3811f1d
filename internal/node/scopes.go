package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"sort"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

// maxScopes bounds the logs of this node, of all sides and times. A peer's plans have their own quota (ledger.MaxPlanned).
const maxScopes = 4096

// scopes are all logs of this node.
type scopes struct {
	env  *scopeEnv
	host func() ledger.Host // who this node is and whom it knows
	hub  *seat.Hub

	refusals *limit.Window
	notes    notes

	mu  sync.Mutex
	all map[ledger.Scope]*scope
}

func (c *scopes) load(ctx context.Context) error {
	ids, err := c.env.store.Scopes(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		s, err := restore(ctx, c.env, id)
		if err != nil {
			return fmt.Errorf("resume session %s: %w", short(id), err)
		}
		c.all[id] = s
		s.mu.Lock()
		s.settle() // media follows from the first moment
		s.mu.Unlock()
	}
	return nil
}

func (c *scopes) of(id ledger.Scope) *scope {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[id]
}

func (c *scopes) list() []*scope {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*scope, 0, len(c.all))
	for _, s := range c.all {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return bytes.Compare(out[i].id[:], out[j].id[:]) < 0 })
	return out
}

// begin makes the scope of a plan that nobody has proposed here yet, if this node admits it from that side (own: our officers).
func (c *scopes) begin(from ledger.Side, id ledger.Scope, signed []byte) (*scope, error) {
	if err := c.host().Admit(from, id, signed, c.planned); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.all[id]; s != nil {
		return s, nil
	}
	if len(c.all) >= maxScopes {
		return nil, problem.New(problem.TooMany, "what", "plans")
	}
	s := newScope(c.env, id)
	s.phase = session.PhaseNone
	c.all[id] = s
	return s, nil
}

// planned counts the logs that a side planned here and nobody agreed to.
func (c *scopes) planned(by ledger.Side) (n int) {
	now := c.env.clock.now()
	for _, s := range c.list() {
		s.read(func(l *ledger.Ledger) {
			if side, ok := l.Planned(now); ok && side == by {
				n++
			}
		})
	}
	return n
}

// dropEmpty forgets a scope that came to nothing: its plan was refused.
func (c *scopes) dropEmpty(s *scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.led.State().Phase() == session.PhaseNone && len(s.waiting) == 0 && len(s.watchers) == 0 {
		delete(c.all, s.id)
	}
}

// List implements seat.Sessions.
func (c *scopes) List(d seat.Device) []*signalpb.SessionInfo {
	var out []*signalpb.SessionInfo
	for _, s := range c.list() {
		if i, ok := s.info(); ok && s.may(d) {
			out = append(out, i)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].From < out[j].From })
	return out
}

// Watch implements seat.Sessions.
func (c *scopes) Watch(d seat.Device, id [32]byte, from uint64, to seat.Watcher) (func(), error) {
	s := c.of(id)
	if s == nil {
		return nil, problem.New(problem.UnknownSession)
	}
	if !s.may(d) {
		return nil, problem.New(problem.NotSeated)
	}
	return s.watch(to, d.Officer(), from), nil
}

// Submit implements seat.Sessions.
func (c *scopes) Submit(d seat.Device, id [32]byte, signed []byte, f func([]byte, uint64, error)) {
	var sig act.Signed
	var a act.Act
	if canon.Decode(signed, &sig) != nil || canon.Decode(sig.Act, &a) != nil {
		f(nil, 0, problem.New(problem.Malformed, "what", "act"))
		return
	}
	actID := act.IDOf(sig.Act)
	s, fresh := c.of(id), false
	if s == nil {
		if !d.Officer() {
			f(actID[:], 0, problem.New(problem.UnknownSession))
			return
		}
		var err error
		if s, err = c.begin(c.env.own, id, signed); err != nil {
			f(actID[:], 0, err)
			return
		}
		fresh = true
	}
	if !s.may(d) {
		f(actID[:], 0, problem.New(problem.NotSeated))
		return
	}
	s.submit(actID, signed, f)
	if fresh {
		c.dropEmpty(s)
	}
}

// Relay implements seat.Sessions: to every other member here, and once to each other node.
func (c *scopes) Relay(d seat.Device, id [32]byte, r *signalpb.Relay) error {
	s := c.of(id)
	if s == nil {
		return problem.New(problem.UnknownSession)
	}
	if !s.member(c.env.own[:], d.Key[:]) {
		return problem.New(problem.NotJoined)
	}
	c.spread(s, r)
	for _, side := range s.peers() {
		c.env.send(side, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Relay{Relay: r}})
	}
	return nil
}

// relayed takes a note from another node: only of a live member of that very side, and only for own people (split horizon).
func (c *scopes) relayed(from ledger.Side, r *signalpb.Relay) {
	if len(r.GetScope()) != 32 || len(r.GetDevice()) != 32 || len(r.GetPayload()) > seat.MaxRelay || !seat.RelayKinds[r.GetKind()] {
		return
	}
	s := c.of(ledger.Scope(r.Scope))
	if s == nil || !s.member(from[:], r.Device) || !c.notes.allow(from, [32]byte(r.Device), s.group(), c.env.clock.now()) {
		return
	}
	c.spread(s, &signalpb.Relay{Scope: r.Scope, Side: from[:], Device: r.Device, Kind: r.Kind, Payload: r.Payload})
}

func (c *scopes) spread(s *scope, r *signalpb.Relay) {
	m := &signalpb.ToClient{Body: &signalpb.ToClient_Relay{Relay: r}}
	for device := range s.live() {
		if bytes.Equal(device[:], r.Device) {
			continue
		}
		if to := c.hub.Of(device); to != nil && to.Room() { // a note is said again; a device that reads slowly must not be ended by it
			to.Push(m)
		}
	}
}

// frame takes a frame of the ledger's from a side.
func (c *scopes) frame(from ledger.Side, f *linkpb.LinkFrame) {
	raw, plan, ok := scopeOf(f)
	if !ok {
		return
	}
	id := ledger.Scope(raw)
	s, fresh := c.of(id), false
	if s == nil {
		if plan == nil {
			return
		}
		var err error
		if s, err = c.begin(from, id, plan); err != nil {
			c.refuse(from, id, plan, err)
			return
		}
		fresh = true
	}
	s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect { return l.Peer(from, f, now) })
	if fresh {
		c.dropEmpty(s)
	}
}

// refuse answers a plan that may not begin here, and notes it: one line a minute for each side and reason, since a peer may say it
// without end.
func (c *scopes) refuse(from ledger.Side, id ledger.Scope, plan []byte, err error) {
	code := problem.CodeOf(err)
	if code == problem.UnknownSession {
		return // no plan: an act of a log that this node does not know, or no longer. It must not end for that.
	}
	if c.refusals.Allow(string(from[:])+string(code), time.Now()) {
		c.env.note("plan-refused", id, string(code)+" from side "+short(from))
	}
	var sig act.Signed
	if canon.Decode(plan, &sig) != nil {
		return
	}
	actID := act.IDOf(sig.Act)
	c.env.send(from, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Refused{Refused: &linkpb.RefusedAct{Scope: id[:], ActId: actID[:], Code: string(code)}}})
}

// scopeOf reads which scope a frame is about and the signed act in it that could be a plan for an unknown scope.
func scopeOf(f *linkpb.LinkFrame) (id, plan []byte, ok bool) {
	switch b := f.GetBody().(type) {
	case *linkpb.LinkFrame_Forward:
		id, plan = b.Forward.GetScope(), b.Forward.GetAct()
	case *linkpb.LinkFrame_Entry:
		id = b.Entry.GetScope()
		var e act.Entry
		if canon.Decode(b.Entry.GetEntry(), &e) == nil && e.Index == 0 && e.From == act.ItemAct {
			plan = e.Item
		}
	case *linkpb.LinkFrame_Refused:
		id = b.Refused.GetScope()
	case *linkpb.LinkFrame_Outbox:
		id = b.Outbox.GetScope()
	case *linkpb.LinkFrame_Countersign:
		id = b.Countersign.GetScope()
	case *linkpb.LinkFrame_Fetch:
		id = b.Fetch.GetScope()
	}
	return id, plan, len(id) == 32
}

// heard takes a heartbeat: of every scope with that side, what the peer holds of it.
func (c *scopes) heard(from ledger.Side, h *linkpb.Heartbeat) {
	heads := map[ledger.Scope]*linkpb.ScopeHead{}
	for _, x := range h.GetHeads() {
		if len(x.GetScope()) == 32 {
			heads[ledger.Scope(x.Scope)] = x
		}
	}
	for _, s := range c.list() {
		head := heads[s.id]
		s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect { return l.Heartbeat(from, head, h.GetNow(), now) })
	}
}

// heads is what this node's next heartbeat says to a side: nothing of sessions that were closed 10 minutes ago.
func (c *scopes) heads(to ledger.Side) []*linkpb.ScopeHead {
	var out []*linkpb.ScopeHead
	now := c.env.clock.now()
	for _, s := range c.list() {
		s.read(func(l *ledger.Ledger) {
			if l.Resting(to, now) {
				return
			}
			for _, p := range peersOf(l.State(), c.env.own) {
				if p == to {
					if h := l.Head(to); h != nil {
						out = append(out, h)
					}
				}
			}
		})
	}
	return out
}

func short(id [32]byte) string { return hex.EncodeToString(id[:4]) }
func full(id [32]byte) string  { return hex.EncodeToString(id[:]) }
