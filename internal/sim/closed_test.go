package sim

import (
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
)

// TestClosedIsQuiet: ten minutes after the close nobody speaks of a session; a node that was away when it was closed, and comes back after
// an hour, still learns of it, and then it is quiet again.
func TestClosedIsQuiet(t *testing.T) {
	s := meeting(t, 2, 2)
	signed := s.w.Officer(s.nodes[1].side, 0, act.KindClose, act.Close{})
	s.nodes[1].submit(act.Encode(signed), act.IDOf(signed.Act), func(ledger.Answer) {})
	// The officer on the other side agrees; node 1 dies before it hears that this is ordered.
	for i := 0; s.nodes[0].state().Phase() != session.PhaseClosed; i++ {
		if i > 3000 {
			t.Fatal("not closed")
		}
		s.run(1)
	}
	s.net.setCut(0, 1, true)
	s.nodes[1].kill()
	s.run(3_600_000)
	if h := s.nodes[0].book.Heads(s.nodes[1].id, s.nodes[0].clock()); len(h) != 0 {
		t.Fatal("still spoken of")
	}
	s.net.setCut(0, 1, false)
	s.nodes[1].start()
	if s.nodes[1].state().Phase() == session.PhaseClosed {
		t.Fatal("it knew")
	}
	if s.runUntil(5000, func() bool { return s.nodes[1].state().Phase() == session.PhaseClosed }) < 0 {
		t.Fatal("never told that the session is closed")
	}
	s.run(2000)
	for i, n := range s.nodes {
		if h := n.book.Heads(s.nodes[1-i].id, n.clock()); len(h) != 0 {
			t.Fatalf("node %d speaks of it again: %v", i, h)
		}
	}
	if s.broken != "" {
		t.Fatal(s.broken)
	}
}
