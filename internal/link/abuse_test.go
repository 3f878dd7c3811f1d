package link

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"parley.link/parley/internal/forward"
)

// What whoever can put datagrams on our port from the peer's address can try, with and without the keys.
func TestAbuseOfSealedMedia(t *testing.T) {
	a, b := pair(t)
	src := newSource("camera")
	down, _, out := trackOver(t, a, b, src, 100)
	src.send(100)
	until(t, "the first packet", func() bool { out.mu.Lock(); defer out.mu.Unlock(); return len(out.got) == 1 })

	out.mu.Lock()
	out.lax = true
	out.mu.Unlock()
	g := down.bound.keys
	seal := func(ssrc uint32, seq uint16) []byte {
		var p packet
		p.N = marshalRTP(p.Buf[:], &forward.Packet{PayloadType: payloadTypeMedia, Sequence: seq, Payload: []byte("0123456789012345")}, ssrc)
		if err := g.sealRTP(&p, &down.header, ssrc, uint64(seq)); err != nil {
			t.Fatal(err)
		}
		return p.Buf[:p.N]
	}
	from := a.e.Addr().(*net.UDPAddr).AddrPort()
	give := func(b2 []byte) { b.e.receive(time.Now(), b2, unmap(from)) }
	for _, c := range []struct {
		name string
		want Verdict
		make func() []byte
	}{
		{"replayed", Replayed, func() []byte {
			sealed := seal(down.bound.ssrc, 900)
			give(bytes.Clone(sealed))
			return sealed
		}},
		{"altered", NotAuthentic, func() []byte { s := seal(down.bound.ssrc, 901); s[len(s)-20] ^= 1; return s }},
		{"moved to another place", NotAuthentic, func() []byte {
			s := seal(down.bound.ssrc, 902)
			binary.BigEndian.PutUint16(s[2:], 903)
			return s
		}},
		{"unknown stream", Parked, func() []byte { return seal(0x01020304, 1) }},
		{"too short", TooShort, func() []byte { return seal(down.bound.ssrc, 904)[:20] }},
		{"retransmission under the media SSRC", BadHeader, func() []byte {
			var p packet
			p.N = marshalRTP(p.Buf[:], &forward.Packet{PayloadType: payloadTypeAgain, Sequence: 905, Payload: []byte("0123456789012345")}, down.bound.ssrc)
			if err := g.sealRTP(&p, &down.header, down.bound.ssrc, 905); err != nil {
				t.Fatal(err)
			}
			return p.Buf[:p.N]
		}},
		{"report of a stranger", ReportForeign, func() []byte { return append([]byte{0x81, 201, 0, 1, 9, 9, 9, 9}, make([]byte, 40)...) }},
	} {
		before := b.e.Counters().Get(c.want)
		give(c.make())
		if got := b.e.Counters().Get(c.want); got != before+1 {
			t.Errorf("%s: not %s", c.name, c.want)
		}
	}
	// From an address without a carrier.
	before := b.e.Counters().Get(UnknownAddress)
	b.e.receive(time.Now(), seal(down.bound.ssrc, 906), netip.MustParseAddrPort("10.9.9.9:9"))
	if b.e.Counters().Get(UnknownAddress) != before+1 {
		t.Error("taken from a strange address")
	}
}
