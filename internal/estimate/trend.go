package estimate

import (
	"math"
	"time"
)

// burst is how close together packets are sent, or arrive, to be looked at as one: what waits for a turn on a radio comes at once.
const burst = 5 * time.Millisecond

// grouper makes groups of packets and tells how much longer the way of each was than that of the one before (section 5.2).
type grouper struct {
	now, before group
	any, two    bool
}

type group struct {
	first, left time.Time     // of its packets, when sent
	begun, at   time.Duration // when its first and last arrived
}

func (g *grouper) add(left time.Time, at time.Duration) (delta, when time.Duration, ok bool) {
	if !g.any {
		g.now, g.any = group{left, left, at, at}, true
		return 0, 0, false
	}
	if left.Before(g.now.first) {
		return 0, 0, false // out of order: its group is closed
	}
	apart := at - g.now.at
	inBurst := apart <= burst && apart-left.Sub(g.now.left) < 0 && at-g.now.begun < 100*time.Millisecond
	if left.Sub(g.now.first) <= burst || inBurst {
		if left.After(g.now.left) {
			g.now.left = left
		}
		g.now.at = max(g.now.at, at)
		return 0, 0, false
	}
	if g.two {
		delta, when, ok = (g.now.at-g.before.at)-g.now.left.Sub(g.before.left), g.now.at, true
	}
	g.before, g.two = g.now, true
	g.now = group{left, left, at, at}
	if delta > 3*time.Second || delta < -3*time.Second {
		*g = grouper{} // a clock jumped
		return 0, 0, false
	}
	return delta, when, ok
}

// Of the line that is fitted to the delay, as browsers do it.
const (
	trendWindow   = 20
	trendGain     = 4
	trendSmooth   = 0.9
	trendMost     = 60 // groups that count towards how sure it is
	thresholdLow  = 6.0
	thresholdHigh = 600.0
	thresholdUp   = 0.0087
	thresholdDown = 0.039
	overFor       = 10 * time.Millisecond
)

// trend tells whether the queue grows (section 5.4): the slope of the delay over the last groups, against a threshold that adapts, so
// that other traffic does not starve this.
type trend struct {
	n         int
	sum       float64 // ms
	smooth    float64
	points    [trendWindow]point
	value     float64
	previous  float64
	threshold float64
	updated   time.Duration
	since     time.Duration // how long it has been over
	times     int
	isOver    bool
}

type point struct{ x, y float64 }

func (t *trend) init() { t.threshold = 12.5 }

// add takes one group's delta and says whether the queue grows.
func (t *trend) add(delta, when time.Duration) bool {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	t.sum += ms(delta)
	t.smooth = trendSmooth*t.smooth + (1-trendSmooth)*t.sum
	t.points[t.n%trendWindow] = point{ms(when), t.smooth}
	t.n++
	if t.n < trendWindow {
		t.updated = when
		return false
	}
	t.value = min(float64(t.n), trendMost) * t.slope() * trendGain
	gone := when - t.updated
	if t.updated == 0 || gone < 0 {
		gone = 0
	}
	t.updated = when
	switch {
	case t.value > t.threshold:
		t.since += gone
		t.times++
		if t.since > overFor && t.times > 1 && t.value >= t.previous {
			t.since, t.times, t.isOver = 0, 0, true
		}
	default:
		t.since, t.times, t.isOver = 0, 0, false
	}
	t.previous = t.value
	t.adapt(gone)
	return t.isOver
}

// slope is the least squares' line through the points.
func (t *trend) slope() float64 {
	var mx, my float64
	for _, p := range t.points {
		mx += p.x / trendWindow
		my += p.y / trendWindow
	}
	var up, down float64
	for _, p := range t.points {
		up += (p.x - mx) * (p.y - my)
		down += (p.x - mx) * (p.x - mx)
	}
	if down == 0 {
		return 0
	}
	return up / down
}

func (t *trend) adapt(gone time.Duration) {
	size := math.Abs(t.value)
	if size > t.threshold+15 {
		return // a spike, as when a route changes
	}
	k := thresholdDown
	if size > t.threshold {
		k = thresholdUp
	}
	t.threshold += k * (size - t.threshold) * min(float64(gone)/float64(time.Millisecond), 100)
	t.threshold = min(max(t.threshold, thresholdLow), thresholdHigh)
}

func (t *trend) over() bool  { return t.isOver }
func (t *trend) under() bool { return t.n >= trendWindow && t.value < -t.threshold }

// fell is told after the estimate was taken down for it: one growth is answered once, and again only if it goes on.
func (t *trend) fell() { t.isOver = false }
