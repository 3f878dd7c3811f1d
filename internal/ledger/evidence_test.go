package ledger

import (
	"testing"

	"parley.link/parley/internal/act"
)

// A sequencer that first holds back acts until there is no room for evidence must still be caught when it forks.
func TestEvidenceFull(t *testing.T) {
	seq := Side{2}
	l := New(Config{Own: Side{1}})
	for i := range 2 * maxEvidence {
		var named, stood bool
		l.overdue(seq, HeldBackAfter, &named, &stood, act.ID{byte(i)}, []byte{1}, int64(i))
	}
	if len(l.evidence) >= maxEvidence {
		t.Fatal("acts held back leave no room for the proof of a fork")
	}
	for len(l.evidence) < maxEvidence {
		l.evidence = append(l.evidence, Evidence{Kind: AlarmHeldBack, Of: seq})
	}
	l.caught(AlarmFork, seq, nil, nil, 0)
	if !l.halted[seq] {
		t.Fatal("a node whose fork could not be kept is followed on")
	}
}
