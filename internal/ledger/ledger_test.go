package ledger

import (
	"bytes"
	"encoding/binary"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

const now0 = sessiontest.Start

func hostOf(w *sessiontest.World, i int) Host {
	s := w.Sides[i]
	n := uint64(0)
	h := Host{Own: Side(s.ID), Key: s.Node.Public(), Delegation: canon.Encode(s.Delegation.Public())}
	h.Sign, h.Verify = s.Node.Sign, session.Verify
	h.Nonce = func() (b [act.NonceSize]byte) {
		n++
		binary.BigEndian.PutUint64(b[:], n)
		b[15] = byte(i + 1)
		return b
	}
	h.Known = func(side Side) ([]byte, bool) {
		for _, o := range w.Sides {
			if Side(o.ID) == side {
				return o.Node.Public(), true
			}
		}
		return nil, false
	}
	return h
}

// land persists whatever is asked for at once, and returns everything else.
func land(b *Book, in []Scoped) []Effect {
	var out []Effect
	for len(in) > 0 {
		x := in[0]
		in = in[1:]
		if p, ok := x.Effect.(Persist); ok {
			in = append(b.Persisted(x.Scope, p.Token), in...)
			continue
		}
		out = append(out, x.Effect)
	}
	return out
}

func answers(effects []Effect) (out []Answer) {
	for _, e := range effects {
		if a, ok := e.(Answer); ok {
			out = append(out, a)
		}
	}
	return out
}

// TestDurableFirst: nothing leaves before the Persist of its turn, or of a turn before it, is durable; heads name only what is.
func TestDurableFirst(t *testing.T) {
	w := sessiontest.New(2)
	b := NewBook(hostOf(w, 0))
	peer := Side(w.Sides[1].ID)
	plan := act.Encode(w.Officer(w.Sides[0], 0, act.KindPlan, w.Plan(w.Sides[0].Person("a", "adviser"))))
	first := b.Submit(w.Scope, plan, now0)
	if len(first) != 2 {
		t.Fatalf("%d effects before durable, want Persist and Wake: %v", len(first), first)
	}
	p := first[0].Effect.(Persist)
	if len(p.Records.Entries) != 1 {
		t.Fatal(p.Records)
	}
	// A second submit of the same bytes finds the entry, but must not speak of it yet; nor may a heartbeat or a fetch.
	if again := answers(effectsOf(b.Submit(w.Scope, plan, now0))); len(again) != 0 {
		t.Fatal("answered before durable", again)
	}
	fetch := b.Peer(peer, w.Scope, frameFetch(w.Scope, 0, 0), now0+100)
	for _, x := range fetch {
		if _, ok := x.Effect.(ToPeer); ok {
			t.Fatal("sent before durable")
		}
	}
	if h := b.Heads(peer, now0); len(h) != 0 {
		t.Fatal("named before durable", h)
	}
	out := effectsOf(b.Persisted(w.Scope, p.Token))
	if a := answers(out); len(a) != 2 || !a[0].Ordered || a[0].Index != 0 {
		t.Fatal(a)
	}
	if h := b.Heads(peer, now0); len(h) != 1 || h[0].GetNextIndex() != 1 {
		t.Fatal(h)
	}
	if len(b.Persisted(w.Scope, p.Token)) != 0 {
		t.Fatal("a token twice")
	}
}

func effectsOf(in []Scoped) (out []Effect) {
	for _, x := range in {
		out = append(out, x.Effect)
	}
	return out
}

// TestFailed: a write that fails is nowhere, everybody who waits is told, and a ledger replayed from the store goes on.
func TestFailed(t *testing.T) {
	w := sessiontest.New(2)
	b := NewBook(hostOf(w, 0))
	plan := act.Encode(w.Officer(w.Sides[0], 0, act.KindPlan, w.Plan(w.Sides[0].Person("a", "adviser"))))
	p := b.Submit(w.Scope, plan, now0)[0].Effect.(Persist)
	a := answers(effectsOf(b.Failed(w.Scope, p.Token, problem.DiskFull)))
	if len(a) != 1 || a[0].Problem == nil || a[0].Problem.Code != problem.DiskFull {
		t.Fatal(a)
	}
	if b.Ledger(w.Scope) != nil {
		t.Fatal("still there")
	}
	if a := answers(land(b, b.Submit(w.Scope, plan, now0+1))); len(a) != 1 || !a[0].Ordered {
		t.Fatal(a)
	}
}

// TestPlanAdmission: what may begin a log here.
func TestPlanAdmission(t *testing.T) {
	w := sessiontest.New(3)
	v, q := w.Sides[0], w.Sides[1]
	good := func() act.Plan {
		p := w.Plan(v.Person("a", "adviser"))
		p.Sides = p.Sides[:2]
		return p
	}
	other := sessiontest.New(3).Sides[2]
	cases := []struct {
		name   string
		plan   func() act.Plan
		known  func(Side) ([]byte, bool)
		from   Side
		begins bool
		code   problem.Code
	}{
		{name: "true keys over a verified link", plan: good, begins: true},
		{name: "own side missing", code: problem.PlanInvalid, plan: func() act.Plan {
			p := w.Plan(v.Person("a", "adviser"))
			p.Sides = []act.PlanSide{p.Sides[0], p.Sides[2]}
			return p
		}},
		{name: "own side with another's delegation key", code: problem.PlanInvalid, plan: func() act.Plan {
			p := good()
			p.Sides[1].Delegation = canon.Encode(other.Delegation.Public())
			return p
		}},
		{name: "own side with another's node", code: problem.PlanInvalid, plan: func() act.Plan {
			p := good()
			p.Sides[1].Node = other.NodeCert
			return p
		}},
		{name: "link unknown", code: problem.LinkUnknownKey, plan: good, known: func(Side) ([]byte, bool) { return nil, false }},
		{name: "link not verified", code: problem.LinkNotVerified, plan: good, known: func(Side) ([]byte, bool) { return v.Node.Public(), false }},
		{name: "another node key than the link's", code: problem.LinkSwappedKey, plan: good, known: func(Side) ([]byte, bool) { return other.Node.Public(), true }},
		{name: "brought by a side that it does not name", plan: good, from: Side(other.ID)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := hostOf(w, 1)
			if c.known != nil {
				h.Known = c.known
			}
			plan := c.plan()
			if c.code != "" {
				if got := problem.CodeOf(h.CheckPlan(plan)); got != c.code {
					t.Errorf("got %s, want %s", got, c.code)
				}
			}
			from := Side(v.ID)
			if c.from != (Side{}) {
				from = c.from
			}
			signed := w.Officer(v, 0, act.KindPlan, plan)
			entry := w.EntryAt(1, 0, [32]byte{}, signed)
			sig := w.HeadSig(v, 1, 0, entry)
			b := NewBook(h)
			out := land(b, b.Peer(from, w.Scope, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{
				Scope: w.Scope[:], Entry: entry, Signatures: toPB([]act.NodeSig{sig})}}}, w.Now))
			if began := b.Ledger(w.Scope) != nil && len(b.Ledger(w.Scope).log) == 1; began != c.begins {
				t.Errorf("began %v, want %v: %v", began, c.begins, out)
			}
		})
	}
	_ = q
}

// TestPlanQuota: one side cannot fill the other's store with plans.
func TestPlanQuota(t *testing.T) {
	w := sessiontest.New(2)
	b := NewBook(hostOf(w, 1))
	v := w.Sides[0]
	plan := w.Plan(v.Person("a", "adviser"))
	for i := range MaxPlanned + 4 {
		w.Scope[0] = byte(i)
		signed := w.Officer(v, 0, act.KindPlan, plan)
		entry := w.EntryAt(1, 0, [32]byte{}, signed)
		sig := w.HeadSig(v, 1, 0, entry)
		land(b, b.Peer(Side(v.ID), w.Scope, frameEntry(w.Scope, Entry{Bytes: entry, Sigs: []act.NodeSig{sig}}), w.Now))
	}
	if n := len(b.Scopes()); n != MaxPlanned {
		t.Fatalf("%d planned, want %d", n, MaxPlanned)
	}
}

// TestForgedIntroduction: an unknown scope with a plan that nobody signed leaves nothing behind.
func TestForgedIntroduction(t *testing.T) {
	w := sessiontest.New(2)
	b := NewBook(hostOf(w, 0))
	q := w.Sides[1]
	signed := w.Officer(q, 0, act.KindPlan, w.Plan(q.Person("a", "adviser")))
	signed.Sig = bytes.Repeat([]byte{1}, 64)
	out := land(b, b.Peer(Side(q.ID), w.Scope, frameForward(w.Scope, act.Encode(signed)), w.Now))
	if b.Ledger(w.Scope) != nil {
		t.Fatal("began")
	}
	refused := false
	for _, e := range out {
		p, ok := e.(ToPeer)
		refused = refused || ok && p.Frame.GetRefused().GetCode() == string(problem.BadSignature)
	}
	if !refused {
		t.Fatal(out)
	}
}

// TestPeerWords: a peer's refusal cannot bring words to people.
func TestPeerWords(t *testing.T) {
	for _, bad := range []string{"", "<b>", "x y", string(bytes.Repeat([]byte{'a'}, 65)), "مرحبا"} {
		if p := refusalFrom(bad, nil); p.Code != problem.Internal {
			t.Errorf("%q passed", bad)
		}
		if p := refusalFrom("replayed", map[string]string{"k": bad}); len(p.Params) != 0 {
			t.Errorf("parameter %q passed", bad)
		}
	}
}
