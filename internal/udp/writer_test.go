package udp

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 20 * time.Second

func listen(t testing.TB, network, at string) *net.UDPConn {
	t.Helper()
	a, err := net.ResolveUDPAddr(network, at)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenUDP(network, a)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	_ = c.SetReadBuffer(8 << 20)
	_ = c.SetWriteBuffer(8 << 20)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func run(t testing.TB, w *Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { w.Run(ctx) })
	return sync.OnceFunc(func() { cancel(); wait.Wait() })
}

// Every datagram arrives whole, at its receiver, in its order, over both families and from a dual-stack socket to IPv4.
func TestArrivesInOrder(t *testing.T) {
	for _, c := range []struct{ network, from, to string }{
		{"udp4", "127.0.0.1:0", "127.0.0.1:0"}, {"udp6", "[::1]:0", "[::1]:0"}, {"udp", ":0", "127.0.0.1:0"},
	} {
		t.Run(c.network+" "+c.from, func(t *testing.T) {
			w := NewWriter(listen(t, c.network, c.from), time.Millisecond)
			stop := run(t, w)
			defer stop()
			const receivers, frames = 9, 20
			var conns []*net.UDPConn
			for range receivers {
				conns = append(conns, listen(t, "udp", c.to))
			}
			rng := rand.New(rand.NewPCG(1, 2))
			var sent [receivers][][]byte
			for range frames {
				packets := 1 + rng.IntN(6)
				last := 1 + rng.IntN(1100)
				for p := range packets {
					for i, conn := range conns {
						b := make([]byte, 1100)
						if p == packets-1 {
							b = b[:last]
						}
						b[0] = byte(len(sent[i]))
						b[len(b)-1] = byte(i)
						sent[i] = append(sent[i], b)
						if err := w.Write(b, conn.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
							t.Fatal(err)
						}
						clear(b[1 : len(b)-1])
					}
				}
			}
			buf := make([]byte, 2000)
			for i, conn := range conns {
				_ = conn.SetReadDeadline(time.Now().Add(patience))
				for k, want := range sent[i] {
					n, err := conn.Read(buf)
					if err != nil {
						t.Fatalf("receiver %d, datagram %d: %v", i, k, err)
					}
					if n != len(want) || buf[0] != want[0] || buf[n-1] != want[n-1] {
						t.Fatalf("receiver %d, datagram %d: %d bytes %d…%d, want %d bytes %d…%d", i, k, n, buf[0], buf[n-1], len(want), want[0], want[len(want)-1])
					}
				}
			}
			stop()
			if w.Counters().Runs.Load() == 0 || w.Counters().SendFailed.Load() != 0 {
				t.Fatalf("%d runs, %d failed: nothing was segmented", w.Counters().Runs.Load(), w.Counters().SendFailed.Load())
			}
			t.Logf("%d datagrams, %d calls, %d runs", w.Counters().Sent.Load(), w.Counters().Calls.Load(), w.Counters().Runs.Load())
		})
	}
}

// A receiver that the kernel refuses costs nobody else anything, and a run that is refused goes one by one.
func TestRefusedRuns(t *testing.T) {
	w := NewWriter(listen(t, "udp4", "127.0.0.1:0"), time.Millisecond)
	good := listen(t, "udp4", "127.0.0.1:0")
	bad := netip.MustParseAddrPort("127.0.0.1:0") // port 0: EINVAL
	for i := range 30 {
		to := good.LocalAddr().(*net.UDPAddr).AddrPort()
		if i%3 == 0 {
			to = bad
		}
		if err := w.Write([]byte{byte(i), 1, 2, 3}, to); err != nil {
			t.Fatal(err)
		}
	}
	stop := run(t, w)
	defer stop()
	_ = good.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	for i := range 30 {
		if i%3 == 0 {
			continue
		}
		if n, err := good.Read(buf); err != nil || n != 4 || buf[0] != byte(i) {
			t.Fatal(n, err, buf[0], i)
		}
	}
	stop()
	if c := w.Counters(); c.SendFailed.Load() != 10 || c.Sent.Load() != 20 || c.Unrun.Load() != 1 {
		t.Fatalf("%d failed, %d sent, %d runs refused", c.SendFailed.Load(), c.Sent.Load(), c.Unrun.Load())
	}
}

func TestBounds(t *testing.T) {
	w := NewWriter(listen(t, "udp4", "127.0.0.1:0"), 0)
	to := netip.MustParseAddrPort("127.0.0.1:9")
	w.sending.Lock() // the kernel takes nothing
	if w.Write(make([]byte, MaxDatagram+1), to) != ErrTooLarge {
		t.Error("too large, and taken")
	}
	for range maxQueued {
		if err := w.Write([]byte{1}, to); err != nil {
			t.Fatal(err)
		}
	}
	if w.Write([]byte{1}, to) != ErrQueueFull || w.Counters().QueueFull.Load() != 1 {
		t.Error("no bound on the queue")
	}
}

// Who queues plenty sends it, in order, and leaves the rest to Run.
func TestPlenty(t *testing.T) {
	s := &single{}
	w := NewWriter(s, time.Hour)
	for i := range plenty + 2 {
		if err := w.Write([]byte{byte(i)}, netip.AddrPort{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.b) != plenty+1 || len(w.queue) != 1 {
		t.Fatalf("%d were sent by who queued them, %d wait", len(s.b), len(w.queue))
	}
	w.flush()
	for i, b := range s.b {
		if b != byte(i) {
			t.Fatal(i, b)
		}
	}
}

// Any batch: each datagram in exactly one run, each receiver's order kept, every run one that UDP_SEGMENT can express.
func TestPlan(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var batch []*Datagram
		for i := range rng.IntN(400) {
			d := &Datagram{N: 4 + []int{0, 100, 1100, 1100, 1100, 1496}[rng.IntN(6)], To: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(5))}), 9)}
			binary.BigEndian.PutUint32(d.Buf[:], uint32(i))
			batch = append(batch, d)
		}
		segment := seed%7 != 0
		var p planner
		for range 2 { // its memory is used again
			seen := map[netip.AddrPort]uint32{}
			count := 0
			p.plan(batch, segment, nil, func(run []*Datagram) {
				total := 0
				for i, d := range run {
					at := binary.BigEndian.Uint32(d.Buf[:]) + 1
					if d.To != run[0].To || at <= seen[d.To] {
						t.Fatalf("seed %d: %v after %d at %v", seed, at, seen[d.To], d.To)
					}
					if d.N > run[0].N || d.N < run[0].N && i != len(run)-1 {
						t.Fatalf("seed %d: %d bytes in a run of %d", seed, d.N, run[0].N)
					}
					seen[d.To] = at
					total += d.N
				}
				if len(run) > maxSegments || total > maxRunBytes || !segment && len(run) != 1 {
					t.Fatalf("seed %d: a run of %d, %d bytes", seed, len(run), total)
				}
				count += len(run)
			})
			if count != len(batch) {
				t.Fatalf("seed %d: %d of %d", seed, count, len(batch))
			}
		}
	}
}

func TestSendingDoesNotAllocate(t *testing.T) {
	w := NewWriter(listen(t, "udp4", "127.0.0.1:0"), 0)
	sink := listen(t, "udp4", "127.0.0.1:0").LocalAddr().(*net.UDPAddr).AddrPort()
	b := make([]byte, 1100)
	round := func() {
		for range 60 {
			_ = w.Write(b, sink)
		}
		<-w.wake
		w.flush()
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 30 { // the library's own, per call; the race detector makes pools forget, too
		t.Fatalf("%v allocations for 60 datagrams", n)
	}
}

// BenchmarkSend: 100 receivers, runs of six datagrams of 1,128 bytes. One operation is one datagram.
func BenchmarkSend(b *testing.B) {
	const receivers, length, size = 100, 6, 1128
	var to []netip.AddrPort
	for range receivers {
		to = append(to, listen(b, "udp4", "127.0.0.1:0").LocalAddr().(*net.UDPAddr).AddrPort())
	}
	packet := make([]byte, size)
	each := func(b *testing.B, send func(netip.AddrPort)) {
		before := processor(b)
		defer func() { b.ReportMetric(float64(processor(b)-before)/1e3/float64(b.N), "cpu-µs/datagram") }()
		for i := 0; i < b.N; {
			for range length {
				for _, a := range to {
					send(a)
					i++
				}
			}
		}
	}
	b.Run("one call each", func(b *testing.B) {
		c := listen(b, "udp4", "127.0.0.1:0")
		each(b, func(a netip.AddrPort) { _, _ = c.WriteToUDPAddrPort(packet, a) })
	})
	for _, segment := range []bool{false, true} {
		b.Run(map[bool]string{false: "sendmmsg", true: "runs"}[segment], func(b *testing.B) {
			w := NewWriter(listen(b, "udp4", "127.0.0.1:0"), 0)
			w.whole.Store(!segment)
			n := 0
			each(b, func(a netip.AddrPort) {
				_ = w.Write(packet, a)
				if n++; n == receivers*length {
					<-w.wake
					w.flush()
					n = 0
				}
			})
		})
	}
}

// processor is the CPU time this process has used: on a machine that does other things too, the clock on the wall says nothing.
func processor(t testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
