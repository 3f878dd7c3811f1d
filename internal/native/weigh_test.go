package native

import (
	"testing"
	"time"
)

func TestAttestations(t *testing.T) {
	var a attestations
	mine := belief{"g", 4, "tree", "x"}
	a.enter(mine)
	a.hear("early", belief{"g", 5, "tree", "y"})
	a.hear("same", mine)
	a.hear("other", belief{"g", 4, "another tree", "x"})
	for join, want := range map[string]says{"same": agrees, "other": differs, "early": awaited, "nobody": awaited} {
		if got := a.of(join); got != want {
			t.Errorf("%s: %v, want %v", join, got, want)
		}
	}
	// The second word about one epoch, of whatever kind, convicts its author and changes nothing of the first.
	a.hear("same", belief{"g", 4, "another tree", "x"})
	a.hear("other", mine)
	a.hear("early", belief{"g", 5, "tree", "y"})
	if !a.proven["same"] || !a.proven["other"] || a.proven["early"] || a.of("same") != agrees || a.of("other") != differs {
		t.Errorf("proven: %v", a.proven)
	}
	// What was said of an epoch before is over; what was said early of this one counts.
	a.enter(belief{"g", 5, "tree", "y"})
	a.hear("same", mine)
	if a.of("early") != agrees || a.of("same") != awaited {
		t.Error("an earlier epoch's word counts")
	}
}

// While nobody can tell who lies nothing leaves, and it goes on when all agree; a split is for good.
func TestDoubtAndForkSilence(t *testing.T) {
	e := epochSwitch{}
	now := time.Now()
	e.next(1, nil, false, now)
	if !e.due(now) {
		t.Fatal("does not send")
	}
	if !e.halt(true) || e.due(now) {
		t.Error("sends in doubt")
	}
	if !e.halt(false) || !e.due(now) {
		t.Error("does not go on")
	}
}
