package link

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// Make before break: six re-keys under traffic, and not one packet is lost or doubled.
func TestRekeyKeepsMedia(t *testing.T) {
	bubble(t, func(t *testing.T) {
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
		if c, ok := up.Track().Clock(); !ok || c.NTP != 42<<32 || c.Timestamp != 4711 {
			t.Errorf("sender report %+v %t", c, ok)
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

// Re-keys while a tenth of all datagrams is lost: frames come once and in order, media is mended across the seam.
func TestRekeyUnderLoss(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
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
