package node

import (
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/wire/signalpb"
)

// Sizes of one Entries message.
const (
	batchEntries = 64
	batchBytes   = 512 << 10
)

// watcher is one device that follows a log. Its fields are guarded by its scope's mu.
type watcher struct {
	to       seat.Watcher
	officer  bool
	next     uint64
	caughtUp bool // was told so; from then on it gets what is new
}

func (w *watcher) known(s *scope) uint64 {
	_, next, _ := s.led.State().Head()
	return next
}

// pump sends what is durable from w.next on, while there is room. A device that reads slowly gets the rest with the next tick.
func (w *watcher) pump(s *scope) {
	for w.to.Room() {
		entries := s.led.Entries(w.next)
		if len(entries) == 0 && w.caughtUp {
			return
		}
		m := &signalpb.Entries{Scope: s.id[:], Now: s.env.clock.now()}
		size := 0
		for _, e := range entries {
			if len(m.Entries) == batchEntries || size+len(e.Bytes) > batchBytes && size > 0 {
				break
			}
			size += len(e.Bytes)
			m.Entries = append(m.Entries, entryPB(e))
		}
		w.next += uint64(len(m.Entries))
		m.CaughtUp = len(m.Entries) == len(entries)
		w.to.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Entries{Entries: m}})
		if !m.CaughtUp {
			continue
		}
		if !w.caughtUp {
			w.caughtUp = true
			w.more(s, ledger.ToClients{Outbox: s.led.Outbox(), Heads: s.led.Counters(), Votes: s.led.Votes()})
		}
		return
	}
}

// more sends what stands beside the entries: own items in effect and not ordered, other nodes' heads, officers' votes.
func (w *watcher) more(s *scope, e ledger.ToClients) {
	if len(e.Outbox) > 0 {
		w.to.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Outbox{Outbox: &signalpb.OutboxItems{Scope: s.id[:], Items: e.Outbox}}})
	}
	if len(e.Heads) > 0 {
		h := &signalpb.Heads{Scope: s.id[:]}
		for _, x := range e.Heads {
			h.Heads = append(h.Heads, &signalpb.Head{Side: x.Side[:], Head: x.Head, Signature: x.Sig})
		}
		w.to.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Heads{Heads: h}})
	}
	if !w.officer {
		return
	}
	for _, v := range e.Votes {
		w.to.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Relay{Relay: &signalpb.Relay{Scope: s.id[:], Side: s.env.own[:], Kind: "vote", Payload: v}}})
	}
}

func entryPB(e ledger.Entry) *signalpb.Entry {
	out := &signalpb.Entry{Entry: e.Bytes}
	for _, n := range e.Sigs {
		out.Signatures = append(out.Signatures, &signalpb.NodeSig{Side: n.Side, Signature: n.Sig})
	}
	return out
}

// watch starts following from an index.
func (s *scope) watch(to seat.Watcher, officer bool, from uint64) (stop func()) {
	w := &watcher{to: to, officer: officer, next: from}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := uint64(len(s.led.Entries(0))); w.next > n {
		w.next = n // a client that knows more than its node was told so by somebody; it will see the truth from here
	}
	s.watchers[w] = true
	w.pump(s)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}
