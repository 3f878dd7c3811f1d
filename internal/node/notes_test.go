package node

import (
	"testing"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
)

func TestNotesHaveABound(t *testing.T) {
	n := newNotes()
	a, b := ledger.Side{1}, ledger.Side{2}
	g := session.GroupView{ID: []byte{7}, Epoch: 3}
	passed := 0
	for i := range 1000 {
		if n.allow(a, [32]byte{1}, g, int64(i)) {
			passed++
		}
	}
	if passed != notesOfDevice {
		t.Fatal("of one device", passed)
	}
	for i := range 1000 {
		if n.allow(a, [32]byte{2, byte(i), byte(i >> 8)}, g, 999) {
			passed++
		}
	}
	if passed != notesOfSide {
		t.Fatal("of one side", passed)
	}
	next := session.GroupView{ID: g.ID, Epoch: g.Epoch + 1}
	if n.allow(a, [32]byte{1}, g, 999) || !n.allow(a, [32]byte{1}, next, 999) {
		t.Fatal("who comes and goes takes the next epoch's ready away")
	}
	if !n.allow(b, [32]byte{1}, g, 999) || !n.allow(a, [32]byte{1}, g, 1001) {
		t.Fatal("another side, or another second, is refused")
	}
}
