package sim

import (
	"bytes"
	"slices"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
)

// liar is a node with the true key of its side that does to the link what it likes: it withholds, repeats what it once said, says to one what it does
// not say to another, and signs two things for one place. Its own engine and its own people are of no interest.
type liar struct {
	n      *node
	on     bool
	mood   [4]float64 // withhold, repeat, forge, boast
	said   []*linkpb.LinkFrame
	forged int
}

// lie makes a node a liar until the faults are over.
func (s *sim) lie(n *node) *liar {
	l := &liar{n: n}
	for i := range l.mood {
		if s.chance(0.6) {
			l.mood[i] = s.rng.Float64() * 0.5
		}
	}
	s.liar = l
	n.tamper = func(_ *node, f *linkpb.LinkFrame) *linkpb.LinkFrame {
		if !l.on {
			return f
		}
		if len(l.said) < 512 {
			l.said = append(l.said, f)
		}
		switch {
		case s.chance(l.mood[0]):
			return nil
		case s.chance(l.mood[1]):
			return l.said[s.rng.IntN(len(l.said))]
		case s.chance(l.mood[2]):
			return l.forge(f)
		}
		return f
	}
	n.boast = func(h *linkpb.Heartbeat) {
		for _, x := range h.Heads {
			if !l.on || !s.chance(l.mood[3]) {
				continue
			}
			switch s.rng.IntN(3) {
			case 0:
				x.NextIndex += uint64(s.rng.IntN(3))
			case 1:
				x.NextOutbox += uint64(s.rng.IntN(3))
			case 2:
				x.Hash = bytes.Repeat([]byte{7}, 32)
			}
		}
	}
	return l
}

// forge says something else for the same place, signed with the node's key.
func (l *liar) forge(f *linkpb.LinkFrame) *linkpb.LinkFrame {
	key, scope := l.n.side.Node, l.n.s.scope
	switch b := f.GetBody().(type) {
	case *linkpb.LinkFrame_Entry:
		var e act.Entry
		if canon.Decode(b.Entry.GetEntry(), &e) != nil || e.Index == 0 {
			return f
		}
		if e.At += l.n.s.between(1, 3); l.n.s.chance(0.3) {
			e.Item = act.Encode(l.n.s.w.Join(l.n.side.Person("ghost", "adviser"), "ghost leaf"))
			e.From = act.ItemAct
		}
		raw := act.Encode(e)
		hash := act.Hash(raw)
		sig := key.Sign(act.ContextHead, session.HeadAfter(scope[:], e.Term, e.Index, hash[:]))
		l.forged++
		return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: scope[:], Entry: raw, Signatures: sigPB(l.n.side.ID, sig)}}}
	case *linkpb.LinkFrame_Outbox:
		var so act.SignedOutbox
		var o act.Outbox
		if canon.Decode(b.Outbox.GetItem(), &so) != nil || canon.Decode(so.Item, &o) != nil {
			return f
		}
		o.At++
		item := act.Encode(o)
		l.forged++
		raw := act.Encode(act.SignedOutbox{Item: item, Sig: key.Sign(act.ContextOutbox, item)})
		return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Outbox{Outbox: &linkpb.OutboxPush{Scope: scope[:], Item: raw}}}
	case *linkpb.LinkFrame_Countersign:
		var h act.Head
		if canon.Decode(b.Countersign.GetHead(), &h) != nil {
			return f
		}
		h.Hash = bytes.Repeat([]byte{9}, 32)
		head := act.Encode(h)
		l.forged++
		return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Countersign{Countersign: &linkpb.Countersign{Scope: scope[:], Head: head, Signature: key.Sign(act.ContextHead, head)}}}
	}
	return f
}

// TestSeedsWithALiar is TestSeeds with one node that lies, besides everything else that goes wrong. What must hold is about the honest nodes: each
// keeps one log, shows its people nothing else, loses nothing that it acknowledged, holds nothing that the rules refuse, and accuses no honest node
// unless honest logs differ, which takes the liar's signature twice and is found by both. Where the liar signed nothing false, all must
// be well again when it stops.
func TestSeedsWithALiar(t *testing.T) {
	n := *seeds / 4
	if testing.Short() {
		n = min(n, 40)
	}
	first, last := uint64(5001), uint64(5000+n)
	if *oneSeed > 5000 {
		first, last = *oneSeed, *oneSeed
	}
	total, forged, forks := map[ledger.AlarmKind]int{}, 0, 0
	for seed := first; seed <= last && !t.Failed(); seed++ {
		s := runLiar(t, seed, first == last)
		for k, v := range s.alarms {
			total[k] += v
		}
		forged += s.liar.forged
		if s.forked() {
			forks++
		}
	}
	t.Logf("%d seeds; %d forgeries, honest logs forked %d times; alarms %v", last-first+1, forged, forks, total)
}

func runLiar(t *testing.T, seed uint64, trace bool) *sim {
	sides := 2 + int(seed%2)
	s := newSim(t, seed, sides, 3+int(seed*5%6))
	s.trace = trace
	for _, n := range s.nodes {
		n.skew = s.between(-600, 600)
	}
	who := s.rng.IntN(sides)
	if seed%3 == 0 {
		who = 0 // the sequencer, who can do most
	}
	l := s.lie(s.nodes[who])
	s.officers(int(seed % 2))
	s.plan(int(seed) % sides)
	for _, c := range s.people {
		s.after(s.between(0, 1500), c.open)
	}
	s.net.loss, s.net.dup, s.net.delay = s.rng.Float64()*0.1, s.rng.Float64()*0.1, s.between(5, 100)
	s.after(s.between(2000, 6000), func() { l.on = true })
	revoked := s.faults(20_000)
	s.run(20_000)
	l.on = false
	s.heal()
	s.run(6000)
	if s.broken == "" && l.forged == 0 && s.runUntil(bound, func() bool { return s.settled(revoked) == "" }) < 0 {
		s.fail("the liar signed nothing false and stopped, and it is not well: %s", s.settled(revoked))
	}
	if l.forged == 0 {
		s.finish(revoked)
	}
	for i := 0; i < 50 && slices.ContainsFunc(s.nodes, func(n *node) bool { return len(n.writes) > 0 }); i++ {
		s.run(1) // what is decided is on disk
	}
	s.finishHonest(revoked)
	if s.broken != "" {
		t.Errorf("seed %d: %s\n  run again: go test ./internal/sim -run TestSeedsWithALiar -sim.seed=%d -v", seed, s.broken, seed)
	}
	return s
}

func (s *sim) honest() (out []*node) {
	for _, n := range s.nodes {
		if s.liar == nil || n != s.liar.n {
			out = append(out, n)
		}
	}
	return out
}

// forked says whether two honest nodes hold different entries at one place.
func (s *sim) forked() bool {
	h := s.honest()
	for i, n := range h {
		for _, o := range h[:i] {
			for k := range min(len(n.disk.Entries), len(o.disk.Entries)) {
				if n.disk.Entries[k].Hash != o.disk.Entries[k].Hash {
					return true
				}
			}
		}
	}
	return false
}

func (s *sim) finishHonest(revoked map[string]bool) {
	if s.broken != "" {
		return
	}
	forked, proven := s.forked(), false
	for _, n := range s.honest() {
		n.kinds()
		saved := n.disk
		cfg := n.host().Config
		cfg.Scope, cfg.Own, cfg.Key = s.scope, n.id, n.side.Node.Public()
		again, err := ledger.Replay(cfg, saved, n.clock())
		if err != nil || !bytes.Equal(again.State().Summary(), n.state().Summary()) {
			s.fail("the log of node %d does not replay: %v", n.index, err)
			return
		}
		for _, e := range n.ledger().Evidence() {
			if e.Kind != ledger.AlarmFork && e.Kind != ledger.AlarmRules {
				continue
			}
			if e.Of == s.liar.n.id {
				proven = true
			} else if !forked {
				s.fail("node %d accuses an honest one of %s", n.index, e.Kind)
			}
		}
		for _, m := range n.state().Present() {
			if m.Person == "v-ghost" || m.Person == "q-ghost" || m.Person == "t-ghost" {
				s.fail("a ghost in the roster of node %d", n.index)
			}
			if revoked[m.Person] && bytes.Equal(m.Side, n.side.ID) {
				s.fail("%s is revoked and present on its own node", m.Person)
			}
		}
		for _, c := range s.people {
			if _, next, hash := c.st.Head(); c.n == n && next > 0 && (next > uint64(len(n.disk.Entries)) || n.disk.Entries[next-1].Hash != hash) {
				s.fail("%s was shown another log than its node's", c.person.ID)
			}
		}
	}
	if forked && !proven {
		s.fail("honest logs differ and nobody holds the proof")
	}
	for id, a := range s.ackedBy {
		if log := a.n.disk.Entries; a.index >= uint64(len(log)) || !holds(log[a.index], id) {
			s.fail("act %x, acknowledged by node %d, is not at %d", id[:4], a.n.index, a.index)
		}
	}
}

type ack struct {
	n     *node
	index uint64
}
