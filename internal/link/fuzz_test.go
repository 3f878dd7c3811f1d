package link

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/wire/linkpb"
)

func FuzzFrame(f *testing.F) {
	for _, frame := range []*linkpb.LinkFrame{heartbeat(1), entry(3, 100), helloOfFuzz(f)} {
		b, err := encodeFrame(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := frameReader{r: bytes.NewReader(b)}
		for {
			frame, err := r.next(func(n int) error {
				if n > maxFrame+frameHeader {
					t.Fatal("too large came through")
				}
				return nil
			})
			if err != nil {
				return
			}
			again, err := encodeFrame(frame)
			if err != nil {
				if proto.Size(frame) == 0 {
					continue
				}
				t.Fatal(err)
			}
			back, err := decodeBody(again[frameHeader:])
			if err != nil || !proto.Equal(frame, back) {
				t.Fatalf("%v: %v is not %v", err, back, frame)
			}
		}
	})
}

func helloOfFuzz(f *testing.F) *linkpb.LinkFrame {
	p := newParty(f)
	c := p.cfg
	if err := c.complete(); err != nil {
		f.Fatal(err)
	}
	e := &Endpoint{cfg: c, side: p.root.Side()}
	e.nodeCert.Store(&c.NodeCert)
	return e.hello(time.Unix(1, 0))
}

// Whatever a HELLO says, only the very bytes of the pinned root, with a certificate of the TLS key, pass.
func FuzzHello(f *testing.F) {
	a, b := newParty(f), newParty(f)
	c := b.cfg
	if err := c.complete(); err != nil {
		f.Fatal(err)
	}
	e := &Endpoint{cfg: c, side: b.root.Side()}
	e.nodeCert.Store(&c.NodeCert)
	side := a.root.Side()
	good, root := a.cfg.NodeCert, canon.Encode(a.root.Public())
	f.Add(uint32(1), uint32(1), side[:], root, good)
	f.Add(uint32(1), uint32(1), side[:], root, b.cfg.NodeCert)
	f.Add(uint32(0), uint32(1<<31), []byte{}, []byte{}, []byte{0xa0})
	f.Fuzz(func(t *testing.T, low, high uint32, side, root, cert []byte) {
		h := &linkpb.LinkHello{ProtocolMin: low, ProtocolMax: high, Side: side, Delegation: root, NodeCert: cert}
		protocol, refusal := e.checkHello(a.peer(""), a.key.Public(), h, time.Unix(1, 0))
		if refusal != nil {
			return
		}
		own := a.root.Side()
		if protocol < c.ProtocolMin || protocol > c.ProtocolMax || !bytes.Equal(side, own[:]) || !bytes.Equal(root, canon.Encode(a.root.Public())) {
			t.Fatal("let in")
		}
	})
}

// Datagrams of strangers and garbage from a peer's address: a verdict each, and no panic.
func FuzzDatagram(f *testing.F) {
	n := newNetwork(1, 0)
	s := n.socket()
	p, other := newParty(f), newParty(f)
	p.cfg.Socket = s
	e, err := New(p.cfg)
	if err != nil {
		f.Fatal(err)
	}
	if err := e.SetPeers([]Peer{other.peer("")}); err != nil {
		f.Fatal(err)
	}
	from := netip.MustParseAddrPort("10.0.0.9:1")
	m := e.Media(other.root.Side())
	e.addresses.Store(&map[netip.AddrPort]*Media{from: m})
	f.Add([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
	f.Add([]byte{0x81, 201, 0, 1})
	f.Add([]byte{0xc0, 0, 0, 0, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after uint64
		for _, v := range Verdicts() {
			before += e.counters.Get(v)
		}
		e.receive(time.Unix(1, 0), b, from)
		select {
		case d := <-e.port.in:
			datagrams.Put(d)
		default:
		}
		for _, v := range Verdicts() {
			after += e.counters.Get(v)
		}
		if after != before+1 && e.counters.Get(ParkedTooLong) == 0 {
			t.Fatalf("%d verdicts", after-before)
		}
		if len(m.parked) > maxParked {
			t.Fatal("parked without bound")
		}
	})
}

// Reports of a peer that holds the keys: opened already, still hostile.
func FuzzReport(f *testing.F) {
	p := newParty(f)
	m := newMedia(&Endpoint{events: newQueue()}, newPeer(&Endpoint{}, p.peer("")))
	g := &generation{used: map[uint32]bool{}}
	for _, r := range []rtcp.Packet{
		&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 2, Nacks: []rtcp.NackPair{{PacketID: 65535, LostPackets: 0xffff}}},
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 2}}},
		&rtcp.SenderReport{SSRC: 1},
	} {
		b, err := r.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	d := &DownStream{m: m}
	m.outgoing[2] = d
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := rtcp.Unmarshal(b)
		if err != nil {
			return
		}
		for _, r := range list {
			if v := m.takeReport(time.Unix(1, 0), g, r); v != ReportDelivered && v != ReportForeign {
				t.Fatal(v)
			}
		}
	})
}

// TrackOpens of a hostile peer: nothing opens that was not subscribed to, and SSRCs stay bounded.
func FuzzTrackOpen(f *testing.F) {
	f.Add([]byte("s"), "camera", uint32(1), uint32(2), "vp9", uint32(90000), uint64(1), uint64(1))
	f.Add([]byte("s"), "camera", uint32(1), uint32(1), "h264", uint32(0), uint64(1)<<48, uint64(0))
	f.Fuzz(func(t *testing.T, scope []byte, track string, ssrc, again uint32, codec string, clock uint32, first, firstAgain uint64) {
		e := &Endpoint{events: newQueue()}
		m := newMedia(e, newPeer(e, Peer{}))
		u := &UpStream{m: m, key: trackKey{"s", "camera"}}
		m.up[u.key] = u
		g := &generation{used: map[uint32]bool{}}
		for i := range uint32(3) {
			m.opened(time.Unix(1, 0), g, &linkpb.TrackOpen{
				Scope: scope, Track: track, Ssrc: ssrc + i, RtxSsrc: again + i, Codec: codec, ClockRate: clock,
				FirstIndex: first, FirstRtxIndex: firstAgain,
			})
		}
		if len(m.incoming) > 2 {
			t.Fatalf("%d SSRCs for one track", len(m.incoming))
		}
		if u.Track() != nil && (string(scope) != "s" || track != "camera" || codec == "h264") {
			t.Fatal("opened")
		}
	})
}
