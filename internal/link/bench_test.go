package link

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley.link/parley/internal/forward"
)

type timing struct {
	late []time.Duration
	n    atomic.Int64
}

func (s *timing) WriteRTP(_ time.Time, p *forward.Packet) error {
	if len(p.Payload) > 0 {
		s.late = append(s.late, time.Duration(time.Now().UnixNano()-int64(binary.BigEndian.Uint64(p.Payload))))
		s.n.Add(1)
	}
	return nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMedia sends 1,100-byte packets from one node's UpTrack to a subscriber behind the link, over loopback, sealed and opened.
// It reports the latency that the link adds and the CPU of both ends per packet.
func BenchmarkMedia(b *testing.B) {
	for _, rate := range []struct {
		name     string
		perMilli int
	}{{"1k", 1}, {"5k", 5}, {"20k", 20}} {
		b.Run(rate.name, func(b *testing.B) {
			x, y := pair(b)
			src := newSource("camera")
			_, up, checked := trackOver(b, x, y, src, 0)
			checked.lax = true
			out := &timing{late: make([]time.Duration, 0, b.N)}
			if _, err := up.Track().Subscribe(time.Now(), forward.Outgoing{SSRC: 6, First: 1}, forward.NewBudget(), out); err != nil {
				b.Fatal(err)
			}
			payload := make([]byte, 1100)
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu()
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for n := 0; n < b.N; {
				<-tick.C
				for range min(rate.perMilli, b.N-n) {
					binary.BigEndian.PutUint64(payload, uint64(time.Now().UnixNano()))
					src.up.Write(time.Now(), &forward.Packet{Sequence: src.seq, Timestamp: uint32(n), Payload: payload})
					src.seq++
					n++
				}
			}
			until(b, "all packets", func() bool { return out.n.Load() >= int64(b.N)*999/1000 })
			b.StopTimer()
			used := cpu() - before
			x.stop()
			y.stop()
			slices.Sort(out.late)
			if len(out.late) > 0 {
				b.ReportMetric(float64(out.late[len(out.late)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(out.late[len(out.late)*99/100].Microseconds()), "p99-µs")
			}
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/packet")
		})
	}
}
