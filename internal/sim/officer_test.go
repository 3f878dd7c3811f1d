package sim

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
)

// officer is a person who agrees to what the other side proposes and wants to go on after every interruption.
type officer struct {
	n     *node
	which int // device 0 or 1
	busy  int64
}

func (s *sim) officers(which int) {
	for _, n := range s.nodes {
		o := &officer{n: n, which: which}
		s.after(s.between(50, 250), o.look)
	}
}

func (o *officer) look() {
	s := o.n.s
	s.after(s.between(200, 400), o.look)
	if !o.n.up || o.n.ledger() == nil || s.now < o.busy {
		return
	}
	st := o.n.state()
	newest := uint64(0)
	suspensions := st.Suspensions()
	for _, x := range suspensions {
		newest = max(newest, x.Index)
	}
	open := false
	for _, p := range st.Proposals() {
		if p.Done || p.Kind == act.KindResume && len(suspensions) > 0 && p.Index <= newest {
			continue
		}
		mine := false
		for _, side := range p.Consents {
			mine = mine || bytes.Equal(side, o.n.side.ID)
		}
		if !mine {
			o.submit(act.KindConsent, act.Consent{To: p.ID})
			return
		}
		open = true
	}
	if st.Phase() == session.PhaseSuspended && !open {
		o.submit(act.KindResume, act.Resume{})
	}
}

func (o *officer) submit(k act.Kind, body any) act.ID {
	s := o.n.s
	signed := s.w.Officer(o.n.side, o.which, k, body)
	id := act.IDOf(signed.Act)
	o.busy = s.now + 1000
	gen := o.n.gen
	o.n.submit(act.Encode(signed), id, func(a ledger.Answer) {
		if a.Problem != nil {
			s.log("officer %d %s refused: %v", o.n.index, k, a.Problem)
		}
		if o.n.gen == gen {
			o.busy = s.now + 300
		}
	})
	return id
}

// plan starts the session on the first side's or another's node.
func (s *sim) plan(by int) {
	seats := s.w.Plan()
	seen := map[string]bool{}
	for _, c := range s.people {
		if !seen[c.person.ID] {
			seen[c.person.ID] = true
			seats.Format.Seats = append(seats.Format.Seats, act.Seat{Side: c.person.Side.ID, Person: c.person.ID, Role: c.person.Role})
		}
	}
	n := s.nodes[by]
	signed := s.w.Officer(n.side, 0, act.KindPlan, seats)
	n.submit(act.Encode(signed), act.IDOf(signed.Act), func(a ledger.Answer) {
		if a.Problem != nil {
			s.fail("plan refused: %v", a.Problem)
		}
	})
}

// kinds counts the acts of a node's log by kind, and fails on an act that is there twice.
func (n *node) kinds() map[act.Kind]int {
	out, seen := map[act.Kind]int{}, map[act.ID]bool{}
	for _, e := range n.disk.Entries {
		for _, signed := range actsIn(e.Bytes) {
			var a act.Act
			_ = canon.Decode(signed.Act, &a)
			out[a.Kind]++
			if id := act.IDOf(signed.Act); seen[id] {
				n.s.fail("act %x is in the log twice", id[:4])
			} else {
				seen[id] = true
			}
		}
	}
	return out
}

func actsIn(entry []byte) []act.Signed {
	var e act.Entry
	if canon.Decode(entry, &e) != nil {
		return nil
	}
	item := e.Item
	if e.From == act.ItemOutbox {
		var so act.SignedOutbox
		var o act.Outbox
		if canon.Decode(e.Item, &so) != nil || canon.Decode(so.Item, &o) != nil {
			return nil
		}
		item = o.Act
	}
	var signed act.Signed
	if canon.Decode(item, &signed) != nil {
		return nil
	}
	return []act.Signed{signed}
}
