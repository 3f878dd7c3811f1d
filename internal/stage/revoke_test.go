package stage

import (
	"fmt"
	"os"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

const revokedWithin = 5 * time.Second // the bound

// without leaves one out.
func without(actors []*actor, gone *actor) (rest []*actor) {
	for _, a := range actors {
		if a != gone {
			rest = append(rest, a)
		}
	}
	return rest
}

// newest is when a person last opened anything.
func (a *actor) newest() (last time.Time) {
	for _, s := range a.Sights() {
		if s.Last.After(last) {
			last = s.Last
		}
	}
	return last
}

// thrownOut waits until a revoked person's own participation has ended with the reason.
func thrownOut(t *testing.T, a *actor, began time.Time) {
	t.Helper()
	select {
	case err := <-a.done:
		a.done <- err
		if problem.CodeOf(err) != problem.AccreditationRevoked {
			t.Errorf("%s was told: %v", a.person.ID, err)
		}
	case <-time.After(2 * revokedWithin):
		t.Fatalf("%s is still there", a.person.ID)
	}
	t.Logf("%s told and out after %v", a.person.ID, time.Since(began).Round(time.Millisecond))
	if took := time.Since(began); took > revokedWithin {
		t.Errorf("%s was out after %v", a.person.ID, took)
	}
	if last := a.newest(); last.Sub(began) > revokedWithin {
		t.Errorf("%s opened a frame %v after", a.person.ID, last.Sub(began))
	} else {
		t.Logf("its last frame opened %v after the officer spoke", last.Sub(began).Round(time.Millisecond))
	}
}

// The person gets nothing more, the others go on under keys that it never had, and the door stays shut.
func TestRevoked(t *testing.T) {
	s := summit(t, 2)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	for _, gone := range []*actor{actors[1], actors[3]} {
		rest := without(actors, gone)
		epoch := rest[0].Facts().Epoch
		began := time.Now()
		if err := gone.side.Office.Revoke(t.Context(), gone.person.ID, nil, "device lost", s.Scope); err != nil {
			t.Fatal(err)
		}
		thrownOut(t, gone, began)
		wait(t, 2*revokedWithin, oneEpoch(rest))
		t.Logf("the others send in a new epoch %v after", time.Since(began).Round(time.Millisecond))
		if took := time.Since(began); took > revokedWithin {
			t.Errorf("the others were in a new epoch after %v", took)
		}
		if f := gone.Facts(); f.Epoch != epoch || rest[0].Facts().Epoch <= epoch {
			t.Errorf("epoch of the revoked %d, before %d, of the others %d", f.Epoch, epoch, rest[0].Facts().Epoch)
		}
		if _, err := native.OpenDesk(t.Context(), native.DeskConfig{Address: gone.side.Address(), Device: gone.key, Accreditation: gone.acc, Language: "en", Build: "test"}); problem.CodeOf(err) != problem.AccreditationRevoked {
			t.Errorf("the door: %v", err)
		}
		actors = rest
	}
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	if r := sameRecord(t, s, nil); r.kinds[act.KindRevoke] != 2 {
		t.Error(r.kinds)
	}
}

// The link is down (for a minute with PARLEY_LONG) while one side revokes a person. Its own node acts at once; the other side's
// people never send to that person under the old keys again, because the session stands still until they are new.
func TestRevokedWhileLinkDown(t *testing.T) {
	down := 8 * time.Second
	if os.Getenv("PARLEY_LONG") != "" {
		down = time.Minute
	}
	c := newCable(t)
	s := summit(t, 2, c.plug)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	gone := actors[3]
	rest := without(actors, gone)
	epoch := rest[0].Facts().Epoch
	cut := time.Now()
	c.dead.Store(true)
	wait(t, 5*time.Second, all(actors, func(a *actor) string {
		if a.Facts().Phase != session.PhaseSuspended {
			return a.person.ID + " does not know that the link is lost"
		}
		return ""
	}))
	t.Logf("suspended on both sides %v after the cut", time.Since(cut).Round(time.Millisecond))
	if took := time.Since(cut); took > 2500*time.Millisecond {
		t.Errorf("suspended only after %v", took)
	}
	began := time.Now()
	if err := gone.side.Office.Revoke(t.Context(), gone.person.ID, nil, "device lost", s.Scope); err != nil {
		t.Fatal(err)
	}
	thrownOut(t, gone, began)
	time.Sleep(time.Until(cut.Add(down)))
	for _, a := range rest {
		if f := a.Facts(); f.Epoch != epoch || f.Phase != session.PhaseSuspended {
			t.Errorf("%s went on alone: %+v", a.person.ID, f)
		}
	}
	back := time.Now()
	c.dead.Store(false)
	goOn(t, s, rest)
	wait(t, 20*time.Second, oneEpoch(rest))
	t.Logf("rid of %s on both sides, sending in a new epoch, %v after the link could come back", gone.person.ID, time.Since(back).Round(time.Millisecond))
	wait(t, 20*time.Second, all(rest, func(a *actor) string { return a.perceives(rest) }))
	for _, a := range rest {
		for _, x := range a.Sights() {
			if x.Person == gone.person.ID {
				t.Errorf("%s still has a track of %s", a.person.ID, x.Person)
			}
		}
	}
	if f := gone.Facts(); f.Epoch != epoch {
		t.Error("the revoked person has keys of a later epoch: ", fmt.Sprint(f.Epoch))
	}
	if r := sameRecord(t, s, nil); r.kinds[act.KindRevoke] != 1 {
		t.Error(r.kinds)
	}
}
