package native

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/mlsframe"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/signalpb"
)

// Whatever a node pushes, and through it any member: it does not panic, and what is refused leaves the log as it was.
func FuzzPushes(f *testing.F) {
	w := sessiontest.New(2)
	v := w.Sides[0]
	first := NewLog(w.Scope, v.ID, v.Node.Public(), canon.Encode(v.Delegation.Public()))
	plan := w.Entry(first.State, w.Officer(v, 0, act.KindPlan, w.Plan(v.Person("fm", "adviser"))))
	if _, err := first.Entry(pushed(plan, w.HeadSig(v, 1, 0, plan))); err != nil {
		f.Fatal(err)
	}
	scope := w.Scope[:]
	attested := mlsframe.Attested{Version: 1, Scope: scope, Group: []byte("g"), Epoch: 1, Transcript: make([]byte, 64), Tree: make([]byte, 64)}
	device := v.Officers[0].Public()
	for _, m := range []*signalpb.ToClient{
		{Body: &signalpb.ToClient_Entries{Entries: &signalpb.Entries{Scope: scope, Entries: []*signalpb.Entry{pushed(plan, w.HeadSig(v, 1, 0, plan))}}}},
		{Body: &signalpb.ToClient_Entries{Entries: &signalpb.Entries{Scope: scope, Entries: []*signalpb.Entry{{Entry: []byte{0xa0}}, nil}}}},
		{Body: &signalpb.ToClient_Heads{Heads: &signalpb.Heads{Scope: scope, Heads: []*signalpb.Head{headOf(w, w.Sides[1], plan)}}}},
		{Body: &signalpb.ToClient_Outbox{Outbox: &signalpb.OutboxItems{Scope: scope, Items: [][]byte{canon.Encode(act.SignedOutbox{Item: []byte{0xa0}, Sig: make([]byte, 64)})}}}},
		{Body: &signalpb.ToClient_Relay{Relay: &signalpb.Relay{Scope: scope, Device: device, Kind: "ready", Payload: canon.Encode(readyNote{Epoch: 1, Group: []byte("g")})}}},
		{Body: &signalpb.ToClient_Relay{Relay: &signalpb.Relay{Scope: scope, Device: device, Kind: "attest", Payload: canon.Encode(ident.Signed{Body: attested.Bytes(), Ed25519: make([]byte, 64)})}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &signalpb.ToClient{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		l := &Log{State: first.State.Clone(), side: first.side, node: first.node, deleg: first.deleg, held: slices.Clone(first.held)}
		p := &Participant{log: l, early: map[string]readyNote{}}
		for _, e := range m.GetEntries().GetEntries() {
			before := l.State.Summary()
			if _, err := l.Entry(e); err != nil && !bytes.Equal(before, l.State.Summary()) {
				t.Fatal("refused, but the state changed")
			}
		}
		_ = l.Heads(m.GetHeads().GetHeads())
		_ = l.Outbox(m.GetOutbox().GetItems())
		if r := m.GetRelay(); r != nil {
			p.relayed(r)
			if len(p.early) > 0 {
				t.Fatal("a note of somebody who is not in the session is kept")
			}
		}
	})
}
