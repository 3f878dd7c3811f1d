package ledger

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// Book is every ledger of a node, and decides which unknown scopes may begin. It is owned by one goroutine.
type Book struct {
	host    Host
	ledgers map[Scope]*Ledger
}

// Scoped is an effect of one scope's ledger.
type Scoped struct {
	Scope  Scope
	Effect Effect
}

// NewBook makes an empty one.
func NewBook(h Host) *Book { return &Book{host: h, ledgers: map[Scope]*Ledger{}} }

func (b *Book) config(scope Scope) Config {
	c := b.host.Config
	c.Scope, c.Own, c.Key = scope, b.host.Own, b.host.Key
	return c
}

// Restore replays one scope from the store, at the start of the node or after Failed.
func (b *Book) Restore(s Saved, now int64) error {
	l, err := Replay(b.config(s.Scope), s, now)
	if err != nil {
		return err
	}
	b.ledgers[s.Scope] = l
	return nil
}

// Ledger is the ledger of a scope, nil if unknown.
func (b *Book) Ledger(scope Scope) *Ledger { return b.ledgers[scope] }

// Scopes lists the known scopes in a fixed order.
func (b *Book) Scopes() []Scope {
	out := make([]Scope, 0, len(b.ledgers))
	for s := range b.ledgers {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, c Scope) int { return bytes.Compare(a[:], c[:]) })
	return out
}

// Submit takes an act of an own client. An officer's plan begins an unknown scope.
func (b *Book) Submit(scope Scope, signed []byte, now int64) []Scoped {
	l := b.ledgers[scope]
	if l == nil {
		p, _ := parse(signed)
		err := b.host.Admit(b.host.Own, scope, signed, b.planned(now))
		if err != nil {
			return []Scoped{{scope, Answer{Act: p.id, Problem: asProblem(err)}}}
		}
		l = b.begin(scope)
	}
	out := scoped(scope, l.Submit(signed, now))
	b.prune(scope)
	return out
}

// Peer takes a frame of a scope from a side. Frames of an unknown scope are dropped, except a plan that may begin here.
func (b *Book) Peer(from Side, scope Scope, f *linkpb.LinkFrame, now int64) []Scoped {
	l := b.ledgers[scope]
	if l == nil {
		signed := introduction(f)
		if signed == nil || b.host.Admit(from, scope, signed, b.planned(now)) != nil {
			return nil
		}
		l = b.begin(scope)
	}
	out := scoped(scope, l.Peer(from, f, now))
	b.prune(scope)
	return out
}

// introduction is the plan act in a frame that may begin a scope: a forwarded plan, or entry 0.
func introduction(f *linkpb.LinkFrame) []byte {
	switch body := f.GetBody().(type) {
	case *linkpb.LinkFrame_Forward:
		return body.Forward.GetAct()
	case *linkpb.LinkFrame_Entry:
		var e act.Entry
		if canon.Decode(body.Entry.GetEntry(), &e) == nil && e.Index == 0 && e.From == act.ItemAct {
			return e.Item
		}
	}
	return nil
}

func (b *Book) planned(now int64) func(Side) int {
	return func(by Side) (n int) {
		for _, l := range b.ledgers {
			if s, ok := l.Planned(now); ok && s == by {
				n++
			}
		}
		return n
	}
}

func (b *Book) begin(scope Scope) *Ledger {
	l := New(b.config(scope))
	b.ledgers[scope] = l
	return l
}

// prune forgets a scope that did not begin after all.
func (b *Book) prune(scope Scope) {
	if l := b.ledgers[scope]; l != nil && len(l.log) == 0 && len(l.pending) == 0 && len(l.turns.held) == 0 {
		delete(b.ledgers, scope)
	}
}

// Heartbeat takes a whole heartbeat of a side.
func (b *Book) Heartbeat(from Side, h *linkpb.Heartbeat, now int64) []Scoped {
	heads := map[Scope]*linkpb.ScopeHead{}
	var out []Scoped
	for i, head := range h.GetHeads() {
		if i >= maxHeads || len(head.GetScope()) != act.ScopeSize {
			continue
		}
		scope := Scope(head.GetScope())
		heads[scope] = head
		if b.ledgers[scope] == nil && i < maxUnknown {
			if _, verified := b.host.Known(from); verified {
				out = append(out, Scoped{scope, ToPeer{from, frameFetch(scope, 0, 0)}})
			}
		}
	}
	for _, scope := range b.Scopes() {
		out = append(out, scoped(scope, b.ledgers[scope].Heartbeat(from, heads[scope], h.GetNow(), now))...)
	}
	return out
}

// Bounds of one heartbeat.
const (
	maxHeads   = 256
	maxUnknown = 16
)

// Heads are what this node's heartbeat to a side says.
func (b *Book) Heads(to Side, now int64) []*linkpb.ScopeHead {
	var out []*linkpb.ScopeHead
	for _, scope := range b.Scopes() {
		l := b.ledgers[scope]
		if l.peers[to] == nil || l.Resting(to, now) || len(out) >= maxHeads {
			continue
		}
		if h := l.Head(to); h != nil {
			out = append(out, h)
		}
	}
	return out
}

// Tick lets time pass in every scope.
func (b *Book) Tick(now int64) []Scoped {
	var out []Scoped
	for _, scope := range b.Scopes() {
		if l := b.ledgers[scope]; !l.Quiet(now) {
			out = append(out, scoped(scope, l.Tick(now))...)
		}
	}
	return out
}

// LinkUp tells every scope that the connection to a side is new.
func (b *Book) LinkUp(side Side, now int64) []Scoped {
	var out []Scoped
	for _, scope := range b.Scopes() {
		out = append(out, scoped(scope, b.ledgers[scope].LinkUp(side, now))...)
	}
	return out
}

// Persisted: see Ledger.Persisted.
func (b *Book) Persisted(scope Scope, token uint64) []Scoped {
	if l := b.ledgers[scope]; l != nil {
		return scoped(scope, l.Persisted(token))
	}
	return nil
}

// Failed drops the ledger; the driver loads the scope and calls Restore, if it has entries.
func (b *Book) Failed(scope Scope, token uint64, code problem.Code) []Scoped {
	l := b.ledgers[scope]
	if l == nil {
		return nil
	}
	delete(b.ledgers, scope)
	return scoped(scope, l.Failed(token, code))
}

func scoped(scope Scope, effects []Effect) []Scoped {
	out := make([]Scoped, 0, len(effects))
	for _, e := range effects {
		out = append(out, Scoped{scope, e})
	}
	return out
}
