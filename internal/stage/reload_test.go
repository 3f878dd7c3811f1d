package stage

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// reload is a page that was loaded anew: the device's key is there, everything else is forgotten.
func reload(t *testing.T, s *Stage, a *actor) *actor {
	t.Helper()
	if err := a.end(); err != nil {
		t.Fatal(err)
	}
	return perform(t, s, a.side, a.person, a.key, a.acc)
}

// Everyone reloads at once: nobody holds the group any more. The log names who founds another.
func TestEverybodyReloads(t *testing.T) {
	s := summit(t, 3)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	began := time.Now()
	for _, a := range actors {
		a.stop()
	}
	for i, a := range actors {
		actors[i] = reload(t, s, a)
	}
	wait(t, 20*time.Second, oneEpoch(actors))
	t.Logf("all in one epoch of another group %v after", time.Since(began).Round(time.Millisecond))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	t.Logf("everybody sees everybody %v after", time.Since(began).Round(time.Millisecond))
	wait(t, 20*time.Second, agree(actors))
	if r := sameRecord(t, s, nil); r.kinds[act.KindGroupNew] < 2 {
		t.Errorf("no new group: %v", r.kinds)
	}
}

// The same person on a second device: the newer one is in, the older is told why it is not, and does not fight for the place.
func TestSamePersonOnTwoDevices(t *testing.T) {
	s := summit(t, 2)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	old := actors[3]
	began := time.Now()
	newer := enter(t, s, old.side, old.person)
	select {
	case err := <-old.done:
		old.done <- err
		if problem.CodeOf(err) != problem.ReplacedByOtherDevice {
			t.Errorf("the older device was told: %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the older device is still there")
	}
	actors[3] = newer
	wait(t, 20*time.Second, oneEpoch(actors))
	t.Logf("the newer device in, the older out, %v after it was enrolled", time.Since(began).Round(time.Millisecond))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	for _, a := range actors {
		n := 0
		for _, x := range a.Sights() {
			if x.Person == old.person.ID && x.Source == act.SourceCamera {
				n++
			}
		}
		if want := 1; a != newer && n != want {
			t.Errorf("%s sees %s %d times", a.person.ID, old.person.ID, n)
		}
	}
}

// midCommit is a step of a commit at which its author is cut off.
type midCommit struct {
	name string
	// at says whether a commit that its author hands in, or has had answered, is at the step.
	at func(kind act.Kind, answered bool) bool
}

var midCommits = []midCommit{
	{"made, not sent", func(k act.Kind, answered bool) bool { return k == act.KindCommit && !answered }},
	{"ordered, not confirmed by its author", func(k act.Kind, answered bool) bool { return k == act.KindCommit && answered }},
}

// Whoever commits reloads in the middle of it: with the commit made and nowhere but in its own memory, or ordered while it has not taken
// it yet. The next in rank does it instead, and nobody is left in an epoch of their own.
func TestReloadInMidCommit(t *testing.T) {
	s := summit(t, 4)
	var now atomic.Pointer[midCommit] // nil: nobody is cut off
	cut := make(chan *actor, 1)
	var actors []*actor
	sit := func(sd *Side, p Person, key ident.Key, acc []byte) *actor {
		var a atomic.Pointer[actor]
		made := perform(t, s, sd, p, key, acc, func(c *native.Config) {
			c.Trace.Act = func(kind act.Kind, answered bool) {
				step, author := now.Load(), a.Load()
				if step == nil || author == nil || !step.at(kind, answered) || !now.CompareAndSwap(step, nil) {
					return
				}
				author.stop()
				cut <- author
			}
		})
		a.Store(made)
		return made
	}
	seat := func(sd *Side, i int) *actor {
		key, acc, err := sd.Enrol(t.Context(), sd.Cast.People[i])
		if err != nil {
			t.Fatal(err)
		}
		return sit(sd, sd.Cast.People[i], key, acc)
	}
	for _, sd := range s.Sides {
		actors = append(actors, seat(sd, 0))
	}
	resumed := 0
	wait(t, 60*time.Second, whileOn(t, s, actors, &resumed, agree(actors)))
	for i := 1; i < 4; i++ {
		for j, sd := range s.Sides {
			step := &midCommits[(i+j)%len(midCommits)]
			now.Store(step)
			actors = append(actors, seat(sd, i))
			var author *actor
			select {
			case author = <-cut:
			case <-time.After(30 * time.Second):
				t.Fatalf("nobody made the commit that adds %s", sd.Cast.People[i].ID)
			}
			reloaded := time.Now()
			if err := author.end(); err != nil {
				t.Fatal(err)
			}
			actors[slices.Index(actors, author)] = sit(author.side, author.person, author.key, author.acc)
			wait(t, 60*time.Second, whileOn(t, s, actors, &resumed, oneEpoch(actors)))
			t.Logf("%s reloaded with the commit that adds %s %s: one epoch %v later", author.person.ID, sd.Cast.People[i].ID, step.name, time.Since(reloaded).Round(time.Millisecond))
		}
	}
	wait(t, 60*time.Second, whileOn(t, s, actors, &resumed, all(actors, func(a *actor) string { return a.perceives(actors) })))
	sameRecord(t, s, nil)
}

// The first officer's device is gone on both sides: the second accredits, revokes what the first had accredited, suspends, resumes.
func TestOfficersDeviceLost(t *testing.T) {
	s := summit(t, 2)
	var actors []*actor
	for _, sd := range s.Sides {
		actors = append(actors, enter(t, s, sd, sd.Cast.People[0]), enter(t, s, sd, sd.Cast.People[1]))
	}
	wait(t, 30*time.Second, agree(actors))
	for _, sd := range s.Sides {
		sd.Office.Desk.Close()
		office, err := sd.OfficerDesk(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		sd.Office = office
	}
	began := time.Now()
	if err := actors[3].side.Office.Revoke(t.Context(), actors[3].person.ID, nil, "device lost", s.Scope); err != nil {
		t.Fatal(err)
	}
	thrownOut(t, actors[3], began)
	if _, err := s.Sides[1].Office.Submit(t.Context(), s.Scope, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}); err != nil {
		t.Fatal(err)
	}
	rest := actors[:3]
	wait(t, 10*time.Second, all(rest, func(a *actor) string {
		if a.Facts().Phase != session.PhaseSuspended {
			return a.person.ID + " goes on"
		}
		return ""
	}))
	if n := goOn(t, s, rest); n == 0 {
		t.Error("nobody had to resume")
	}
	again := enter(t, s, actors[3].side, actors[3].person) // accredited anew by the second officer, on another device
	rest = append(rest, again)
	wait(t, 20*time.Second, oneEpoch(rest))
	wait(t, 20*time.Second, all(rest, func(a *actor) string { return a.perceives(rest) }))
	if f := again.Facts(); f.Members != 4 {
		t.Error(fmt.Sprint(f))
	}
	sameRecord(t, s, nil)
}
