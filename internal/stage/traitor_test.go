package stage

import (
	"crypto/rand"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

// stand raises a summit of one person a side and hands one node to the enemy.
func stand(t *testing.T, enemy int) (s *Stage, p *puppet, w *watchman, honest *actor, r record) {
	t.Helper()
	s = summit(t, 1)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	r = sameRecord(t, s, nil)
	bad, good := s.Sides[enemy], s.Sides[1-enemy]
	actors[enemy].end()
	w = watching(t, s, good)
	p = possess(t, s, bad, good, r)
	return s, p, w, actors[1-enemy], r
}

// The sequencer's node is the enemy's. It replays, holds back, and orders a ghost.
func TestTraitorousSequencer(t *testing.T) {
	s, p, w, honest, r := stand(t, 0)
	term, next, hash := r.log.State.Head()
	// Everything that was ever said on the link, again.
	for _, b := range r.bytes {
		p.send(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: s.Scope, Entry: b}}})
	}
	for _, signed := range r.signed {
		p.send(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Forward{Forward: &linkpb.ForwardAct{Scope: s.Scope, Act: canon.Encode(signed)}}})
	}
	// An act of an honest person goes to the sequencer and is neither ordered nor refused.
	sent := time.Now()
	go func() {
		_, _ = honest.Submit(t.Context(), act.KindPublish, act.Publish{Track: sessiontest.TrackID(t.Name()), Source: act.SourceScreen, Codec: "vp8"})
	}()
	took := w.told(t, string(problem.HeldBack), 8*time.Second).Sub(sent)
	t.Logf("held back: named after %v", took.Round(time.Millisecond))
	if took < 2900*time.Millisecond || took > 4500*time.Millisecond {
		t.Errorf("named after %v, not 3 s", took)
	}
	wait(t, 6*time.Second, suspended(honest))
	t.Logf("held back: suspended after %v", time.Since(sent).Round(time.Millisecond))
	if n := len(p.heard(func(f *linkpb.LinkFrame) bool { return f.GetForward() != nil })); n < 2 {
		t.Errorf("the act was sent %d times", n)
	}
	if after := recordOf(t, s, honest.side); len(after.bytes) != len(r.bytes) {
		t.Fatalf("the log grew by what was replayed: %d to %d", len(r.bytes), len(after.bytes))
	}
	// A ghost: a person of its own side whom no officer accredited.
	device, _ := ident.GenerateKey(rand.Reader)
	self := p.side.Accreditation(p.side.Cast.People[0], device.Public())
	self.Version, self.Side, self.By, self.At = ident.Version, p.side.ID, p.key.Public(), time.Now().UnixMilli()
	leaf, _ := ident.GenerateKey(rand.Reader)
	cert := device.SignBody(ident.ContextSession, ident.SessionCert{Version: ident.Version, Scope: s.Scope, Side: p.side.ID, Person: self.Person, Device: device.Public(), Key: leaf.Public()})
	ghost, _ := native.Author{Device: device, Side: p.side.ID, Now: time.Now}.Act(s.Scope, act.KindJoin,
		act.Join{Accreditation: canon.Encode(p.key.SignBody(ident.ContextAccreditation, self)), SessionCert: canon.Encode(cert), KeyPackage: []byte("ghost")})
	p.push(act.Entry{Version: act.Version, Scope: s.Scope, Term: term, Index: next, Prev: hash[:], At: time.Now().UnixMilli(), From: act.ItemAct, Item: canon.Encode(ghost)})
	w.told(t, string(problem.Forked), 5*time.Second)
	after := recordOf(t, s, honest.side)
	if len(after.bytes) != len(r.bytes) || len(after.log.State.Present()) != 2 {
		t.Errorf("the ghost is in: %d entries, %d present", len(after.bytes), len(after.log.State.Present()))
	}
	if f := honest.Facts(); f.Epoch != r.log.State.Group().Epoch || f.Members != 2 {
		t.Errorf("the group changed: %+v", f)
	}
	if n := p.heard(func(f *linkpb.LinkFrame) bool {
		return f.GetCountersign() != nil && len(f.GetCountersign().Head) > 0 && atOrAfter(f, next)
	}); len(n) > 0 {
		t.Error("the ghost's entry was countersigned")
	}
}

// atOrAfter says whether a countersignature is for an index or a later one.
func atOrAfter(f *linkpb.LinkFrame, index uint64) bool {
	var h act.Head
	return canon.Decode(f.GetCountersign().Head, &h) == nil && h.Index >= index
}

// The sequencer shows another entry for a place that it has ordered already.
func TestForkedLog(t *testing.T) {
	s, p, w, honest, r := stand(t, 0)
	var e act.Entry
	if err := canon.Decode(r.bytes[len(r.bytes)-1], &e); err != nil {
		t.Fatal(err)
	}
	e.At++
	sent := time.Now()
	p.push(e)
	at := w.told(t, string(problem.Forked), 5*time.Second)
	wait(t, 5*time.Second, suspended(honest))
	t.Logf("named %v after, suspended %v after", at.Sub(sent).Round(time.Millisecond), time.Since(sent).Round(time.Millisecond))
	// Its word counts for nothing from then on, not even a good one; the evidence outlives a restart.
	good := act.Entry{Version: act.Version, Scope: s.Scope, Term: e.Term, Index: e.Index + 1, At: time.Now().UnixMilli(), From: act.ItemAct}
	hash := act.Hash(r.bytes[len(r.bytes)-1])
	signed, _ := native.Author{Device: p.side.Officers[0], Side: p.side.ID, Now: time.Now}.Act(s.Scope, act.KindClose, act.Close{})
	good.Prev, good.Item = hash[:], canon.Encode(signed)
	p.push(good)
	if err := honest.side.Node.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := honest.side.Node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, 10*time.Second, func() string {
		if f := honest.Facts(); f.Opened.Before(sent) {
			return "not back"
		}
		return ""
	})
	wait(t, 5*time.Second, suspended(honest))
	p.push(good)
	time.Sleep(time.Second) // time in which it could have been followed
	if after := recordOf(t, s, honest.side); len(after.bytes) != len(r.bytes) {
		t.Errorf("the liar is followed again: %d entries, then %d", len(r.bytes), len(after.bytes))
	}
}

// The node that countersigns is the enemy's. Its clock is wrong, it withholds, it acts for others, it countersigns something else.
func TestTraitorousFollower(t *testing.T) {
	s, p, w, honest, r := stand(t, 1)
	// An act of the other side's person, and one of nobody, forwarded as its own people's.
	stranger, _ := ident.GenerateKey(rand.Reader)
	for name, a := range map[string]native.Author{
		"posing as the other side": {Device: p.key, Side: honest.side.ID, Now: time.Now},
		"a device of nobody":       {Device: stranger, Side: p.side.ID, Now: time.Now},
	} {
		signed, id := a.Act(s.Scope, act.KindPublish, act.Publish{Track: sessiontest.TrackID(name), Source: act.SourceScreen, Codec: "vp8"})
		p.send(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Forward{Forward: &linkpb.ForwardAct{Scope: s.Scope, Act: canon.Encode(signed)}}})
		wait(t, 5*time.Second, func() string {
			for _, f := range p.heard(func(f *linkpb.LinkFrame) bool { return act.ID(pad32(f.GetRefused().GetActId())) == id }) {
				t.Logf("%s: refused as %s", name, f.GetRefused().Code)
				return ""
			}
			return name + ": not refused"
		})
	}
	// Withheld: the sequencer orders, nobody countersigns.
	sent := time.Now()
	if _, err := honest.Submit(t.Context(), act.KindPublish, act.Publish{Track: sessiontest.TrackID(t.Name()), Source: act.SourceScreen, Codec: "vp8"}); err != nil {
		t.Fatal(err)
	}
	took := w.told(t, string(problem.HeldBack), 8*time.Second).Sub(sent)
	t.Logf("a countersignature withheld: named after %v", took.Round(time.Millisecond))
	if took < 2900*time.Millisecond || took > 4500*time.Millisecond {
		t.Errorf("named after %v, not 3 s", took)
	}
	// Ten minutes off.
	p.mu.Lock()
	p.skew = 10 * time.Minute
	p.mu.Unlock()
	skewed := time.Now()
	at := w.told(t, string(problem.ClockOff), 8*time.Second)
	wait(t, 5*time.Second, suspended(honest))
	t.Logf("clock 10 minutes off: named after %v", at.Sub(skewed).Round(time.Millisecond))
	p.mu.Lock()
	p.skew = 0
	p.mu.Unlock()
	// It signs for another entry at a place that both have.
	term, next, _ := r.log.State.Head()
	head := session.HeadAfter(s.Scope, term, next-1, make([]byte, 32))
	p.send(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Countersign{Countersign: &linkpb.Countersign{Scope: s.Scope, Head: head, Signature: p.key.Sign(act.ContextHead, head)}}})
	w.told(t, string(problem.Forked), 5*time.Second)
	if after := recordOf(t, s, honest.side); after.kinds[act.KindPublish] < r.kinds[act.KindPublish]+1 {
		t.Errorf("the honest side's own log: %v", after.kinds)
	}
}

func pad32(b []byte) []byte {
	if len(b) != 32 {
		return make([]byte, 32)
	}
	return b
}
