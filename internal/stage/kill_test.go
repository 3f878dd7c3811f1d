package stage

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

const backWithin = 5 * time.Second // the bound, after the restart

// seed of the moments; another one by PARLEY_SEED.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("PARLEY_SEED"), 10, 64)
	if err != nil {
		n = 1
	}
	t.Logf("seed %d", n)
	return rand.New(rand.NewPCG(n, n))
}

func bySide(actors []*actor, sd *Side) (own, others []*actor) {
	for _, a := range actors {
		if a.side == sd {
			own = append(own, a)
		} else {
			others = append(others, a)
		}
	}
	return own, others
}

// killed kills a side's node, starts it again after a while, and measures until its people are back.
func killed(t *testing.T, s *Stage, sd *Side, down time.Duration, own []*actor) time.Duration {
	t.Helper()
	at := time.Now()
	if err := sd.Node.Kill(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(down) // the length of the outage is what is tested
	began := time.Now()
	if err := sd.Node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	started := time.Since(began)
	wait(t, 2*backWithin, all(own, func(a *actor) string {
		if f := a.Facts(); f.Opened.Before(at) || !f.Joined || f.Epoch == 0 {
			return fmt.Sprintf("%s is not back: %+v", a.person.ID, f)
		}
		return ""
	}))
	back := time.Since(began)
	reopen(t, sd)
	resumed := time.Now()
	times := goOn(t, s, own)
	t.Logf("%s down %v: node answers after %v, people in the session after %v; resumed %d times, running %v later",
		sd.Cast.ID, down, started.Round(time.Millisecond), back.Round(time.Millisecond), times, time.Since(resumed).Round(time.Millisecond))
	return back
}

// kill -9 of either node at any moment: its people return by themselves, the other side's keep theirs, nothing is lost or doubled.
func TestKilledNodes(t *testing.T) {
	s := summit(t, 2)
	rng := seed(t)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	sees := all(actors, func(a *actor) string { return a.perceives(actors) })
	wait(t, 20*time.Second, sees)
	for i, down := range []time.Duration{0, 0, 300 * time.Millisecond, 2500 * time.Millisecond} {
		for _, sd := range []*Side{s.Sides[i%2], s.Sides[(i+1)%2]} {
			own, others := bySide(actors, sd)
			c := talk(t, actors...)
			l := listen(t, others[0], others[1])
			socket, epoch := others[0].Facts().Opened, others[0].Facts().Epoch
			time.Sleep(time.Duration(rng.IntN(1200)) * time.Millisecond)
			if back := killed(t, s, sd, down, own); back > backWithin {
				t.Errorf("%s: its people were back after %v", sd.Cast.ID, back)
			}
			resumed := time.Now()
			times := goOn(t, s, actors)
			wait(t, 15*time.Second, whileOn(t, s, actors, &times, sees))
			t.Logf("everybody sees everybody %v after", time.Since(resumed).Round(time.Millisecond))
			if f := others[0].Facts(); f.Opened != socket || f.Epoch < epoch {
				t.Errorf("the other side's people were disturbed: %+v", f)
			}
			gap := l.end()
			t.Logf("longest silence between people of the other side: %v", gap)
			if gap > time.Second {
				t.Errorf("the other side's people did not hear each other for %v", gap)
			}
			c.end()
			r := sameRecord(t, s, c.acks)
			t.Logf("%d acts acknowledged meanwhile, %d entries", len(c.acks), len(r.bytes))
		}
	}
	wait(t, 15*time.Second, agree(actors))
}
