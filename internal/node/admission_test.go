package node

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/wire/linkpb"
)

// planSide is what a party says of itself in a plan.
func (p *party) planSide() act.PlanSide {
	s := p.node.side()
	return act.PlanSide{ID: s.ID[:], Name: s.Name, Language: s.Language, Delegation: s.Delegation, Node: s.Node, Officers: s.Officers}
}

// hostile is a node that is linked and verified, and an officer of its side that signs whatever it is given: the frames are brought straight to
// the other node, as its link would.
type hostile struct {
	t    *testing.T
	w    *world
	n    int
	sent []*linkpb.RefusedAct
}

func (h *hostile) plan() act.Plan {
	now := time.Now()
	return act.Plan{
		Title: map[string]string{"en": "Test"}, Status: "test", Sides: []act.PlanSide{h.w.a.planSide(), h.w.b.planSide()},
		Sequencer: h.w.b.id[:], Format: act.Format{ID: "plenary", Name: map[string]string{"en": "Plenary"}, Seats: []act.Seat{h.w.a.seatOf("v-prin", "principal")}},
		Profile: act.Profile, Recording: "none", From: now.Add(-time.Minute).UnixMilli(), Until: now.Add(time.Hour).UnixMilli(),
	}
}

// bring sends a plan from a side's link, in an act of a's officer, and returns its scope.
func (h *hostile) bring(from ledger.Side, p act.Plan) ledger.Scope {
	h.n++
	scope := ledger.Scope{1, byte(h.n)}
	s, _ := native.Author{Device: h.w.a.officers[0], Side: h.w.a.id[:], Now: time.Now}.Act(scope[:], act.KindPlan, p)
	h.w.b.node.scopes.frame(from, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Forward{Forward: &linkpb.ForwardAct{Scope: scope[:], Act: canon.Encode(s)}}})
	return scope
}

// began says whether anything of a scope is on b's node: in memory or in the store.
func (h *hostile) began(scope ledger.Scope) bool {
	h.t.Helper()
	b := h.w.b.node
	ids, err := b.store.Scopes(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	stored := false
	for _, id := range ids {
		stored = stored || id == scope
	}
	if stored != (b.scopes.of(scope) != nil) {
		h.t.Error("store and memory differ")
	}
	return stored
}

func TestPlanAdmission(t *testing.T) {
	w := newWorld(t)
	h := &hostile{t: t, w: w}
	b := w.b.node
	send := b.scopes.env.send
	b.scopes.env.send = func(s ledger.Side, f *linkpb.LinkFrame) {
		if r := f.GetRefused(); r != nil {
			h.sent = append(h.sent, r)
			return
		}
		send(s, f)
	}
	if !h.began(h.bring(w.a.id, h.plan())) {
		t.Fatal("a sound plan did not begin", h.sent)
	}
	other := newParty(t, "tessaly")
	stranger, err := side.ReadBundle(other.data + "/" + side.BundleFile)
	if err != nil {
		t.Fatal(err)
	}
	theirs := act.PlanSide{ID: other.id[:], Name: stranger.Name, Language: "en", Delegation: stranger.Delegation, Node: stranger.Node, Officers: stranger.Officers}
	// nodeOf is a second node that the very delegation key of the side certified: sound by the rules, but not the one that was compared.
	nodeOf := func(p *party) []byte {
		now := time.Now()
		s, err := p.root.SignNode(ident.NodeCert{Version: 1, Side: p.id[:], Key: newKey(t).Public(), From: now.Add(-time.Hour).UnixMilli(), Until: now.Add(time.Hour).UnixMilli()})
		if err != nil {
			t.Fatal(err)
		}
		return canon.Encode(s)
	}
	for _, c := range []struct {
		name   string
		from   ledger.Side
		change func(*act.Plan)
		code   problem.Code
	}{
		{"the peer with another node", w.a.id, func(p *act.Plan) { p.Sides[0].Node = nodeOf(w.a) }, problem.LinkSwappedKey},
		{"the peer with another delegation key", w.a.id, func(p *act.Plan) { p.Sides[0].Delegation = stranger.Delegation }, problem.PlanInvalid},
		{"we with another node", w.a.id, func(p *act.Plan) { p.Sides[1].Node = nodeOf(w.b) }, problem.PlanInvalid},
		{"we with another delegation key", w.a.id, func(p *act.Plan) { p.Sides[1].Delegation = stranger.Delegation }, problem.PlanInvalid},
		{"without us", w.a.id, func(p *act.Plan) { p.Sides = p.Sides[:1] }, problem.PlanInvalid},
		{"with a side that we have no card of", w.a.id, func(p *act.Plan) { p.Sides = append(p.Sides, theirs) }, problem.LinkUnknownKey},
		{"from a side that is not in it", other.id, func(*act.Plan) {}, problem.NotYours},
		{"with officers that nobody certified", w.a.id, func(p *act.Plan) { p.Sides[0].Officers = stranger.Officers }, problem.PlanInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.sent = nil
			p := h.plan()
			c.change(&p)
			if h.began(h.bring(c.from, p)) {
				t.Error("began")
			}
			if len(h.sent) != 1 || h.sent[0].Code != string(c.code) {
				t.Errorf("refused with %v, want %s", h.sent, c.code)
			}
		})
	}
	t.Run("over the quota", func(t *testing.T) {
		began := 1 // above
		for range ledger.MaxPlanned + 3 {
			if h.began(h.bring(w.a.id, h.plan())) {
				began++
			}
		}
		if last := h.sent[len(h.sent)-1]; began != ledger.MaxPlanned || last.Code != string(problem.TooMany) {
			t.Errorf("%d began, last refusal %s", began, last.Code)
		}
	})
	t.Run("over a link that nobody compared", func(t *testing.T) {
		l, err := b.store.LinkOf(context.Background(), w.a.id)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.store.RemoveLink(context.Background(), w.a.id); err != nil {
			t.Fatal(err)
		}
		if err := b.store.SaveLink(context.Background(), l); err != nil { // a card alone is not verified
			t.Fatal(err)
		}
		if h.began(h.bring(w.a.id, h.plan())) || h.sent[len(h.sent)-1].Code != string(problem.LinkNotVerified) {
			t.Error("began, or refused with", h.sent[len(h.sent)-1])
		}
	})
	lines, err := b.store.SecurityLog(context.Background(), 200)
	if err != nil {
		t.Fatal(err)
	}
	noted := map[string]int{}
	for _, l := range lines {
		if l.Kind == "plan-refused" {
			noted[l.Detail]++
		}
	}
	for what, n := range noted {
		if n != 1 {
			t.Errorf("%d lines of %s", n, what)
		}
	}
	if want := fmt.Sprintf("%s from side %s", problem.TooMany, short(w.a.id)); noted[want] != 1 {
		t.Error("not in the security log", noted)
	}
}
