package native

import (
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/signalpb"
)

func pushed(entry []byte, sigs ...act.NodeSig) *signalpb.Entry {
	e := &signalpb.Entry{Entry: entry}
	for _, s := range sigs {
		e.Signatures = append(e.Signatures, &signalpb.NodeSig{Side: s.Side, Signature: s.Sig})
	}
	return e
}

// A log of one entry, the plan, as a person of Velmark reads it; the other node has not countersigned it.
func planned(t *testing.T) (w *sessiontest.World, l *Log, entry []byte) {
	t.Helper()
	w = sessiontest.New(2)
	v := w.Sides[0]
	l = NewLog(w.Scope, v.ID, v.Node.Public(), canon.Encode(v.Delegation.Public()))
	entry = w.Entry(l.State, w.Officer(v, 0, act.KindPlan, w.Plan(v.Person("fm", "adviser"))))
	if _, err := l.Entry(pushed(entry, w.HeadSig(v, 1, 0, entry))); err != nil {
		t.Fatal(err)
	}
	return w, l, entry
}

func headOf(w *sessiontest.World, sd *sessiontest.Side, entry []byte) *signalpb.Head {
	hash := act.Hash(entry)
	return &signalpb.Head{Side: sd.ID, Head: session.HeadAfter(w.Scope[:], 1, 0, hash[:]), Signature: w.HeadSig(sd, 1, 0, entry).Sig}
}

func TestCountersignatureKeptBack(t *testing.T) {
	w, l, entry := planned(t)
	came := l.held[0].came
	if l.unsigned(came.Add(countersignWithin-1)) || !l.unsigned(came.Add(countersignWithin)) {
		t.Error("not named after three seconds")
	}
	if err := l.Heads([]*signalpb.Head{headOf(w, w.Sides[1], entry)}); err != nil || l.unsigned(came.Add(time.Hour)) {
		t.Error("named after it has signed: ", err)
	}
}

// Two entries at one place, or a countersignature over another one, end the belief; words that nobody signed do not prove a fork.
func TestLogShownTwice(t *testing.T) {
	w, _, _ := planned(t)
	v, q := w.Sides[0], w.Sides[1]
	other := w.EntryAt(1, 0, [32]byte{}, w.Officer(v, 1, act.KindPlan, w.Plan(v.Person("nt", "note_taker"))))
	forged := w.HeadSig(q, 1, 0, other)
	forged.Side = v.ID
	for _, c := range []struct {
		name string
		show func(l *Log, same []byte) error
		code problem.Code
	}{
		{"the same again", func(l *Log, same []byte) error { _, err := l.Entry(pushed(same, w.HeadSig(v, 1, 0, same))); return err }, ""},
		{"another", func(l *Log, _ []byte) error { _, err := l.Entry(pushed(other, w.HeadSig(v, 1, 0, other))); return err }, problem.Forked},
		{"another, unsigned", func(l *Log, _ []byte) error { _, err := l.Entry(pushed(other, forged)); return err }, problem.BadSignature},
		{"another, without a signature", func(l *Log, _ []byte) error { _, err := l.Entry(pushed(other)); return err }, problem.BadSignature},
		{"another's countersignature", func(l *Log, _ []byte) error { return l.Heads([]*signalpb.Head{headOf(w, q, other)}) }, problem.Forked},
	} {
		_, l, same := planned(t)
		err := c.show(l, same)
		if (err == nil) != (c.code == "") || err != nil && problem.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}
