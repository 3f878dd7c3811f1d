package node

import (
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// forge puts another body into an entry's act. validate looks at no signature: the rules have, before it is asked.
func forge(t *testing.T, entry []byte, body any) []byte {
	t.Helper()
	var e act.Entry
	var s act.Signed
	var a act.Act
	if canon.Decode(entry, &e) != nil || canon.Decode(e.Item, &s) != nil || canon.Decode(s.Act, &a) != nil {
		t.Fatal("the entry cannot be read")
	}
	a.Body = act.Encode(body)
	e.Item = act.Encode(act.Signed{Act: act.Encode(a), Sig: s.Sig})
	return act.Encode(e)
}

// A real session's log, entry by entry: what stands in it passes, and every lie about it is refused.
func TestClaimsOfARealLog(t *testing.T) {
	w := newWorld(t)
	scope, _ := w.gather()
	w.sameLog(scope)
	var entries []ledger.Entry
	w.scope(w.a, scope).read(func(l *ledger.Ledger) { entries = append(entries, l.Entries(0)...) })
	st := session.New([32]byte(scope))
	var joins []act.Join
	commits := 0
	for _, e := range entries {
		if err := validate(st, e.Bytes); err != nil {
			t.Fatalf("entry %d of a real log is refused: %v", e.Index, err)
		}
		var en act.Entry
		var s act.Signed
		var a act.Act
		if canon.Decode(e.Bytes, &en) == nil && en.From == act.ItemAct && canon.Decode(en.Item, &s) == nil && canon.Decode(s.Act, &a) == nil {
			switch a.Kind {
			case act.KindJoin:
				var b act.Join
				must(t, canon.Decode(a.Body, &b))
				joins = append(joins, b)
				lieAboutJoin(t, st, e.Bytes, b, joins[0])
			case act.KindCommit:
				var b act.Commit
				must(t, canon.Decode(a.Body, &b))
				commits++
				lieAboutCommit(t, st, e.Bytes, b)
			}
		}
		if _, err := st.Apply(e.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	if commits == 0 || len(joins) < 2 {
		t.Fatalf("%d commits, %d joins: nothing was tried", commits, len(joins))
	}
}

func refused(t *testing.T, st *session.State, what string, entry []byte) {
	t.Helper()
	switch code := problem.CodeOf(validate(st, entry)); code {
	case problem.CommitClaims, problem.Malformed, problem.ClassicalOnly:
	default:
		t.Errorf("%s: passed (%q)", what, code)
	}
}

func lieAboutJoin(t *testing.T, st *session.State, entry []byte, b, first act.Join) {
	t.Helper()
	rubbish := b
	rubbish.KeyPackage = []byte{1, 2, 3}
	refused(t, st, "a KeyPackage that is none", forge(t, entry, rubbish))
	bent := b
	bent.KeyPackage = append([]byte{}, b.KeyPackage...)
	bent.KeyPackage[len(bent.KeyPackage)-1] ^= 1
	refused(t, st, "a KeyPackage with a broken signature", forge(t, entry, bent))
	classical := b
	classical.KeyPackage = append([]byte{}, b.KeyPackage...)
	classical.KeyPackage[2], classical.KeyPackage[3] = 0, 1 // MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519
	if code := problem.CodeOf(validate(st, forge(t, entry, classical))); code != problem.ClassicalOnly {
		t.Errorf("a classical suite is %q", code)
	}
	if string(first.KeyPackage) != string(b.KeyPackage) {
		other := b
		other.KeyPackage = first.KeyPackage
		refused(t, st, "somebody else's KeyPackage", forge(t, entry, other))
	}
}

func lieAboutCommit(t *testing.T, st *session.State, entry []byte, b act.Commit) {
	t.Helper()
	edit := func(what string, f func(*act.Commit)) {
		lie := b
		f(&lie)
		refused(t, st, what, forge(t, entry, lie))
	}
	edit("another epoch", func(c *act.Commit) { c.Epoch++ })
	edit("another group", func(c *act.Commit) { c.Group = make([]byte, 32) })
	edit("a remove that the message has not", func(c *act.Commit) { c.Removes = []uint32{0} })
	if len(b.Adds) > 0 { // a commit that only removes has no ghost to hide
		edit("a ghost: the message adds, the act does not say so", func(c *act.Commit) { c.Adds = [][]byte{} })
	}
	edit("an add that the message has not", func(c *act.Commit) { c.Adds = append(append([][]byte{}, c.Adds...), make([]byte, 32)) })
	edit("an add of another join", func(c *act.Commit) {
		if len(c.Adds) > 0 {
			c.Adds = append([][]byte{make([]byte, 32)}, c.Adds[1:]...)
		} else {
			c.Epoch++
		}
	})
	edit("no message", func(c *act.Commit) { c.Message = []byte{} })
	edit("a welcome for nobody", func(c *act.Commit) {
		if len(c.Adds) > 0 {
			c.Welcome = []byte{0}
		} else {
			c.Epoch++
		}
	})
	edit("a message cut short", func(c *act.Commit) { c.Message = c.Message[:len(c.Message)/2] })
}

// A graceful stop tells everybody, before their sockets close.
func TestStopTellsPeople(t *testing.T) {
	p := one(t)
	d := p.desk(newKey(t), nil)
	stopped := make(chan struct{})
	go func() { defer close(stopped); p.halt() }()
	defer func() { <-stopped }()
	m := push(t, d, "the node's last word", func(m *signalpb.ToClient) bool { return m.GetProblem() != nil })
	if m.GetProblem().GetCode() != string(problem.NodeStopping) || !m.GetProblem().GetFatal() {
		t.Error(m)
	}
	select {
	case _, open := <-d.Pushes():
		if open {
			t.Error("something came after the last word")
		}
	case <-time.After(patience):
		t.Error("the socket stays open")
	}
}
