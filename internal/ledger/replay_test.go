package ledger

import (
	"crypto/sha256"
	"slices"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session/sessiontest"
)

// What lies in the file between two starts is believed only as far as it is signed: an own or a peer's outbox item, a countersignature.
func TestReplayChecksWhatIsNotInTheLog(t *testing.T) {
	f := newFollower(t)
	w, own, peer := f.w, f.q, f.v
	l := f.b.Ledger(w.Scope)
	saved := Saved{Scope: w.Scope}
	keep := func(in []Scoped) {
		for len(in) > 0 {
			if p, ok := in[0].Effect.(Persist); ok {
				saved.Entries = append(saved.Entries, p.Records.Entries...)
				saved.Items = append(saved.Items, p.Records.Items...)
				in = append(f.b.Persisted(w.Scope, p.Token), in[1:]...)
				continue
			}
			in = in[1:]
		}
	}
	saved.Entries = append(saved.Entries, l.log...)
	keep(f.b.Peer(Side(peer.ID), w.Scope, frameEntry(w.Scope, f.order(f.consent())), w.Now))
	for i := range 2 { // in effect and not ordered: two of the own chain, two of the peer's
		stop := act.Encode(w.Officer(own, i, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}))
		keep(f.b.Submit(w.Scope, stop, w.Now))
		it := w.Item(peer, w.Officer(peer, i, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}))
		peer.Advance(it)
		read, _, _, _ := parseItem(act.Encode(it))
		keep(f.b.Peer(Side(peer.ID), w.Scope, frameOutbox(w.Scope, read), w.Now))
	}
	first := l.log[0]
	head := act.Encode(act.Head{Version: 1, Scope: w.Scope[:], Term: first.Term, Index: 0, Hash: first.Hash[:]})
	saved.Heads = []HeadSig{{Side: Side(peer.ID), Head: head, Sig: peer.Node.Sign(act.ContextHead, head)}}
	if len(saved.Items) != 4 || len(saved.Entries) != 2 {
		t.Fatal(len(saved.Items), len(saved.Entries))
	}
	again, err := Replay(f.b.config(w.Scope), saved, w.Now)
	if err != nil || again.state.Overlays() != 2 || len(again.Outbox()) != 2 {
		t.Fatal("what was kept is not there again", err)
	}

	// change makes another item at a place of a side, whole but for one thing.
	change := func(s *Saved, side *sessiontest.Side, n int, f func(o *act.Outbox, sign *act.SignedOutbox)) {
		for i, it := range s.Items {
			if it.Side != Side(side.ID) || it.Seq != uint64(n) {
				continue
			}
			var so act.SignedOutbox
			var o act.Outbox
			if canon.Decode(it.Bytes, &so) != nil || canon.Decode(so.Item, &o) != nil {
				t.Fatal("item")
			}
			f(&o, nil)
			so.Item = act.Encode(o)
			so.Sig = side.Node.Sign(act.ContextOutbox, so.Item)
			f(&o, &so)
			s.Items[i].Bytes, s.Items[i].Hash = act.Encode(so), sha256.Sum256(so.Item)
			return
		}
		t.Fatal("no such item")
	}
	unsign := func(_ *act.Outbox, so *act.SignedOutbox) {
		if so != nil {
			so.Sig[9] ^= 1
		}
	}
	for name, tamper := range map[string]func(*Saved){
		"an own item that this node did not sign":    func(s *Saved) { change(s, own, 0, unsign) },
		"a peer's item that its node did not sign":   func(s *Saved) { change(s, peer, 0, unsign) },
		"an own item with an act that nobody signed": func(s *Saved) { change(s, own, 0, forgeAct) },
		"a countersignature that was made up":        func(s *Saved) { s.Heads[0].Sig = make([]byte, 64) },
		"a countersignature over another entry":      func(s *Saved) { s.Heads[0].Index = 1 },
	} {
		s := saved
		s.Items, s.Heads = slices.Clone(saved.Items), slices.Clone(saved.Heads)
		tamper(&s)
		if _, err := Replay(f.b.config(w.Scope), s, w.Now); problem.CodeOf(err) != problem.StoreDamaged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An item of another chain of the same node is not put on top of this one.
func TestReplayLeavesOutAnotherChain(t *testing.T) {
	f := newFollower(t)
	w := f.w
	land(f.b, f.b.Peer(Side(f.v.ID), w.Scope, frameEntry(w.Scope, f.order(f.consent())), w.Now))
	f.q.Prev[0] ^= 1
	it, _, _, _ := parseItem(act.Encode(w.Item(f.q, w.Officer(f.q, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}))))
	l, err := Replay(f.b.config(w.Scope), Saved{Scope: w.Scope, Entries: f.b.Ledger(w.Scope).log, Items: []Item{it}}, w.Now)
	if err != nil || l.state.Overlays() != 0 || len(l.Outbox()) != 0 {
		t.Error("it counts", err)
	}
}

func forgeAct(o *act.Outbox, so *act.SignedOutbox) {
	if so != nil {
		return
	}
	var s act.Signed
	if canon.Decode(o.Act, &s) == nil {
		s.Sig[3] ^= 1
		o.Act = act.Encode(s)
	}
}
