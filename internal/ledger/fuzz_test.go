package ledger

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

// started is two books with one agreed session, and frames that went between them.
func started(f *testing.F) (w *sessiontest.World, books [2]*Book, frames [][]byte, acts [][]byte) {
	w = sessiontest.New(2)
	books = [2]*Book{NewBook(hostOf(w, 0)), NewBook(hostOf(w, 1))}
	person := w.Sides[1].Person("a", "adviser")
	index := func(s Side) int {
		if s == Side(w.Sides[0].ID) {
			return 0
		}
		return 1
	}
	var deliver func(from int, effects []Effect)
	deliver = func(from int, effects []Effect) {
		for _, e := range effects {
			p, ok := e.(ToPeer)
			if !ok {
				continue
			}
			b, err := proto.Marshal(p.Frame)
			if err != nil {
				f.Fatal(err)
			}
			frames = append(frames, b)
			to := index(p.Side)
			deliver(to, land(books[to], books[to].Peer(Side(w.Sides[from].ID), w.Scope, p.Frame, w.Now)))
		}
	}
	submit := func(i int, signed act.Signed) {
		b := act.Encode(signed)
		acts = append(acts, b)
		deliver(i, land(books[i], books[i].Submit(w.Scope, b, w.Now)))
	}
	plan := w.Officer(w.Sides[0], 0, act.KindPlan, w.Plan(person))
	submit(0, plan)
	submit(1, w.Officer(w.Sides[1], 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(plan)}))
	submit(1, w.Join(person, "leaf"))
	submit(1, w.By(person, act.KindPublish, act.Publish{Track: sessiontest.TrackID("m"), Source: act.SourceMicrophone, Codec: "opus"}))
	submit(1, w.By(person, act.KindMute, act.Mute{Track: sessiontest.TrackID("m")}))
	deliver(1, land(books[1], books[1].Peer(Side(w.Sides[0].ID), w.Scope, frameFetch(w.Scope, 0, 0), w.Now+1000)))
	for i, b := range books {
		if n := len(b.Ledger(w.Scope).Entries(0)); n != 5 {
			f.Fatalf("node %d has %d entries", i, n)
		}
	}
	return w, books, frames, acts
}

// FuzzPeer: no frame makes a node panic, write an entry that its sequencer did not sign, or answer without end.
func FuzzPeer(f *testing.F) {
	w, books, frames, _ := started(f)
	for _, b := range frames {
		f.Add(b, true)
		f.Add(b, false)
	}
	hb, _ := proto.Marshal(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Fetch{Fetch: &linkpb.Fetch{Scope: w.Scope[:], FromIndex: 1 << 63, FromOutbox: 1 << 63}}})
	f.Add(hb, true)
	now := w.Now
	f.Fuzz(func(t *testing.T, b []byte, first bool) {
		var frame linkpb.LinkFrame
		if proto.Unmarshal(b, &frame) != nil {
			return
		}
		to, from := 0, 1
		if !first {
			to, from = 1, 0
		}
		now++
		out := land(books[to], books[to].Peer(Side(w.Sides[from].ID), w.Scope, &frame, now))
		if len(out) > fetchEntries+128 {
			t.Fatalf("%d effects", len(out))
		}
	})
}

// FuzzSubmit: no bytes make a node panic; every one is answered once, or waits.
func FuzzSubmit(f *testing.F) {
	w, books, _, acts := started(f)
	for _, b := range acts {
		f.Add(b)
	}
	f.Add([]byte{})
	now := w.Now
	f.Fuzz(func(t *testing.T, b []byte) {
		now++
		l := books[0].Ledger(w.Scope)
		if l == nil {
			t.Fatal("the session is gone")
		}
		before := len(l.pending)
		out := answers(land(books[0], books[0].Submit(w.Scope, b, now)))
		if len(out) > 1 || len(out) == 0 && len(l.pending) == before {
			t.Fatalf("%d answers", len(out))
		}
	})
}

// FuzzHeartbeat: heads are a peer's claims.
func FuzzHeartbeat(f *testing.F) {
	w, books, _, _ := started(f)
	good := &linkpb.Heartbeat{Now: w.Now, Heads: books[1].Heads(Side(w.Sides[0].ID), w.Now)}
	b, err := proto.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	now := w.Now
	f.Fuzz(func(_ *testing.T, b []byte) {
		var h linkpb.Heartbeat
		if proto.Unmarshal(b, &h) == nil {
			now++
			land(books[0], books[0].Heartbeat(Side(w.Sides[1].ID), &h, now))
		}
	})
}

// FuzzParse: what parses encodes to the very bytes.
func FuzzParse(f *testing.F) {
	_, books, _, acts := started(f)
	for _, b := range acts {
		f.Add(b)
	}
	for _, s := range books[1].Scopes() {
		for _, it := range books[1].Ledger(s).chain(books[1].host.Own).items {
			f.Add(it.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parse(b); err == nil && (!bytes.Equal(act.Encode(p.signed), b) || !bytes.Equal(act.Encode(p.Act), p.signed.Act)) {
			t.Fatal("act: not the same bytes")
		}
		if _, o, so, err := parseItem(b); err == nil && (!bytes.Equal(act.Encode(so), b) || !bytes.Equal(act.Encode(o), so.Item)) {
			t.Fatal("item: not the same bytes")
		}
	})
}
