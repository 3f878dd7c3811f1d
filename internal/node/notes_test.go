package node

import (
	"testing"

	"parley.link/parley/internal/ledger"
)

func TestNotesHaveABound(t *testing.T) {
	n := newNotes()
	a, b := ledger.Side{1}, ledger.Side{2}
	passed := 0
	for i := range 1000 {
		if n.allow(a, [32]byte{1}, int64(i)) {
			passed++
		}
	}
	if passed != notesOfDevice {
		t.Fatal("of one device", passed)
	}
	for i := range 1000 {
		if n.allow(a, [32]byte{2, byte(i), byte(i >> 8)}, 999) {
			passed++
		}
	}
	if passed != notesOfSide {
		t.Fatal("of one side", passed)
	}
	if !n.allow(b, [32]byte{1}, 999) || !n.allow(a, [32]byte{1}, 1001) {
		t.Fatal("another side, or another second, is refused")
	}
}
