package estimate

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// path is a bottleneck in virtual time: a queue of bits a second and so many milliseconds, a way there and back, loss, jitter.
type path struct {
	bits   int
	queue  time.Duration
	way    time.Duration // one way
	jitter time.Duration
	loss   float64
	down   bool
	rand   *rand.Rand

	free    time.Time
	waiting []arrival // sent, not reported yet
	passed  int
	lost    int
	late    time.Duration // the longest wait in the queue
}

type arrival struct {
	number uint16
	at     time.Time
	lost   bool
}

func (p *path) send(now time.Time, number uint16, size int) {
	if p.free.Before(now) {
		p.free = now
	}
	wait := p.free.Sub(now)
	a := arrival{number: number}
	if p.down || wait > p.queue || p.rand.Float64() < p.loss {
		a.lost = true
		p.lost++
	} else {
		p.late = max(p.late, wait)
		p.free = p.free.Add(time.Duration(float64(size*8) / float64(p.bits) * float64(time.Second)))
		a.at = p.free.Add(p.way)
		if p.jitter > 0 {
			a.at = a.at.Add(time.Duration(p.rand.Int64N(int64(p.jitter))))
		}
		p.passed += size
	}
	p.waiting = append(p.waiting, a)
}

// report makes what the receiver says at now of what came since it said something, as its bytes.
func (p *path) report(t testing.TB, now time.Time) *rtcp.TransportLayerCC {
	n := 0
	for i, a := range p.waiting {
		if !a.lost && !a.at.After(now) {
			n = i + 1
		}
	}
	if n == 0 || p.down {
		return nil
	}
	fb := &rtcp.TransportLayerCC{BaseSequenceNumber: p.waiting[0].number, PacketStatusCount: uint16(n)}
	base := int64(now.Add(-2*time.Second).Sub(t0.Add(-time.Hour)) / (64 * time.Millisecond))
	fb.ReferenceTime = uint32(base) & 0xffffff
	last := time.Duration(base) * 64 * time.Millisecond
	for _, a := range p.waiting[:n] {
		symbol := uint16(rtcp.TypeTCCPacketNotReceived)
		if !a.lost && !a.at.After(now) {
			symbol = rtcp.TypeTCCPacketReceivedLargeDelta
			at := a.at.Sub(t0.Add(-time.Hour)).Round(250 * time.Microsecond)
			fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: symbol, Delta: int64((at - last) / time.Microsecond)})
			last = at
		}
		fb.PacketChunks = append(fb.PacketChunks, &rtcp.RunLengthChunk{Type: rtcp.TypeTCCRunLengthChunk, PacketStatusSymbol: symbol, RunLength: 1})
	}
	p.waiting = append(p.waiting[:0], p.waiting[n:]...)
	return fb
}

// call sends what a source makes over a path and lets the estimator hear of it.
type call struct {
	t       testing.TB
	e       *Estimator
	p       *path
	now     time.Time
	source  func(estimate int) int // bits a second that are sent
	reports []struct {
		at time.Time
		fb *rtcp.TransportLayerCC
	}
	padding []struct {
		at      time.Time
		size    int
		cluster uint8
	}
	probed int // bytes
	audio  time.Time
	frame  time.Time
	said   time.Time
}

func newCall(t testing.TB, p path, start int, source func(int) int) *call {
	p.rand = rand.New(rand.NewPCG(7, 7))
	return &call{t: t, e: New(t0, start), p: &p, now: t0, source: source}
}

// run goes on for a while, a millisecond at a time.
func (c *call) run(d time.Duration, each func(now time.Time)) {
	for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(time.Millisecond) {
		if c.now.Sub(c.audio) >= 20*time.Millisecond {
			c.audio = c.now
			c.p.send(c.now, c.e.Sent(c.now, 140, 0), 140)
		}
		if c.now.Sub(c.frame) >= 33*time.Millisecond {
			c.frame = c.now
			for left := c.source(c.e.Bits()) / 30 / 8; left > 0; left -= 1100 {
				size := min(left, 1100) + 40
				c.p.send(c.now, c.e.Sent(c.now, size, 0), size)
			}
		}
		if p, ok := c.e.Probe(c.now); ok {
			n := max(p.Packets, p.Bytes/1100)
			for i := range n {
				c.padding = append(c.padding, struct {
					at      time.Time
					size    int
					cluster uint8
				}{c.now.Add(p.Over * time.Duration(i) / time.Duration(n)), p.Bytes / n, p.Cluster})
			}
		}
		for len(c.padding) > 0 && !c.padding[0].at.After(c.now) {
			f := c.padding[0]
			c.padding = c.padding[1:]
			c.probed += f.size
			c.p.send(c.now, c.e.Sent(c.now, f.size, f.cluster), f.size)
		}
		if c.now.Sub(c.said) >= 50*time.Millisecond {
			c.said = c.now
			if fb := c.p.report(c.t, c.now); fb != nil {
				c.reports = append(c.reports, struct {
					at time.Time
					fb *rtcp.TransportLayerCC
				}{c.now.Add(c.p.way), fb})
			}
			c.e.Tick(c.now)
		}
		for len(c.reports) > 0 && !c.reports[0].at.After(c.now) {
			c.e.Feedback(c.now, c.reports[0].fb)
			c.reports = c.reports[1:]
		}
		if each != nil {
			each(c.now)
		}
	}
}
