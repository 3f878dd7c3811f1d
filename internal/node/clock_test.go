package node

import (
	"testing"
	"time"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
)

func TestClock(t *testing.T) {
	wall, passed := int64(1_000_000), time.Duration(0)
	c := clockFrom(func() (int64, time.Duration) { return wall, passed })
	second := func() int64 { wall += 1000; passed += time.Second; return c.check() }
	for range 10 {
		if by := second(); by != 0 {
			t.Fatal("set without a reason", by)
		}
	}
	wall += 400 // little by little is not followed
	if by := second(); by != 0 || c.now() != 1_011_000 {
		t.Fatal(by, c.now())
	}
	wall -= 400
	wall += 600_000
	if second() != 0 || second() != 0 || c.now() != 1_013_000 {
		t.Fatal("followed at once", c.now())
	}
	wall -= 600_000 // taken back: nothing happened
	if second() != 0 {
		t.Fatal("followed a step that was taken back")
	}
	wall -= 3_600_000
	if second() != 0 || second() != 0 || second() != -3_600_000 {
		t.Fatal("not followed")
	}
	if now, set := c.reading(); now != wall || set != -3_600_000 {
		t.Fatal(now, set)
	}
	if second() != 0 {
		t.Fatal("followed twice")
	}
}

// A step of the machine's clock in a running session: the link is not lost by it, both nodes name the clock and stop; put right, the alarm
// ends without a restart, and the log goes on.
func TestClockSetInARunningSession(t *testing.T) {
	w := newWorld(t)
	scope, _ := w.gather()
	c := w.b.node.scopes.env.clock
	lost := func() (n int) {
		for _, p := range []*party{w.a, w.b} {
			lines, err := p.node.store.SecurityLog(t.Context(), 500)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.Kind == "alarm" && len(l.Detail) > 9 && l.Detail[:9] == "link-lost" {
					n++
				}
			}
		}
		return n
	}
	before := lost()
	step := func(ms int64) { // what check does once the wall clock has stood there for three seconds
		c.mu.Lock()
		c.start, c.set = c.start+ms, c.set+ms
		read := c.read
		c.read = func() (int64, time.Duration) { wall, passed := read(); return wall + ms, passed }
		c.mu.Unlock()
	}
	suspended := func(p *party) (yes bool) {
		w.scope(p, scope).read(func(l *ledger.Ledger) {
			for _, s := range l.State().Suspensions() {
				yes = yes || s.Reason == "clock"
			}
		})
		return yes
	}
	step(-600_000)
	await(t, "the clock named on both nodes", func() bool { return suspended(w.a) && suspended(w.b) })
	step(600_000)
	await(t, "no own item waits any more", func() bool {
		done := true
		for _, p := range []*party{w.a, w.b} {
			w.scope(p, scope).read(func(l *ledger.Ledger) {
				done = done && l.State().Overlays() == 0 && l.State().Phase() == session.PhaseSuspended
			})
		}
		return done
	})
	w.sameLog(scope)
	if n := lost() - before; n != 0 {
		t.Errorf("the step looked like silence: link-lost %d times", n)
	}
}
