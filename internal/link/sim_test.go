package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/wire/linkpb"
)

// simPair starts two parties in a simulated network; both dial.
func simPair(t *testing.T, n *network, rekey time.Duration) (a, b *party, sa, sb *simSocket) {
	a, b = twoParties(t)
	sa, sb = n.socket(), n.socket()
	a.cfg.Socket, b.cfg.Socket, a.cfg.Rekey, b.cfg.Rekey = sa, sb, rekey, rekey
	b.start(a.peer(sa.addr.String()))
	a.start(b.peer(sb.addr.String()))
	await[Up](a, "up")
	await[Up](b, "up")
	return a, b, sa, sb
}

// A node that is killed and comes back is noticed by a stateless reset with the next packet, not by the idle timeout.
func TestKilledNodeIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(1, 10*time.Millisecond)
		a, b, _, sb := simPair(t, n, 0)
		reborn := n.kill(sb)
		b.stop() // the dead process says nothing any more; this only ends its goroutines
		killed := time.Now()
		b.cfg.Socket, b.cfg.Boot = reborn, 2
		b.start() // back, but dials nobody: only the reset can tell
		if err := a.e.Send(b.root.Side(), heartbeat(1)); err != nil {
			t.Fatal(err)
		}
		d := await[Down](a, "down")
		if took := time.Since(killed); d.Reason != ReasonReset || took > time.Second {
			t.Fatalf("%s after %v", d.Reason, took)
		}
		if err := b.e.SetPeers([]Peer{a.peer("")}); err != nil {
			t.Fatal(err)
		}
		if u := await[Up](a, "up again"); u.Boot != 2 {
			t.Fatal(u.Boot)
		}
		a.stop()
		b.stop()
	})
}

// A node that does not come back is noticed by silence.
func TestSilenceIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(2, 10*time.Millisecond)
		a, b, _, _ := simPair(t, n, 0)
		n.set(1)
		cut := time.Now()
		if d := await[Down](a, "down"); d.Reason != ReasonIdle || time.Since(cut) > 6*time.Second {
			t.Fatalf("%s after %v", d.Reason, time.Since(cut))
		}
		a.e.SetBusy(b.root.Side(), true)
		time.Sleep(time.Minute)
		n.set(0)
		back := time.Now()
		await[Up](a, "up again")
		// A dial under way when the path comes back must first fail (1.5 s); the next begins within a second.
		if took := time.Since(back); took > 3*time.Second {
			t.Fatalf("back after %v", took)
		}
		a.stop()
		b.stop()
	})
}

// A peer that restarts and dials before anybody noticed: down and up, with the reason.
func TestRestartedPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(3, 10*time.Millisecond)
		a, b, _, sb := simPair(t, n, 0)
		reborn := n.kill(sb)
		b.stop()
		b.cfg.Socket, b.cfg.Boot = reborn, 2
		b.start(a.peer(a.addr))
		if d := await[Down](a, "down"); d.Reason != ReasonRestarted && d.Reason != ReasonReset {
			t.Fatal(d.Reason)
		}
		if u := await[Up](a, "up"); u.Boot != 2 {
			t.Fatal(u.Boot)
		}
		a.stop()
		b.stop()
	})
}

// source publishes numbered packets of one track into an UpTrack as a peer connection would.
type source struct {
	up   *forward.UpTrack
	seq  uint16
	next uint32
	asks atomic.Int64
}

var testScope = []byte("scope")

func newSource(name string) *source {
	s := &source{seq: 65000} // wraps early
	s.up = forward.NewUpTrack(name, forward.Video, forward.Codec{MimeType: "video/VP9", ClockRate: 90000}, func() { s.asks.Add(1) })
	return s
}

func (s *source) send(size int) {
	payload := bytes.Repeat([]byte{byte(s.next)}, size)
	binary.BigEndian.PutUint32(payload, s.next)
	binary.BigEndian.PutUint64(payload[4:], uint64(time.Now().UnixNano()))
	p := &forward.Packet{
		SSRC: 77, PayloadType: 98, Sequence: s.seq, Timestamp: s.next * 3000, Marker: s.next%3 == 0, Payload: payload,
	}
	if s.next%2 == 0 {
		p.Descriptor = bytes.Repeat([]byte{byte(s.next)}, 1+int(s.next%40))
	}
	s.up.Write(time.Now(), p)
	s.next++
	s.seq++
}

// sink is an own person at the subscribing node.
type sink struct {
	t    testing.TB
	mu   sync.Mutex
	got  map[uint32]time.Duration // number → how late
	size int
	lax  bool // the test itself makes packets up
}

func (s *sink) WriteRTP(_ time.Time, p *forward.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p.Payload) == 0 || s.lax {
		return nil // the probe
	}
	n := binary.BigEndian.Uint32(p.Payload)
	if _, twice := s.got[n]; twice {
		s.t.Errorf("packet %d came twice", n)
	}
	want := bytes.Repeat([]byte{byte(n)}, s.size)
	copy(want[:12], p.Payload[:12])
	var descriptor []byte
	if n%2 == 0 {
		descriptor = bytes.Repeat([]byte{byte(n)}, 1+int(n%40))
	}
	if p.Timestamp != n*3000 || p.Marker != (n%3 == 0) || !bytes.Equal(p.Payload, want) || !bytes.Equal(p.Descriptor, descriptor) {
		s.t.Errorf("packet %d was changed on the way: %+v", n, p)
	}
	s.got[n] = time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(p.Payload[4:]))))
	return nil
}

// trackOver carries one track from a to b and returns both ends.
func trackOver(t testing.TB, a, b *party, src *source, size int) (*DownStream, *UpStream, *sink) {
	t.Helper()
	if _, err := b.e.Media(a.root.Side()).Subscribe(testScope, src.up.ID(), 2); err != nil {
		t.Fatal(err)
	}
	f := awaitWhere(a, "subscription", func(f Frame) bool { return f.Frame.GetSubscribe() != nil })
	down, err := a.e.Media(b.root.Side()).OpenDown(f.Frame.GetSubscribe().Scope, f.Frame.GetSubscribe().Track, src.up)
	if err != nil {
		t.Fatal(err)
	}
	up := await[Opened](b, "opened").Stream
	out := &sink{t: t, got: map[uint32]time.Duration{}, size: size}
	if _, err := up.Track().Subscribe(time.Now(), forward.Outgoing{SSRC: 5, First: 100}, forward.NewBudget(), out); err != nil {
		t.Fatal(err)
	}
	return down, up, out
}

func TestMediaLossIsMended(t *testing.T) {
	for _, loss := range []float64{0, 0.05, 0.10} {
		t.Run(fmt.Sprintf("%.0f%%", loss*100), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size, packets, rate = 1100, 20000, 500
				n := newNetwork(4, 25*time.Millisecond)
				a, b, _, _ := simPair(t, n, 0)
				src := newSource("camera")
				down, _, out := trackOver(t, a, b, src, size)
				n.set(loss)
				for range packets {
					src.send(size)
					time.Sleep(time.Second / rate)
				}
				time.Sleep(2 * time.Second)
				n.set(0)
				out.mu.Lock()
				in150 := 0
				for _, late := range out.got {
					if late <= 25*time.Millisecond+150*time.Millisecond {
						in150++
					}
				}
				arrived := float64(len(out.got)) / packets
				soon := float64(in150) / packets
				out.mu.Unlock()
				resent := down.Track().Counters().Get(forward.Resent)
				t.Logf("loss %.0f%%: arrived %.4f, within 150 ms of the base delay %.4f, resent %.3f of sent, over budget %d",
					loss*100, arrived, soon, float64(resent)/packets, down.Track().Counters().Get(forward.OverBudget))
				if arrived < 0.999 || soon < 0.98 {
					t.Errorf("arrived %.4f, within 150 ms %.4f", arrived, soon)
				}
				if float64(resent)/packets > 2*loss+0.01 {
					t.Errorf("resent %.3f of what was sent", float64(resent)/packets)
				}
				fraction, lost, _ := down.Quality()
				if loss > 0 && lost == 0 {
					t.Errorf("no loss reported: %f %d", fraction, lost)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// Make before break: six re-keys under traffic, and not one packet is lost or doubled.
func TestRekeyKeepsMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, packets = 300, 70000 // wraps the sequence number
		n := newNetwork(5, 20*time.Millisecond)
		a, b, _, _ := simPair(t, n, 5*time.Second)
		src := newSource("camera")
		down, up, out := trackOver(t, a, b, src, size)
		first := down.bound.ssrc
		for range packets {
			src.send(size)
			time.Sleep(time.Second / 2000)
		}
		down.SenderReport(42<<32, 4711)
		time.Sleep(time.Second)
		out.mu.Lock()
		if len(out.got) != packets {
			t.Errorf("%d of %d packets", len(out.got), packets)
		}
		out.mu.Unlock()
		if ntp, ts, _, ok := up.SenderReport(); !ok || ntp != 42<<32 || ts != 4711 {
			t.Errorf("sender report %d %d %t", ntp, ts, ok)
		}
		if c := a.e.Status(b.root.Side()).Carriers; c < 6 || down.bound.ssrc == first {
			t.Errorf("%d carriers", c)
		}
		if down.media.high < packets {
			t.Errorf("index %d", down.media.high)
		}
		if count[Down](a)+count[Down](b) != 0 {
			t.Error("down")
		}
		m := b.e.Media(a.root.Side())
		m.mu.Lock()
		if len(m.live) > 2 || len(m.incoming) > 4 {
			t.Errorf("%d generations, %d SSRCs", len(m.live), len(m.incoming))
		}
		m.mu.Unlock()
		for _, v := range []Verdict{NotAuthentic, Replayed, BadHeader, ParkedTooLong} {
			if c := b.e.Counters().Get(v); c != 0 {
				t.Errorf("%d packets %s", c, v)
			}
		}
		a.stop()
		b.stop()
	})
}

// Within 30 s a peer that did not restart finds its tracks as they were; a restarted one is subscribed to anew.
func TestTracksComeBack(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %t", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size = 200
				n := newNetwork(6, 20*time.Millisecond)
				a, b, sa, _ := simPair(t, n, 0)
				src := newSource("camera")
				_, _, out := trackOver(t, a, b, src, size)
				for range 100 {
					src.send(size)
				}
				time.Sleep(100 * time.Millisecond) // in flight
				if restart {
					reborn := n.kill(sa)
					a.stop()
					a.cfg.Socket, a.cfg.Boot = reborn, 2
					a.start(b.peer(b.addr))
					await[Up](a, "up")
					f := awaitWhere(a, "subscription by itself", func(f Frame) bool { return f.Frame.GetSubscribe() != nil })
					if _, err := a.e.Media(b.root.Side()).OpenDown(f.Frame.GetSubscribe().Scope, "camera", src.up); err != nil {
						t.Fatal(err)
					}
				} else {
					n.set(1)
					await[Down](b, "down")
					await[Down](a, "down")
					n.set(0)
					await[Up](a, "up")
				}
				await[Up](b, "up")
				time.Sleep(time.Second)
				out.mu.Lock()
				before := len(out.got)
				out.mu.Unlock()
				for range 100 {
					src.send(size)
					time.Sleep(10 * time.Millisecond)
				}
				time.Sleep(time.Second)
				out.mu.Lock()
				if got := len(out.got) - before; got != 100 {
					t.Errorf("%d of 100 packets", got)
				}
				out.mu.Unlock()
				a.stop()
				b.stop()
			})
		})
	}
}

func TestKeyFrameRequestsCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(7, 10*time.Millisecond)
		a, b, _, _ := simPair(t, n, 0)
		src := newSource("camera")
		_, up, _ := trackOver(t, a, b, src, 100)
		time.Sleep(2 * time.Second)
		src.asks.Store(0)
		for range 450 { // 4.5 s of a receiver with a wrong key
			up.Track().RequestKeyFrame(time.Now())
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if asks := src.asks.Load(); asks < 9 || asks > 11 {
			t.Errorf("%d requests reached the source", asks)
		}
		a.stop()
		b.stop()
	})
}

func TestUnsubscribeEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(8, 10*time.Millisecond)
		a, b, _, _ := simPair(t, n, 0)
		src := newSource("camera")
		_, up, _ := trackOver(t, a, b, src, 100)
		if src.up.Subscribers() != 1 {
			t.Fatal(src.up.Subscribers())
		}
		up.Close()
		awaitWhere(a, "unsubscription", func(f Frame) bool { return f.Frame.GetUnsubscribe() != nil })
		if src.up.Subscribers() != 0 {
			t.Error("still subscribed")
		}
		if !up.Track().Closed() {
			t.Error("the source is open")
		}
		// What nobody asked for opens nothing.
		if err := a.e.Send(b.root.Side(), &linkpb.LinkFrame{Body: &linkpb.LinkFrame_TrackOpen{TrackOpen: &linkpb.TrackOpen{
			Scope: testScope, Track: "camera", Ssrc: 9, RtxSsrc: 10, Codec: "vp9", ClockRate: 90000, FirstIndex: 1, FirstRtxIndex: 1,
		}}}); err != nil {
			t.Fatal(err)
		}
		awaitWhere(a, "unsubscription", func(f Frame) bool { return f.Frame.GetUnsubscribe() != nil })
		a.stop()
		b.stop()
	})
}

// Both nodes dial, at any offset, over a path that loses packets: the link comes up, ends with the lower id's carrier, and does
// not flap. The seed is in the name.
func TestDialsMeet(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(seed, time.Duration(1+seed%5*20)*time.Millisecond)
				n.set(float64(seed%4) * 0.05)
				a, b := twoParties(t)
				sa, sb := n.socket(), n.socket()
				a.cfg.Socket, b.cfg.Socket = sa, sb
				offset := time.Duration(int64(seed)-20) * 10 * time.Millisecond
				if offset < 0 {
					a.start(b.peer(sb.addr.String()))
					time.Sleep(-offset)
					b.start(a.peer(sa.addr.String()))
				} else {
					b.start(a.peer(sa.addr.String()))
					time.Sleep(offset)
					a.start(b.peer(sb.addr.String()))
				}
				await[Up](a, "up")
				await[Up](b, "up")
				time.Sleep(10 * time.Second)
				n.set(0)
				time.Sleep(time.Second)
				sta, stb := a.e.Status(b.root.Side()), b.e.Status(a.root.Side())
				if sta.State != StateUp || stb.State != StateUp || sta.Dialled == stb.Dialled {
					t.Errorf("ended as %+v and %+v", sta, stb)
				}
				for i := range uint64(20) {
					if a.e.Send(b.root.Side(), heartbeat(i)) != nil || b.e.Send(a.root.Side(), entry(i, 1000)) != nil {
						t.Fatal("not sent")
					}
				}
				for i := range uint64(20) {
					if f := await[Frame](b, "heartbeat").Frame.GetHeartbeat(); f.GetSequence() != i {
						t.Fatalf("heartbeat %d came as %d", i, f.GetSequence())
					}
					await[Frame](a, "entry")
				}
				if d := count[Down](a) + count[Down](b); d != 0 {
					t.Errorf("down %d times", d)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// The dialling node's NAT gives it another address: QUIC validates the new path, media follows within seconds, nobody goes down.
func TestPeerMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(9, 20*time.Millisecond)
		a, b := twoParties(t)
		sa, sb := n.socket(), n.socket()
		a.cfg.Socket, b.cfg.Socket = sa, sb
		b.start(a.peer(""))
		a.start(b.peer(sb.addr.String()))
		await[Up](a, "up")
		await[Up](b, "up")
		srcA, srcB := newSource("a2"), newSource("b2")
		_, _, outB := trackOver(t, a, b, srcA, 200)
		_, _, outA := trackOver(t, b, a, srcB, 200)
		n.move(sa)
		time.Sleep(3 * time.Second)
		if err := a.e.Send(b.root.Side(), heartbeat(1)); err != nil {
			t.Fatal(err)
		}
		awaitWhere(b, "heartbeat", func(f Frame) bool { return f.Frame.GetHeartbeat() != nil })
		time.Sleep(2 * time.Second)
		for range 100 {
			srcA.send(200)
			srcB.send(200)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		for _, o := range []*sink{outA, outB} {
			o.mu.Lock()
			if len(o.got) != 100 {
				t.Errorf("%d of 100", len(o.got))
			}
			o.mu.Unlock()
		}
		if d := count[Down](a) + count[Down](b); d != 0 {
			t.Errorf("down %d times", d)
		}
		a.stop()
		b.stop()
	})
}

// Re-keys while a tenth of all datagrams is lost: frames come once and in order, media is mended across the seam.
func TestRekeyUnderLoss(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const size, packets = 300, 12000
				n := newNetwork(seed, 20*time.Millisecond)
				a, b, _, _ := simPair(t, n, 2*time.Second)
				src := newSource("camera")
				_, _, out := trackOver(t, a, b, src, size)
				n.set(0.1)
				for i := range packets {
					src.send(size)
					if i%20 == 0 {
						if a.e.Send(b.root.Side(), entry(uint64(i/20), 500)) != nil || b.e.Send(a.root.Side(), entry(uint64(i/20), 500)) != nil {
							t.Fatal("not sent")
						}
					}
					time.Sleep(time.Second / 500)
				}
				time.Sleep(3 * time.Second)
				n.set(0)
				for _, p := range []*party{a, b} {
					for i := range packets / 20 {
						got := awaitWhere(p, "entry", func(f Frame) bool { return f.Frame.GetEntry() != nil }).Frame.GetEntry().GetEntry()
						if int(binary.BigEndian.Uint32(got)) != i {
							t.Fatalf("entry %d came as %d", i, binary.BigEndian.Uint32(got))
						}
					}
				}
				out.mu.Lock()
				if arrived := float64(len(out.got)) / packets; arrived < 0.998 {
					t.Errorf("arrived %.4f", arrived)
				}
				out.mu.Unlock()
				if c := a.e.Status(b.root.Side()).Carriers; c < 6 {
					t.Errorf("%d carriers", c)
				}
				if d := count[Down](a) + count[Down](b); d != 0 {
					t.Errorf("down %d times", d)
				}
				a.stop()
				b.stop()
			})
		})
	}
}
