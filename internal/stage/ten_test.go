package stage

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/synth"
)

// screenOf is the number in the picture of a person's shared screen (native.Participant draws it so).
func screenOf(p Person) int { return p.Number + 1000 }

// sayings is what ten people of two sides report, and who shares a screen.
type sayings struct {
	s      *Stage
	sides  []*delegation
	screen string
}

func (y *sayings) each(do func(sd *Side, p Person, a account) string) string {
	for i, sd := range y.s.Sides {
		for _, p := range sd.Cast.People {
			if c := do(sd, p, y.sides[i].account(p.ID)); c != "" {
				return fmt.Sprintf("%s: %s", p.ID, c)
			}
		}
	}
	return ""
}

// keyed complains unless everybody is in one epoch with one fingerprint, attested by all. Where a busy machine missed heartbeats and
// the nodes suspended for it, the officers agree to go on, as they would.
func (y *sayings) keyed(t *testing.T, members int) func() string {
	return func() string {
		var first native.Facts
		return y.each(func(_ *Side, p Person, a account) string {
			f := a.Facts
			switch {
			case a.Ended:
				return ""
			case f.Phase == session.PhaseSuspended:
				return fmt.Sprintf("suspended; resume: %v", y.s.Resume(t.Context()))
			case first.Epoch == 0:
				first = f
			}
			if f.Members != members || f.Epoch != first.Epoch || !slices.Equal(f.Fingerprint, first.Fingerprint) || f.Attested != members || f.Differing != 0 {
				return fmt.Sprintf("not all in one epoch: %+v", f)
			}
			return ""
		})
	}
}

// senses complains unless a person sees and hears each of those present under that person's own name, and nobody else anywhere. The
// counters of the pictures are returned by track: they must go on.
func (y *sayings) senses(a account, self Person, present []Person, counters map[string]int) string {
	seen := 0
	for _, x := range a.Sights {
		i := slices.IndexFunc(present, func(p Person) bool { return p.ID == x.Person })
		if i < 0 || x.Person == self.ID {
			return fmt.Sprintf("a %s under the name of %q", x.Source, x.Person)
		}
		o := present[i]
		switch x.Source {
		case act.SourceMicrophone:
			if heard := a.Hears[x.Track]; len(heard) != 1 || heard[0] != o.Number {
				return fmt.Sprintf("hears the tones of %v under the name of %s: %+v %v", heard, o.ID, x, a.Verdicts)
			}
		case act.SourceCamera, act.SourceScreen:
			number := o.Number
			if x.Source == act.SourceScreen {
				number = screenOf(o)
			}
			if !x.Read || x.Number != number || !synth.Near(x.Colour, synth.Colour(number)) {
				return fmt.Sprintf("the %s of %s does not decode: %+v %v", x.Source, o.ID, x, a.Verdicts)
			}
			counters[self.ID+x.Track] = x.Counter
		}
		seen++
	}
	want := 2 * (len(present) - 1)
	if self.ID != y.screen {
		want++
	}
	if seen != want {
		return fmt.Sprintf("%d of %d tracks", seen, want)
	}
	return ""
}

func (y *sayings) allSense(t *testing.T, present []Person, counters map[string]int) func() string {
	return func() string {
		return y.each(func(_ *Side, p Person, a account) string {
			if a.Ended {
				return ""
			}
			if a.Facts.Phase == session.PhaseSuspended {
				return fmt.Sprintf("suspended; resume: %v", y.s.Resume(t.Context()))
			}
			return y.senses(a, p, present, counters)
		})
	}
}

// Two sides with five people each: two nodes and two delegations, four processes on one machine. Everybody sees the pictures of all the
// others with running counters, the shared screen too, and hears each tone under its own name and no other; who has left is heard by
// nobody.
func TestSummit(t *testing.T) {
	s := summit(t, 5)
	y := &sayings{s: s, screen: "v-prin"}
	var present []Person
	began := time.Now()
	for _, sd := range s.Sides {
		y.sides = append(y.sides, delegate(t, s, sd, func(p *partIn) { p.Screen = p.Person.ID == y.screen }))
		present = append(present, sd.Cast.People...)
	}
	wait(t, 120*time.Second, y.keyed(t, len(present)))
	t.Logf("ten people in one epoch, attested by all, %v after the first was enrolled", time.Since(began).Round(time.Millisecond))
	first, later := map[string]int{}, map[string]int{}
	wait(t, 120*time.Second, y.allSense(t, present, first))
	t.Logf("everybody sees and hears everybody %v after the first was enrolled", time.Since(began).Round(time.Millisecond))
	wait(t, 30*time.Second, func() string {
		if c := y.allSense(t, present, later)(); c != "" {
			return c
		}
		for track, n := range first {
			if later[track] == n {
				return "a picture stands still: " + track
			}
		}
		return ""
	})
	gone := s.Sides[1].Cast.People[4]
	if err := y.sides[1].in.Encode(orderIn{Leave: gone.ID}); err != nil {
		t.Fatal(err)
	}
	present = slices.DeleteFunc(present, func(p Person) bool { return p.ID == gone.ID })
	wait(t, 60*time.Second, func() string {
		if !y.sides[1].account(gone.ID).Ended {
			return gone.ID + " does not get out"
		}
		return y.keyed(t, len(present))()
	})
	wait(t, 120*time.Second, y.allSense(t, present, later))
}
