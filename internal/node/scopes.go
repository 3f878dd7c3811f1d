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
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

// Bounds on sessions. A peer can propose plans; it cannot fill this node with them.
const (
	maxScopes    = 4096
	maxOpenPlans = 32 // not agreed, at once
)

// scopes are all logs of this node.
type scopes struct {
	env      *scopeEnv
	verified func(side ledger.Side) bool // there is a verified link card of it
	hub      *seat.Hub
	nodeKey  []byte
	refusals seen

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

// begin makes the scope of a plan that nobody has proposed here yet. The plan must name this side with this node, and other
// sides whose cards were compared by hand: a plan cannot introduce anybody.
func (c *scopes) begin(id ledger.Scope, a act.Act) (*scope, error) {
	if a.Kind != act.KindPlan {
		return nil, problem.New(problem.UnknownSession)
	}
	var plan act.Plan
	if err := canon.Decode(a.Body, &plan); err != nil {
		return nil, problem.New(problem.PlanInvalid, "what", "plan")
	}
	here := false
	for _, sd := range plan.Sides {
		if bytes.Equal(sd.ID, c.env.own[:]) {
			cert, _, err := ident.Open[ident.NodeCert](sd.Node)
			here = err == nil && bytes.Equal(cert.Key, c.nodeKey)
			continue
		}
		if len(sd.ID) != 32 || !c.verified(ledger.Side(sd.ID)) {
			return nil, problem.New(problem.LinkNotVerified, "side", hex.EncodeToString(sd.ID))
		}
	}
	if !here {
		return nil, problem.New(problem.PlanInvalid, "what", "own-node")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.all[id]; s != nil {
		return s, nil
	}
	open := 0
	for _, s := range c.all {
		s.mu.Lock()
		if s.phase == session.PhaseNone || s.phase == session.PhasePlanned {
			open++
		}
		s.mu.Unlock()
	}
	if open >= maxOpenPlans || len(c.all) >= maxScopes {
		return nil, problem.New(problem.TooMany, "what", "plans")
	}
	s := newScope(c.env, id)
	s.phase = session.PhaseNone
	c.all[id] = s
	return s, nil
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
		if s, err = c.begin(id, a); err != nil {
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
	if s == nil || !s.member(from[:], r.Device) {
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
		if to := c.hub.Of(device); to != nil {
			to.Push(m)
		}
	}
}

// frame takes a frame of the ledger's from a side.
func (c *scopes) frame(from ledger.Side, f *linkpb.LinkFrame) {
	raw, a, ok := scopeOf(f)
	if !ok {
		return
	}
	id := ledger.Scope(raw)
	s, fresh := c.of(id), false
	if s == nil {
		if a == nil {
			return
		}
		var err error
		if s, err = c.begin(id, *a); err != nil {
			if c.refusals.first(string(from[:])+string(problem.CodeOf(err)), time.Now()) {
				c.env.note("plan-refused", id, string(problem.CodeOf(err))+" from side "+short(from))
			}
			return
		}
		fresh = true
	}
	s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect { return l.Peer(from, f, now) })
	if fresh {
		c.dropEmpty(s)
	}
}

// scopeOf reads which scope a frame is about and, where it could be a plan, the act in it.
func scopeOf(f *linkpb.LinkFrame) (id []byte, a *act.Act, ok bool) {
	var signed []byte
	switch b := f.GetBody().(type) {
	case *linkpb.LinkFrame_Forward:
		id, signed = b.Forward.GetScope(), b.Forward.GetAct()
	case *linkpb.LinkFrame_Entry:
		id = b.Entry.GetScope()
		var e act.Entry
		if canon.Decode(b.Entry.GetEntry(), &e) == nil && e.Index == 0 && e.From == act.ItemAct {
			signed = e.Item
		}
	case *linkpb.LinkFrame_Refused:
		id = b.Refused.GetScope()
	case *linkpb.LinkFrame_Outbox:
		id = b.Outbox.GetScope()
	case *linkpb.LinkFrame_Countersign:
		id = b.Countersign.GetScope()
	case *linkpb.LinkFrame_Fetch:
		id = b.Fetch.GetScope()
	default:
		return nil, nil, false
	}
	if len(id) != 32 {
		return nil, nil, false
	}
	var sig act.Signed
	var one act.Act
	if len(signed) > 0 && canon.Decode(signed, &sig) == nil && canon.Decode(sig.Act, &one) == nil && one.Kind == act.KindPlan && bytes.Equal(one.Scope, id) {
		a = &one
	}
	return id, a, true
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

// heads is what this node's next heartbeat says to a side.
func (c *scopes) heads(to ledger.Side) []*linkpb.ScopeHead {
	var out []*linkpb.ScopeHead
	for _, s := range c.list() {
		s.read(func(l *ledger.Ledger) {
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
