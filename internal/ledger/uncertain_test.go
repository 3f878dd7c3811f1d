package ledger

import (
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

// follower is Qasran's node, which follows Velmark's, and the log that Velmark's has ordered.
type follower struct {
	t    *testing.T
	w    *sessiontest.World
	seq  *Book
	b    *Book
	v, q *sessiontest.Side
	plan act.Signed
}

func newFollower(t *testing.T) *follower {
	w := sessiontest.New(2)
	f := &follower{t: t, w: w, seq: NewBook(hostOf(w, 0)), b: NewBook(hostOf(w, 1)), v: w.Sides[0], q: w.Sides[1]}
	f.plan = w.Officer(f.v, 0, act.KindPlan, w.Plan(f.q.Person("a", "adviser")))
	land(f.seq, f.seq.Submit(w.Scope, act.Encode(f.plan), w.Now))
	land(f.b, f.b.Peer(Side(f.v.ID), w.Scope, frameEntry(w.Scope, f.seq.Ledger(w.Scope).log[0]), w.Now))
	return f
}

// submit gives an act to the follower and reports whether it was sent on.
func (f *follower) submit(s act.Signed) (sent bool) {
	for _, x := range f.b.Submit(f.w.Scope, act.Encode(s), f.w.Now) {
		p, ok := x.Effect.(ToPeer)
		sent = sent || ok && p.Frame.GetForward() != nil
	}
	return sent
}

// order has the sequencer order an act of the follower's people.
func (f *follower) order(s act.Signed) Entry {
	land(f.seq, f.seq.Peer(Side(f.q.ID), f.w.Scope, frameForward(f.w.Scope, act.Encode(s)), f.w.Now))
	log := f.seq.Ledger(f.w.Scope).log
	return log[len(log)-1]
}

func (f *follower) fails(in []Scoped) []Answer {
	f.t.Helper()
	for _, x := range in {
		if p, ok := x.Effect.(Persist); ok {
			return answers(effectsOf(f.b.Failed(f.w.Scope, p.Token, problem.DiskFull)))
		}
	}
	f.t.Fatal("nothing to write")
	return nil
}

func (f *follower) consent() act.Signed {
	return f.w.Officer(f.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(f.plan)})
}

// A follower whose disk is full must not say that an act is not done that the sequencer has ordered, or may order any moment: whoever is
// told so does it again.
func TestFullDiskOfAFollowerIsUncertain(t *testing.T) {
	want := func(t *testing.T, got []Answer, id act.ID, code problem.Code) {
		t.Helper()
		for _, a := range got {
			if a.Act == id {
				if a.Problem == nil || a.Problem.Code != code {
					t.Errorf("answered %v, want %s", a.Problem, code)
				}
				return
			}
		}
		t.Errorf("no answer in %v", got)
	}
	t.Run("its entry came, and could not be kept", func(t *testing.T) {
		f := newFollower(t)
		consent := f.consent()
		if !f.submit(consent) {
			t.Fatal("not sent on")
		}
		in := f.b.Peer(Side(f.v.ID), f.w.Scope, frameEntry(f.w.Scope, f.order(consent)), f.w.Now)
		want(t, f.fails(in), act.IDOf(consent.Act), problem.Uncertain)
	})
	t.Run("it is under way when something else could not be kept", func(t *testing.T) {
		f := newFollower(t)
		consent := f.consent()
		other := f.order(f.w.Officer(f.q, 1, act.KindConsent, act.Consent{To: sessiontest.JoinID(f.plan)}))
		if !f.submit(consent) {
			t.Fatal("not sent on")
		}
		want(t, f.fails(f.b.Peer(Side(f.v.ID), f.w.Scope, frameEntry(f.w.Scope, other), f.w.Now)), act.IDOf(consent.Act), problem.Uncertain)
	})
	t.Run("what was only for the own outbox is not done, for certain", func(t *testing.T) {
		f := newFollower(t)
		land(f.b, f.b.Peer(Side(f.v.ID), f.w.Scope, frameEntry(f.w.Scope, f.order(f.consent())), f.w.Now))
		stop := f.w.Officer(f.q, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer})
		want(t, f.fails(f.b.Submit(f.w.Scope, act.Encode(stop), f.w.Now)), act.IDOf(stop.Act), problem.DiskFull)
	})
	t.Run("the link is lost after a consent was sent on", func(t *testing.T) {
		f := newFollower(t)
		consent := f.consent()
		land(f.b, f.b.Heartbeat(Side(f.v.ID), &linkpb.Heartbeat{Now: f.w.Now}, f.w.Now))
		if !f.submit(consent) {
			t.Fatal("not sent on")
		}
		want(t, answers(land(f.b, f.b.Tick(f.w.Now+LinkLostAfter+1))), act.IDOf(consent.Act), problem.Uncertain)
	})
}
