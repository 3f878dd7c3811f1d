package estimate

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// follows is a source that sends what it may, between two layers' costs in fine steps, up to most.
func follows(most int) func(int) int {
	return func(estimate int) int { return min(estimate-60_000, most) }
}

func kbit(bits int) int { return bits / 1000 }

func TestItFindsWhatThePathBears(t *testing.T) {
	for _, c := range []struct {
		name     string
		path     path
		low, top int // kbit/s, after 12 s
	}{
		{"500 kbit/s", path{bits: 500_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 300, 520},
		{"1 Mbit/s", path{bits: 1_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 650, 1050},
		{"1 Mbit/s far away", path{bits: 1_000_000, queue: 300 * time.Millisecond, way: 150 * time.Millisecond}, 600, 1050},
		{"4 Mbit/s", path{bits: 4_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 2600, 4100},
		{"4 Mbit/s, jitter", path{bits: 4_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond, jitter: 20 * time.Millisecond}, 1500, 4200},
		{"4 Mbit/s, 2 % lost", path{bits: 4_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond, loss: 0.02}, 2000, 4200},
		{"4 Mbit/s, 5 % lost", path{bits: 4_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond, loss: 0.05}, 1500, 4200},
		{"4 Mbit/s, 10 % lost", path{bits: 4_000_000, queue: 300 * time.Millisecond, way: 50 * time.Millisecond, loss: 0.10}, 1000, 4200},
		{"short queue", path{bits: 1_000_000, queue: 30 * time.Millisecond, way: 20 * time.Millisecond}, 500, 1100},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := newCall(t, c.path, 300_000, follows(5_000_000))
			call.e.SetWanted(5_000_000)
			call.run(12*time.Second, nil)
			var sum, n int
			call.p.late, call.p.lost, call.p.passed = 0, 0, 0
			call.run(8*time.Second, func(time.Time) { sum += call.e.Bits(); n++ })
			mean := kbit(sum / n)
			t.Logf("mean %d kbit/s, arriving %d, longest wait %v, lost %d, rtt %v", mean, kbit(call.p.passed), call.p.late, call.p.lost, call.e.RTT())
			if mean < c.low || mean > c.top {
				t.Errorf("%d kbit/s, want %d to %d", mean, c.low, c.top)
			}
		})
	}
}

// 4 → 0.5 → 4 Mbit/s: the queue is short-lived after the fall, and what was had before is had again within seven seconds.
func TestAStepDownAndUp(t *testing.T) {
	c := newCall(t, path{bits: 4_000_000, queue: 500 * time.Millisecond, way: 20 * time.Millisecond}, 300_000, follows(2_500_000))
	c.e.SetWanted(2_600_000)
	c.run(12*time.Second, nil)
	if c.e.Bits() < 2_400_000 {
		t.Fatalf("%d kbit/s on a path of 4000", kbit(c.e.Bits()))
	}
	c.p.bits = 500_000
	fell := time.Duration(0)
	start := c.now
	c.run(5*time.Second, func(now time.Time) {
		if fell == 0 && c.e.Bits() < 600_000 {
			fell = now.Sub(start)
		}
	})
	c.p.late = 0
	c.run(10*time.Second, nil)
	t.Logf("fell in %v; then %d kbit/s, longest wait %v", fell, kbit(c.e.Bits()), c.p.late)
	if fell == 0 || fell > 2*time.Second || c.e.Bits() > 600_000 {
		t.Errorf("fell in %v to %d kbit/s", fell, kbit(c.e.Bits()))
	}
	c.p.bits = 4_000_000
	start = c.now
	back := time.Duration(0)
	c.run(10*time.Second, func(now time.Time) {
		if back == 0 && c.e.Bits() >= 2_200_000 {
			back = now.Sub(start)
		}
	})
	t.Logf("back in %v", back)
	if back == 0 || back > 7*time.Second {
		t.Errorf("back at %d kbit/s after %v", kbit(c.e.Bits()), back)
	}
}

// A source that sends little proves little, and is not probed for when nothing more is wanted.
func TestItDoesNotRunAwayFromASmallSource(t *testing.T) {
	c := newCall(t, path{bits: 10_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 300_000, func(int) int { return 350_000 })
	c.e.SetWanted(400_000)
	c.run(60*time.Second, nil)
	if got := c.e.Bits(); got > 1_000_000 {
		t.Errorf("%d kbit/s though 400 were sent", kbit(got))
	}
	if c.probed > 100_000 {
		t.Errorf("%d bytes of padding though nothing more was wanted", c.probed)
	}
}

func TestProbesAreFewOnAPathThatDoesNotBearMore(t *testing.T) {
	c := newCall(t, path{bits: 500_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 300_000, follows(3_000_000))
	c.e.SetWanted(3_000_000)
	c.run(20*time.Second, nil)
	c.probed, c.p.passed = 0, 0
	c.run(40*time.Second, nil)
	t.Logf("%d bytes of padding beside %d, longest wait %v", c.probed, c.p.passed, c.p.late)
	if c.probed*10 > c.p.passed {
		t.Errorf("%d bytes of padding beside %d", c.probed, c.p.passed)
	}
}

// Three seconds of nothing: the estimate falls meanwhile and comes back.
func TestAnOutage(t *testing.T) {
	c := newCall(t, path{bits: 2_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 300_000, follows(1_300_000))
	c.e.SetWanted(1_400_000)
	c.run(12*time.Second, nil)
	before := c.e.Bits()
	c.p.down = true
	c.run(3*time.Second, nil)
	if c.e.Bits() > before/2 {
		t.Errorf("%d kbit/s in the outage, %d before", kbit(c.e.Bits()), kbit(before))
	}
	c.p.down = false
	c.run(7*time.Second, nil)
	if c.e.Bits() < before*2/3 {
		t.Errorf("%d kbit/s after the outage, %d before", kbit(c.e.Bits()), kbit(before))
	}
}

func TestNothingIsAllocatedForAPacket(t *testing.T) {
	e := New(t0, 300_000)
	e.Sent(t0, 1000, 0)
	if n := testing.AllocsPerRun(1000, func() { e.Sent(t0, 1000, 0) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// The clocks wrap: the receiver's after twelve days, the history's after half a day.
func TestOverADay(t *testing.T) {
	c := newCall(t, path{bits: 2_000_000, queue: 300 * time.Millisecond, way: 20 * time.Millisecond}, 300_000, follows(1_000_000))
	c.e.SetWanted(1_100_000)
	c.run(10*time.Second, nil)
	before := c.e.Bits()
	for range 20 {
		c.now = c.now.Add(25 * time.Hour)
		c.run(3*time.Second, nil)
	}
	if c.e.Bits() < before/3 {
		t.Errorf("%d kbit/s, %d before", kbit(c.e.Bits()), kbit(before))
	}
}

// Whatever a receiver reports: no panic, bounded work, an estimate within its bounds.
func FuzzFeedback(f *testing.F) {
	good := &rtcp.TransportLayerCC{
		Header:             rtcp.Header{Padding: true, Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
		BaseSequenceNumber: 1, PacketStatusCount: 2, ReferenceTime: 7,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 2}},
		RecvDeltas: []*rtcp.RecvDelta{
			{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250}, {Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 500},
		},
	}
	b, err := good.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, b)
	f.Add([]byte{0x8f, 205, 0, 5}, b)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		e := New(t0, 500_000)
		e.SetWanted(5_000_000)
		now := t0
		for round := range 8 {
			for range 40 {
				now = now.Add(3 * time.Millisecond)
				e.Sent(now, 1000, 0)
			}
			if p, ok := e.Probe(now); ok {
				for range p.Packets {
					e.Sent(now, p.Bytes/p.Packets, p.Cluster)
				}
			}
			var fb rtcp.TransportLayerCC
			if fb.Unmarshal([][]byte{one, two}[round%2]) == nil {
				e.Feedback(now, &fb)
			}
			e.Tick(now)
			if bits := e.Bits(); bits < Least || bits > Most {
				t.Fatalf("%d", bits)
			}
		}
	})
}
