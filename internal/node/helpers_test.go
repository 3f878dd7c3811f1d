package node

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/wire/signalpb"
)

func encode(t *testing.T, m *signalpb.ToNode) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T, b []byte) *signalpb.ToClient {
	t.Helper()
	m := &signalpb.ToClient{}
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func nil2(seat.Device) bool { return true }

func signRevocation(p *party, person string) []byte {
	r := ident.Revocation{Version: 1, Side: p.id[:], Person: person, Device: []byte{}, Reason: "test", At: time.Now().UnixMilli(), By: p.officers[0].Public()}
	return canon.Encode(p.officers[0].SignBody(ident.ContextRevocation, r))
}

func idsOf(t *testing.T, entry []byte) []act.ID {
	t.Helper()
	var e act.Entry
	if err := canon.Decode(entry, &e); err != nil {
		t.Fatal(err)
	}
	item := e.Item
	if e.From == act.ItemOutbox {
		var so act.SignedOutbox
		var o act.Outbox
		if canon.Decode(item, &so) != nil || canon.Decode(so.Item, &o) != nil {
			t.Fatal("an outbox item cannot be read")
		}
		item = o.Act
	}
	var s act.Signed
	if err := canon.Decode(item, &s); err != nil {
		t.Fatal(err)
	}
	return []act.ID{act.IDOf(s.Act)}
}

// dump writes where packets are, hop by hop.
func dump(t *testing.T, p *party) {
	t.Helper()
	m := p.node.media
	m.mu.Lock()
	defer m.mu.Unlock()
	verdicts := func(c *forward.Counters) (s string) {
		if c == nil {
			return "none"
		}
		for _, v := range forward.Verdicts() {
			if n := c.Get(v); n > 0 {
				s += fmt.Sprintf(" %s=%d", v, n)
			}
		}
		return s
	}
	for k, u := range m.ups {
		t.Logf("%s up     %s %s refused=%v receivers=%d:%s", p.name, k.track, u.Codec().MimeType, u.Refused(), u.Subscribers(), verdicts(u.Counters()))
	}
	for k, r := range m.remote {
		if r.up == nil {
			t.Logf("%s remote %s not open", p.name, k.track)
			continue
		}
		t.Logf("%s remote %s %s refused=%v receivers=%d:%s", p.name, k.track, r.up.Codec().MimeType, r.up.Refused(), r.up.Subscribers(), verdicts(r.up.Counters()))
	}
	for side, wants := range m.wants {
		for k, d := range wants {
			if d == nil {
				t.Logf("%s to %s  %s not open", p.name, short(side), k.track)
				continue
			}
			t.Logf("%s to %s  %s:%s", p.name, short(side), k.track, verdicts(d.Track().Counters()))
		}
	}
	for _, x := range m.people {
		for _, w := range x.want {
			t.Logf("%s down   %s to %x:%s", p.name, w, x.device[:4], verdicts(x.rtc.DownCounters(w)))
		}
	}
}

func encoded(s ident.Signed) []byte { return canon.Encode(s) }
