package rtc

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// From an offer in hand to the up connection, and to the first whole frame at another person, in ms. Most of a join without the log and
// the keys.
func BenchmarkFirstFrame(b *testing.B) {
	r := newRoom(b, Config{UDP: "127.0.0.1:0"})
	listener := r.join("listener", ClientConfig{})
	var ups, firsts []time.Duration
	for b.Loop() {
		p, heard := r.join("p", ClientConfig{}), len(listener.got("mic"))
		mic := p.source(b, "mic", webrtc.MimeTypeOpus, 100)
		start := time.Now()
		p.publish(false)
		stop := mic.run(5 * time.Millisecond)
		until(b, "connected", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.states[Up] == "connected" })
		ups = append(ups, time.Since(start))
		until(b, "first frame", func() bool { return len(listener.got("mic")) > heard })
		firsts = append(firsts, time.Since(start))
		stop()
		p.leave()
		until(b, "gone", func() bool { return listener.node.DownCounters("mic") == nil })
	}
	b.ReportMetric(ms(quantile(ups, 50)), "ms-connected-p50")
	b.ReportMetric(ms(quantile(firsts, 50)), "ms-first-frame-p50")
	b.ReportMetric(ms(quantile(firsts, 99)), "ms-first-frame-p99")
}

// Latency from a client through the node to another client, both ends and the node on one machine, in ms.
func BenchmarkLatency(b *testing.B) {
	r := newRoom(b, Config{UDP: "127.0.0.1:0"})
	from, to := r.join("from", ClientConfig{}), r.join("to", ClientConfig{})
	mic := from.source(b, "mic", webrtc.MimeTypeOpus, 100)
	from.publish(false)
	until(b, "first frame", func() bool { mic.send(); return len(to.got("mic")) > 0 })
	sent := map[uint32]time.Time{}
	for b.Loop() {
		at := time.Now()
		mic.send()
		sent[mic.next] = at
		time.Sleep(time.Millisecond) // one at a time: this is about latency, not throughput
	}
	late := func() (all []time.Duration) {
		for _, f := range to.got("mic") {
			if at, ok := sent[f.Timestamp]; ok {
				all = append(all, f.Whole.Sub(at))
			}
		}
		return all
	}
	until(b, "nearly all", func() bool { return len(late()) >= len(sent)*99/100 })
	b.ReportMetric(ms(quantile(late(), 50)), "ms-p50")
	b.ReportMetric(ms(quantile(late(), 99)), "ms-p99")
}

// ns per packet forwarded, SRTP and the socket included; the receivers run in the same process.
func BenchmarkForward(b *testing.B) {
	for _, n := range []int{1, 8} {
		b.Run(map[int]string{1: "1", 8: "8"}[n], func(b *testing.B) { forwardTo(b, n) })
	}
}

func forwardTo(b *testing.B, n int) {
	r := newRoom(b, Config{UDP: "127.0.0.1:0"})
	up := forward.NewUpTrack("t", forward.Video, forward.Codec{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, func() {})
	p := &forward.Packet{Payload: append([]byte{0x10}, make([]byte, 1099)...), Marker: true}
	for range n {
		r.join("p", ClientConfig{})
	}
	for _, q := range r.list() {
		q.node.SetDown([]*forward.UpTrack{up})
		until(b, "frames", func() bool {
			p.Sequence++
			p.Timestamp += 3000
			up.Write(time.Now(), p)
			return len(q.got("t")) > 0
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Sequence++
		p.Timestamp += 3000
		up.Write(time.Now(), p)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/forwarded")
}

func quantile(d []time.Duration, percent int) time.Duration {
	slices.Sort(d)
	return d[min(len(d)*percent/100, len(d)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
