package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

// aLog is a session of one person who mutes and unmutes until there are n acts. at is called where nothing is under way.
func aLog(t testing.TB, n int, at func(l *Ledger)) (*sessiontest.World, Config, Saved) {
	t.Helper()
	w := sessiontest.New(2)
	v, q := w.Sides[0], w.Sides[1]
	b := NewBook(hostOf(w, 0))
	saved := Saved{Scope: w.Scope}
	land := func(in []Scoped) {
		for len(in) > 0 {
			switch e := in[0].Effect.(type) {
			case Persist:
				saved.Entries = append(saved.Entries, e.Records.Entries...)
				saved.Items = append(saved.Items, e.Records.Items...)
				in = append(b.Persisted(w.Scope, e.Token), in[1:]...)
				continue
			case Answer:
				if e.Problem != nil {
					t.Fatal(e.Problem)
				}
			}
			in = in[1:]
		}
	}
	submit := func(s act.Signed) { land(b.Submit(w.Scope, act.Encode(s), w.Now)) }
	p := v.Person("a", "adviser")
	plan := w.Officer(v, 0, act.KindPlan, w.Plan(p))
	submit(plan)
	id := act.IDOf(plan.Act)
	consent := w.Officer(q, 0, act.KindConsent, act.Consent{To: id[:]})
	land(b.Peer(Side(q.ID), w.Scope, frameForward(w.Scope, act.Encode(consent)), w.Now))
	submit(w.Join(p, "leaf"))
	track := sessiontest.TrackID("x")
	submit(w.By(p, act.KindPublish, act.Publish{Track: track, Source: act.SourceMicrophone, Codec: "opus"}))
	l := b.Ledger(w.Scope)
	for i := 4; i < n; i++ {
		if i%2 == 0 {
			submit(w.By(p, act.KindMute, act.Mute{Track: track}))
		} else {
			submit(w.By(p, act.KindUnmute, act.Unmute{Track: track}))
		}
		if at != nil {
			at(l)
		}
	}
	if len(saved.Entries) != n || len(l.Entries(0)) != n {
		t.Fatalf("%d entries, want %d", len(saved.Entries), n)
	}
	return w, b.config(w.Scope), saved
}

// TestSnapshotSparesReplay: from every place, the same state, and only the rest is checked.
func TestSnapshotSparesReplay(t *testing.T) {
	var snaps []Snapshot
	w, cfg, saved := aLog(t, 40, func(l *Ledger) {
		s, ok := l.Snapshot()
		if !ok {
			t.Fatal("no snapshot")
		}
		snaps = append(snaps, s)
	})
	full, err := Replay(cfg, saved, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	cfg.Verify = func(c []session.Check) error { checked++; return session.Verify(c) }
	for _, snap := range snaps {
		checked, saved.Snapshot = 0, &snap
		l, err := Replay(cfg, saved, w.Now)
		if err != nil {
			t.Fatal(err)
		}
		if n, ignored := l.Resumed(); n != snap.Index+1 || ignored != nil {
			t.Fatalf("resumed %d, %v", n, ignored)
		}
		if rest := len(saved.Entries) - int(snap.Index) - 1; checked > rest+1 { // and the seal
			t.Fatalf("%d checks for %d entries", checked, rest)
		}
		if !bytes.Equal(l.State().Summary(), full.State().Summary()) || len(l.Entries(0)) != len(saved.Entries) || len(l.index) != len(full.index) {
			t.Fatalf("another state from %d", snap.Index)
		}
		for side, c := range full.chains {
			if d := l.chain(side); d.next != c.next || d.done != c.done || d.last != c.last || len(d.items) != len(c.items) {
				t.Fatalf("another chain from %d", snap.Index)
			}
		}
	}
}

// TestSnapshotNotSound: whatever is wrong with it, the state is the one of the full replay and the reason is told.
func TestSnapshotNotSound(t *testing.T) {
	var good Snapshot
	w, cfg, saved := aLog(t, 24, func(l *Ledger) {
		if len(l.log) == 16 {
			good, _ = l.Snapshot()
		}
	})
	full, err := Replay(cfg, saved, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	open := func() (s seal, b sealed) {
		_ = canon.DecodeUpTo(good.State, &s, session.MaxSnapshot)
		if canon.DecodeUpTo(s.Body, &b, session.MaxSnapshot) != nil {
			t.Fatal("the seal does not open")
		}
		return s, b
	}
	// close seals as the node would, if sign is its key; a liar's snapshot has everything right but the key.
	closed := func(sign func(string, []byte) []byte, change func(*sealed)) Snapshot {
		_, b := open()
		change(&b)
		body := act.Encode(b)
		sum := sha256.Sum256(body)
		s := good
		s.State = act.Encode(seal{Body: body, Sig: sign(contextSnapshot, sum[:])})
		return s
	}
	own, other := cfg.Sign, w.Sides[1].Node.Sign
	other8 := full.State().Snapshot()
	cases := []struct {
		name string
		snap Snapshot
		code problem.Code
	}{
		{"empty", Snapshot{Index: 3}, problem.Malformed},
		{"torn", Snapshot{good.Index, good.Hash, good.State[:len(good.State)/2]}, problem.Malformed},
		{"beyond the log", Snapshot{99, good.Hash, good.State}, problem.Gap},
		{"at another place", Snapshot{good.Index - 1, saved.Entries[good.Index-1].Hash, good.State}, problem.Forked},
		{"state changed", func() Snapshot {
			s, _ := open()
			i := bytes.Index(s.Body, []byte("v-a"))
			s.Body[i+2] = 'z' // another person in the roster
			return Snapshot{good.Index, good.Hash, act.Encode(s)}
		}(), problem.BadSignature},
		{"sealed by another key", closed(other, func(*sealed) {}), problem.BadSignature},
		{"another build", closed(own, func(b *sealed) { b.Build = "old" }), problem.WrongVersion},
		{"another version", closed(own, func(b *sealed) { b.Version++ }), problem.WrongVersion},
		{"another scope", closed(own, func(b *sealed) { b.Scope = make([]byte, 32) }), problem.UnknownSession},
		{"another state", closed(own, func(b *sealed) { b.State = other8 }), problem.Forked},
		{"no state", closed(own, func(b *sealed) { b.State = []byte{0xa0} }), problem.WrongVersion},
		{"another proof", closed(own, func(b *sealed) { b.Proof = make([]byte, 32) }), problem.Forked},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			saved.Snapshot = &c.snap
			l, err := Replay(cfg, saved, w.Now)
			if err != nil {
				t.Fatal(err)
			}
			n, ignored := l.Resumed()
			if n != 0 || ignored == nil || !bytes.Equal(l.State().Summary(), full.State().Summary()) {
				t.Fatalf("resumed %d, %v", n, ignored)
			}
			if got := problem.CodeOf(ignored); got != c.code {
				t.Errorf("ignored as %s, want %s", got, c.code)
			}
		})
	}
	// The file changed below a sound snapshot: nothing is skipped, so the change is found as if there were none.
	for _, change := range []func(e *Entry){
		func(e *Entry) { e.Bytes = slices.Clone(e.Bytes); e.Bytes[len(e.Bytes)-1] ^= 1 },
		func(e *Entry) { e.Sigs = slices.Clone(e.Sigs); e.Sigs[0].Sig = make([]byte, 64) },
	} {
		bad := saved
		bad.Snapshot = &good
		bad.Entries = slices.Clone(saved.Entries)
		change(&bad.Entries[5])
		if _, err := Replay(cfg, bad, w.Now); problem.CodeOf(err) != problem.StoreDamaged {
			t.Errorf("a change below the snapshot: %v", err)
		}
	}
}

// TestSnapshotWaits: nothing is sealed that a crash could take back.
func TestSnapshotWaits(t *testing.T) {
	w := sessiontest.New(2)
	b := NewBook(hostOf(w, 0))
	plan := act.Encode(w.Officer(w.Sides[0], 0, act.KindPlan, w.Plan(w.Sides[0].Person("a", "adviser"))))
	p := b.Submit(w.Scope, plan, now0)[0].Effect.(Persist)
	if _, ok := b.Ledger(w.Scope).Snapshot(); ok {
		t.Fatal("sealed before it is durable")
	}
	b.Persisted(w.Scope, p.Token)
	if _, ok := b.Ledger(w.Scope).Snapshot(); !ok {
		t.Fatal("not sealed when it is")
	}
}

func FuzzSnapshot(f *testing.F) {
	var good Snapshot
	w, cfg, saved := aLog(f, 8, func(l *Ledger) { good, _ = l.Snapshot() })
	f.Add(good.State)
	f.Add([]byte{0xa2})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := saved
		s.Snapshot = &Snapshot{Index: good.Index, Hash: good.Hash, State: b}
		l, err := Replay(cfg, s, w.Now)
		if err != nil || len(l.log) != 8 {
			t.Fatal(err)
		}
	})
}

// BenchmarkStart is the replay of 5,000 acts, with the snapshot that stood 200 entries before the end and without.
func BenchmarkStart(b *testing.B) {
	var snap Snapshot
	w, cfg, saved := aLog(b, 5000, func(l *Ledger) {
		if len(l.log) == 4800 {
			snap, _ = l.Snapshot()
		}
	})
	for _, with := range []bool{false, true} {
		b.Run(fmt.Sprintf("snapshot=%v", with), func(b *testing.B) {
			saved.Snapshot = nil
			if with {
				saved.Snapshot = &snap
			}
			b.ReportMetric(float64(len(snap.State)), "B-snapshot")
			for b.Loop() {
				if _, err := Replay(cfg, saved, w.Now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
