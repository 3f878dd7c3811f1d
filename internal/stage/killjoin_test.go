package stage

import (
	"fmt"
	"testing"
	"time"
)

// kill -9 while somebody joins: whatever of join, commit and Welcome was under way, everybody ends in one epoch, on one log.
func TestKilledDuringJoin(t *testing.T) {
	const people = 5
	s := summit(t, people)
	rng := seed(t)
	var actors []*actor
	for _, sd := range s.Sides {
		actors = append(actors, enter(t, s, sd, sd.Cast.People[0]))
	}
	wait(t, 30*time.Second, agree(actors))
	for i := 1; i < people; i++ {
		for j, victim := range s.Sides {
			joiner := s.Sides[(i+j)%2]
			key, acc, err := joiner.Enrol(t.Context(), joiner.Cast.People[i])
			if err != nil {
				t.Fatal(err)
			}
			entered := time.Now()
			actors = append(actors, perform(t, s, joiner, joiner.Cast.People[i], key, acc))
			moment := time.Duration(rng.IntN(700)) * time.Millisecond
			time.Sleep(moment)
			if err := victim.Node.Kill(); err != nil {
				t.Fatal(err)
			}
			restarted := time.Now()
			if err := victim.Node.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			reopen(t, victim)
			wait(t, 20*time.Second, all(actors, func(a *actor) string {
				if f := a.Facts(); !f.Joined {
					return a.person.ID + " has not joined: " + f.Problem
				}
				return ""
			}))
			resumed := goOn(t, s, actors)
			wait(t, 30*time.Second, whileOn(t, s, actors, &resumed, oneEpoch(actors)))
			t.Logf("%s killed %v after %s began to join: all in one epoch %v after the restart, %v after the join began", victim.Cast.ID, moment,
				joiner.Cast.People[i].ID, time.Since(restarted).Round(time.Millisecond), time.Since(entered).Round(time.Millisecond))
			if took := time.Since(restarted); took > backWithin && resumed == 0 { // what officers take is theirs
				t.Errorf("%s: one epoch only after %v", victim.Cast.ID, took)
			}
			// Notes are not kept by nodes: an attestation that a kill swallowed is heard with the next, 8 s later.
			wait(t, 30*time.Second, whileOn(t, s, actors, &resumed, agree(actors)))
		}
	}
	resumed := 0
	wait(t, 30*time.Second, whileOn(t, s, actors, &resumed, all(actors, func(a *actor) string { return a.perceives(actors) })))
	r := sameRecord(t, s, nil)
	t.Logf("%d entries: %v", len(r.bytes), r.kinds)
}

// oneEpoch complains unless everybody holds the keys of one epoch with everybody in it, and sends.
func oneEpoch(actors []*actor) func() string {
	return func() string {
		first := actors[0].Facts()
		for _, a := range actors {
			if f := a.Facts(); f.Members != len(actors) || f.Epoch != first.Epoch || !f.Keyed {
				return fmt.Sprintf("%s: %+v, first: %+v", a.person.ID, f, first)
			}
		}
		return ""
	}
}

// A join that waits for the other side's node is in its own node's memory only. When that node is killed too, the person's client
// has to notice that nobody will ever order it.
func TestJoinLostWithItsNode(t *testing.T) {
	s := summit(t, 2)
	var actors []*actor
	for _, sd := range s.Sides {
		actors = append(actors, enter(t, s, sd, sd.Cast.People[0]))
	}
	wait(t, 30*time.Second, agree(actors))
	sequencer, other := s.Sides[0], s.Sides[1]
	if err := sequencer.Node.Kill(); err != nil {
		t.Fatal(err)
	}
	late := enter(t, s, other, other.Cast.People[1])
	actors = append(actors, late)
	wait(t, 10*time.Second, func() string {
		if f := late.Facts(); f.LogNext == 0 || f.Phase == "" {
			return fmt.Sprintf("has not read the log: %+v", f)
		}
		return ""
	})
	time.Sleep(500 * time.Millisecond) // its join is on the way, and nobody orders
	if err := other.Node.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, sd := range s.Sides {
		if err := sd.Node.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		reopen(t, sd)
	}
	resumed := goOn(t, s, actors)
	running := time.Now()
	wait(t, 30*time.Second, whileOn(t, s, actors, &resumed, oneEpoch(actors)))
	t.Logf("in one epoch %v after the session went on", time.Since(running).Round(time.Millisecond))
	sameRecord(t, s, nil)
}
