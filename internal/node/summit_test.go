package node

import (
	"context"
	"sync"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/session"
)

// guest is a native participant at a party's node.
type guest struct {
	*native.Participant
	person string
	side   *party
	device ident.Key
	signed []byte
	tone   int
	stop   context.CancelFunc
	err    chan error
}

func (p *party) seatOf(person, role string) act.Seat {
	return act.Seat{Side: p.id[:], Person: person, Role: role}
}

func (p *party) attend(scope []byte, person string, device ident.Key, signed []byte, number, tone int) *guest {
	p.t.Helper()
	part, err := native.New(native.Config{
		Address: p.url, Device: device, Accreditation: signed, Scope: scope, Language: "en", Number: number, Initials: "XY", Tone: tone, FPS: 5, Loopback: true,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &guest{Participant: part, person: person, side: p, device: device, signed: signed, tone: tone, stop: cancel, err: make(chan error, 1)}
	var once sync.Once
	go func() { g.err <- part.Run(ctx) }()
	p.t.Cleanup(func() { once.Do(func() { cancel(); <-g.err }) })
	return g
}

// hearsAndSees says whether g opens sound and picture of every other guest.
func (g *guest) hearsAndSees(all []*guest) bool {
	heard, seen := map[string]bool{}, map[string]bool{}
	for _, s := range g.Sights() {
		if s.Opened == 0 || time.Since(s.Last) > 2*time.Second {
			continue
		}
		if s.Source == act.SourceMicrophone {
			heard[s.Person] = true
		} else if s.Read {
			seen[s.Person] = true
		}
	}
	for _, o := range all {
		if o != g && (!heard[o.person] || !seen[o.person]) {
			return false
		}
	}
	return true
}

// awaitSince waits until g has opened sound that came well after a moment.
func awaitSince(t *testing.T, w *world, scope []byte, g *guest, at time.Time) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log(w.dump(), g.Sights())
		}
	}()
	await(t, "sound after the restart for "+g.person, func() bool {
		w.resume(scope)
		for _, s := range g.Sights() {
			if s.Source == act.SourceMicrophone && s.Last.After(at.Add(100*time.Millisecond)) {
				return true
			}
		}
		return false
	})
}

// resume does what officers do when a session stands still because the machine was too busy for a heartbeat: they agree to go on.
func (w *world) resume(scope []byte) {
	suspended := false
	for _, p := range []*party{w.a, w.b} {
		w.scope(p, scope).read(func(l *ledger.Ledger) { suspended = suspended || l.State().Phase() == session.PhaseSuspended })
	}
	if !suspended || !up(w.a.node, w.b.id) || !up(w.b.node, w.a.id) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	oa, ob := w.a.officer(0), w.b.officer(0)
	defer oa.Desk.Close()
	defer ob.Desk.Close()
	id, err := oa.Submit(ctx, scope, act.KindResume, act.Resume{})
	if err != nil {
		return
	}
	for range 50 {
		if _, err := ob.Submit(ctx, scope, act.KindConsent, act.Consent{To: id[:]}); err == nil {
			w.t.Log("the session stood still and was resumed by both officers")
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func awaitMedia(t *testing.T, w *world, scope []byte, all []*guest) {
	t.Helper()
	deadline := time.Now().Add(2 * patience)
	for {
		w.resume(scope)
		good := true
		for _, g := range all {
			good = good && g.hearsAndSees(all)
		}
		if good {
			return
		}
		if time.Now().After(deadline) {
			for _, g := range all {
				t.Logf("%s: facts %+v", g.person, g.Facts())
				for _, s := range g.Sights() {
					t.Logf("   %s %s opened %d closed %d read %v last %v ago", s.Person, s.Source, s.Opened, s.Closed, s.Read, time.Since(s.Last))
				}
				t.Logf("   verdicts %v", g.Verdicts())
			}
			for _, g := range all {
				dump(t, g.side)
			}
			t.Fatal("not everybody hears and sees everybody")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// gather makes a session with one person on each side and waits until they hear and see each other.
func (w *world) gather() (scope []byte, all []*guest) {
	w.t.Helper()
	oa, ob := w.a.officer(0), w.b.officer(0)
	ka, sa := w.a.enrol(oa, "v-prin", "principal")
	kb, sb := w.b.enrol(ob, "q-prin", "principal")
	oa.Desk.Close()
	ob.Desk.Close()
	scope = w.plan(w.a.seatOf("v-prin", "principal"), w.b.seatOf("q-prin", "principal"))
	all = []*guest{w.a.attend(scope, "v-prin", ka, sa, 1, 440), w.b.attend(scope, "q-prin", kb, sb, 2, 660)}
	awaitMedia(w.t.(*testing.T), w, scope, all)
	return scope, all
}

func (w *world) sameLog(scope []byte) {
	w.t.Helper()
	await(w.t, "both nodes at the same head, countersigned", func() bool {
		var heads [2]string
		for i, p := range []*party{w.a, w.b} {
			w.scope(p, scope).read(func(l *ledger.Ledger) {
				_, _, h := l.State().Head()
				heads[i] = full(h)
				for _, e := range l.Entries(0) {
					if len(e.Sigs) == 0 {
						heads[i] = p.name
					}
				}
			})
		}
		return heads[0] == heads[1]
	})
}

func TestSummit(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	w.sameLog(scope)
	w.scope(w.b, scope).read(func(l *ledger.Ledger) {
		if l.State().Phase() != session.PhaseAgreed || len(l.State().Present()) != 2 || l.State().Group().Epoch == 0 {
			t.Errorf("phase %s, present %d, epoch %d", l.State().Phase(), len(l.State().Present()), l.State().Group().Epoch)
		}
	})
	for _, g := range all {
		if f := g.Facts(); !f.Keyed || f.Differing != 0 {
			t.Errorf("%s: %+v", g.person, f)
		}
	}
}
