package estimate

import (
	"math"
	"time"
)

const (
	meterBucket  = 50 * time.Millisecond
	meterBuckets = 10
)

// meter tells how much arrives, over half a second of the receiver's clock.
type meter struct {
	first, last time.Duration
	any         bool
	bytes       [meterBuckets]int
	of          [meterBuckets]int64
}

func (m *meter) add(at time.Duration, size int) {
	n := int64(at / meterBucket)
	if n < 0 {
		return
	}
	i := n % meterBuckets
	switch {
	case m.of[i] > n:
		return
	case m.of[i] < n:
		m.of[i], m.bytes[i] = n, 0
	}
	m.bytes[i] += size
	if !m.any || at-m.last > meterBucket*meterBuckets {
		m.first, m.any = at, true
	}
	m.last = max(m.last, at)
}

// bits a second; 0 before there is enough to tell.
func (m *meter) bits() float64 {
	newest := int64(m.last / meterBucket)
	sum := 0
	for i, n := range m.of {
		if n > newest-meterBuckets && n < newest { // the newest is not full yet
			sum += m.bytes[i]
		}
	}
	span := min(time.Duration(newest)*meterBucket-m.first, meterBucket*(meterBuckets-1))
	if span < 3*meterBucket {
		return 0
	}
	return float64(sum) * 8 / span.Seconds()
}

// capacity is where it was too much before (section 5.5).
type capacity struct{ mean, deviation float64 }

func (c *capacity) saw(bits float64) {
	if c.mean == 0 || bits > c.mean+3*c.spread() || bits < c.mean-3*c.spread() {
		c.mean, c.deviation = bits, 0.1*bits
		return
	}
	off := bits - c.mean
	c.mean += 0.05 * off
	c.deviation += 0.05 * (math.Abs(off) - c.deviation)
}

func (c *capacity) spread() float64 { return max(c.deviation, 0.03*c.mean) }

func (c *capacity) near(bits float64) bool {
	return c.mean > 0 && math.Abs(bits-c.mean) <= 3*c.spread()
}

// losses is the share of packets that did not arrive, smoothed, and the part of it that is the path's own.
type losses struct {
	lost, all int
	since     time.Time
	ratio     float64
	inherent  float64 // what stayed when less was sent
	fell      time.Time
	rate      float64 // that arrived, and
	at        float64 // the ratio, when the estimate was first taken down for it
}

func (l *losses) count(received bool) {
	l.all++
	if !received {
		l.lost++
	}
}

// roll says that a window is full.
func (l *losses) roll(now time.Time) bool {
	if l.all < 20 || now.Sub(l.since) < lossWindow {
		return false
	}
	l.ratio += 0.4 * (float64(l.lost)/float64(l.all) - l.ratio)
	l.lost, l.all, l.since = 0, 0, now
	if l.ratio < l.inherent {
		l.inherent += 0.1 * (l.ratio - l.inherent) // it may get better too
	}
	if l.ratio < lossStays {
		l.rate = 0
	}
	return true
}

// decreased notes that the estimate was taken down. If a fifth less arrives than at first and as much is lost, sending less does not help.
func (l *losses) decreased(now time.Time, arrived float64) {
	l.fell = now
	switch {
	case l.rate == 0 || l.at-l.ratio > 0.3*l.at:
		l.rate, l.at = arrived, l.ratio
	case arrived < 0.8*l.rate:
		l.inherent, l.rate = min(l.ratio, 0.4), 0
	}
}
