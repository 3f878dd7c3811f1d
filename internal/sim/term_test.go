package sim

import (
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

func sigPB(side, sig []byte) []*signalpb.NodeSig {
	return []*signalpb.NodeSig{{Side: side, Signature: sig}}
}

// termBody is a new term with the given sequencer, after the end of a node's log.
func (s *sim) termBody(n *node, to *node) act.Term {
	term, next, hash := n.state().Head()
	return act.Term{Term: term + 1, Sequencer: to.side.ID, After: next - 1, Hash: hash[:], Others: [][]byte{}}
}

func (s *sim) submitTerm(n *node, body act.Term) *problem.Error {
	signed := s.w.Officer(n.side, 0, act.KindTerm, body)
	var got *problem.Error
	answered := false
	n.submit(act.Encode(signed), act.IDOf(signed.Act), func(a ledger.Answer) { got, answered = a.Problem, true })
	s.runUntil(500, func() bool { return answered })
	if !answered {
		return problem.New(problem.Internal, "what", "no-answer")
	}
	return got
}

func (s *sim) stop(n *node) {
	signed := s.w.Officer(n.side, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer})
	n.submit(act.Encode(signed), act.IDOf(signed.Act), func(ledger.Answer) {})
	s.run(200)
}

func votesFor(n *node, body act.Term) [][]byte {
	var out [][]byte
	for _, v := range n.ledger().Votes() {
		var signed act.Signed
		var a act.Act
		var t act.Term
		if canon.Decode(v, &signed) == nil && canon.Decode(signed.Act, &a) == nil && canon.Decode(a.Body, &t) == nil &&
			t.After == body.After && string(t.Sequencer) == string(body.Sequencer) && string(a.Side) != string(n.side.ID) {
			out = append(out, v)
		}
	}
	return out
}

// TestNewTerm: an officer of every side, one exact point, a new sequencer; the old one steps down and its people go on.
func TestNewTerm(t *testing.T) {
	for _, sides := range []int{2, 3} {
		s := newSim(t, 21, sides, 6)
		s.trace = testing.Verbose()
		s.plan(0)
		s.officers(0)
		for _, c := range s.people {
			c.open()
		}
		s.must(t, "meet", 5000, nil)
		s.net.loss = 0.1
		to := s.nodes[1]
		body := s.termBody(to, to)
		for _, n := range s.nodes {
			if n != to {
				if p := s.submitTerm(n, body); p != nil {
					t.Fatalf("vote of side %d: %v", n.index, p)
				}
			}
		}
		// The old sequencer promised: nothing more is ordered, also after a crash.
		s.nodes[0].kill()
		s.nodes[0].start()
		late := s.w.Officer(s.nodes[0].side, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer})
		s.nodes[0].submit(act.Encode(late), act.IDOf(late.Act), func(ledger.Answer) {})
		s.run(1000)
		if n := uint64(len(s.nodes[0].disk.Entries)); n != body.After+1 {
			t.Fatalf("the old sequencer ordered beyond its promise: %d", n)
		}
		if s.runUntil(3000, func() bool { return len(votesFor(to, body)) == sides-1 }) < 0 {
			t.Fatal("votes did not arrive")
		}
		whole := body
		whole.Others = votesFor(to, body)
		if p := s.submitTerm(to, whole); p != nil {
			t.Fatal(p)
		}
		s.net.loss = 0
		s.must(t, "new term", 8000, nil)
		s.done(t, nil)
		if string(s.nodes[0].state().Sequencer()) != string(to.side.ID) {
			t.Fatal("old sequencer still in office")
		}
		if k := s.nodes[0].kinds(); k[act.KindTerm] != 1 || k[act.KindSuspend] == 0 {
			t.Fatal("what the old sequencer's side put in its outbox must be ordered by the new one", k)
		}
		s.people[0].reload()
		s.run(20)
		s.must(t, "a join in the new term", 5000, nil)
	}
}

// TestTermRefused: a vote for another point than the end of the own log, a rival, a whole without all votes.
func TestTermRefused(t *testing.T) {
	s := meeting(t, 3, 3)
	s.stop(s.nodes[0])
	s.run(3000)
	v, q := s.nodes[0], s.nodes[1]
	stale := s.termBody(v, q)
	stale.After--
	if p := s.submitTerm(v, stale); p == nil || p.Code != problem.OutOfOrder {
		t.Fatal(p)
	}
	skip := s.termBody(v, q)
	skip.Term++
	if p := s.submitTerm(v, skip); p == nil || p.Code != problem.OutOfOrder {
		t.Fatal(p)
	}
	lo, hi := s.nodes[0], s.nodes[0]
	for _, n := range s.nodes {
		if string(n.side.ID) < string(lo.side.ID) {
			lo = n
		}
		if string(n.side.ID) > string(hi.side.ID) {
			hi = n
		}
	}
	if p := s.submitTerm(v, s.termBody(v, hi)); p != nil {
		t.Fatal(p)
	}
	if p := s.submitTerm(v, s.termBody(v, lo)); p != nil {
		t.Fatal("down is allowed", p)
	}
	if p := s.submitTerm(v, s.termBody(v, hi)); p == nil || p.Code != problem.AlreadyDone {
		t.Fatal("and up is not", p)
	}
	whole := s.termBody(q, q)
	whole.Others = [][]byte{act.Encode(s.w.Officer(v.side, 0, act.KindTerm, s.termBody(q, q)))}
	if p := s.submitTerm(q, whole); p == nil || p.Code != problem.NotInForce {
		t.Fatal("a term without every side")
	}
}
