package estimate

import "time"

const (
	probeOver    = 60 * time.Millisecond
	probePackets = 6 // at least, or the spacing of a few decides
	probeAtLeast = 100_000
	firstPause   = 2 * time.Second
	maxPause     = 16 * time.Second
	probeLoss    = 0.2 // of a probe's packets, beyond which it says nothing
)

// Probe is a wish to send padding, or again what was sent, for the sake of seeing what the path bears.
type Probe struct {
	Cluster uint8
	Packets int           // at least
	Bytes   int           // in all
	Over    time.Duration // evenly
}

// prober decides when, and reads what came of it. One probe is on its way at a time.
type prober struct {
	cluster  uint8
	pause    time.Duration
	due      time.Time
	out      bool
	asked    time.Time
	first    time.Time
	last     time.Time
	sentSize int
	sentN    int
	head     int // size of the first packet sent
	begun    time.Duration
	end      time.Duration
	size     int
	n        int
	tail     int // size of the first packet arrived
}

func (p *prober) init(now time.Time) { p.pause, p.due = firstPause, now.Add(500*time.Millisecond) }

// next begins a probe of bits a second, of which in are sent anyway.
func (p *prober) next(now time.Time, bits, in float64) (Probe, bool) {
	if p.out || now.Before(p.due) {
		return Probe{}, false
	}
	p.cluster = p.cluster%255 + 1
	*p = prober{cluster: p.cluster, pause: p.pause, due: p.due, out: true, asked: now}
	bytes := int(max(bits-min(in, bits/2), probeAtLeast) * probeOver.Seconds() / 8)
	return Probe{Cluster: p.cluster, Packets: probePackets, Bytes: bytes, Over: probeOver}, true
}

// during is the cluster of the probe that is being sent, 0 if none is.
func (p *prober) during(now time.Time) uint8 {
	if p.out && p.sentN > 0 && now.Sub(p.first) <= probeOver {
		return p.cluster
	}
	return 0
}

func (p *prober) sent(cluster uint8, now time.Time, size int) {
	if !p.out || cluster != p.cluster {
		return
	}
	if p.sentN == 0 {
		p.first, p.head = now, size
	}
	p.last = now
	p.sentN++
	p.sentSize += size
}

func (p *prober) arrived(cluster uint8, at time.Duration, size int) {
	if !p.out || cluster != p.cluster {
		return
	}
	if p.n == 0 || at < p.begun {
		p.begun, p.tail = at, size
	}
	p.end = max(p.end, at)
	p.n++
	p.size += size
}

// result is what a probe showed, when all of it was reported or the time for that is over: the lesser of how fast it was sent and how
// fast it arrived. proven: it arrived as fast as it was sent.
func (p *prober) result(now time.Time, rtt time.Duration) (bits float64, proven, done bool) {
	if !p.out || p.n < p.sentN && now.Sub(p.asked) < probeOver+rtt+400*time.Millisecond || now.Sub(p.asked) < probeOver {
		return 0, false, false
	}
	p.out = false
	if p.sentN < probePackets || float64(p.n) < (1-probeLoss)*float64(p.sentN) || p.last.Sub(p.first) < 5*time.Millisecond || p.end <= p.begun {
		return 0, false, true
	}
	went := float64(p.sentSize-p.head) * 8 / p.last.Sub(p.first).Seconds()
	came := float64(p.size-p.tail) * 8 / (p.end - p.begun).Seconds()
	return min(went, came), came >= 0.85*went, true
}

func (p *prober) again(now time.Time) { p.pause, p.due = firstPause, now }

func (p *prober) failed(now time.Time) {
	p.due = now.Add(p.pause)
	p.pause = min(2*p.pause, maxPause)
}

// fell: the estimate was taken down; what pressed on it may soon be gone.
func (p *prober) fell(now time.Time) {
	p.out, p.pause, p.due = false, firstPause, now.Add(firstPause)
}
