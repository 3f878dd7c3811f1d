// Package estimate tells what the path to one receiver bears, from its reports of when each packet arrived
// (draft-holmer-rmcat-transport-wide-cc-extensions-01). It follows draft-ietf-rmcat-gcc-02, with the line fitted to the delay that
// browsers use in place of the draft's filter, with probing, and without growth that nothing proves. docs/allocation.md tells the rules.
//
// It is pure: now comes in, an estimate and the wish to probe go out. A receiver that lies in its reports harms itself.
package estimate

import (
	"math"
	"time"

	"github.com/pion/rtcp"
)

// Bounds of the estimate, in bits a second.
const (
	Least = 30_000
	Most  = 100_000_000
)

// Our choices, where the draft leaves them.
const (
	fall        = 0.85 // of what arrives, when a queue grows
	growth      = 1.08 // a second
	unproven    = 1.5  // times what arrives is as far as it grows
	lossFalls   = 0.10
	lossStays   = 0.02
	lossEvery   = 300 * time.Millisecond // between two falls for loss
	lossWindow  = 200 * time.Millisecond
	silentAfter = time.Second // without reports, although packets are sent
)

// Estimator is one receiver's. Not safe for concurrent use.
type Estimator struct {
	bits   float64
	wanted int

	sent     history
	clock    arrivalClock
	groups   grouper
	trend    trend
	arrived  meter
	capacity capacity
	loss     losses
	probes   prober

	grown    time.Time
	reported time.Time // last report
	lastSent time.Time
	silent   time.Time // last fall for silence
	rtt      time.Duration
	over     bool // the queue grew at the last look
}

// New begins with start bits a second.
func New(now time.Time, start int) *Estimator {
	e := &Estimator{bits: float64(min(max(start, Least), Most)), reported: now, grown: now}
	e.probes.init(now)
	e.trend.init()
	return e
}

// Bits is the estimate, in bits a second.
func (e *Estimator) Bits() int { return int(e.bits) }

// RTT is the shortest way there and back that the last report shows; 0 before the first.
func (e *Estimator) RTT() time.Duration { return e.rtt }

// Arriving is how many bits a second arrive now.
func (e *Estimator) Arriving() int { return int(e.arrived.bits()) }

// SetWanted tells what all that the receiver wants would cost: beyond that nothing is probed for.
func (e *Estimator) SetWanted(bits int) { e.wanted = bits }

// Sent notes a packet of size bytes (all of it, as the path carries it) and gives its transport-wide number. cluster is that of a
// Probe whose packet it is, 0 for all others.
func (e *Estimator) Sent(now time.Time, size int, cluster uint8) (number uint16) {
	e.lastSent = now
	if cluster == 0 {
		cluster = e.probes.during(now) // what is sent anyway meanwhile is part of what the path is made to bear
	}
	if cluster != 0 {
		e.probes.sent(cluster, now, size)
	}
	return e.sent.add(now, size, cluster)
}

// Feedback takes a report. A report about packets that are not remembered, or twice, does nothing.
func (e *Estimator) Feedback(now time.Time, fb *rtcp.TransportLayerCC) {
	e.reported = now
	over, any := false, false
	least := time.Duration(math.MaxInt64)
	e.clock.read(fb, func(number uint16, at time.Duration, received bool) {
		p, first := e.sent.report(number, received)
		if p == nil {
			return
		}
		if first {
			e.loss.count(received)
		}
		if !received {
			return
		}
		any = true
		left := e.sent.time(p)
		least = min(least, now.Sub(left))
		e.arrived.add(at, int(p.size))
		if p.cluster != 0 {
			e.probes.arrived(p.cluster, at, int(p.size))
		}
		if delta, when, ok := e.groups.add(left, at); ok {
			over = e.trend.add(delta, when) || over
		}
	})
	if any {
		e.rtt = max(least, 0)
	}
	e.over = e.trend.over()
	e.delay(now, over || e.over)
	e.lossy(now)
	e.probed(now)
	e.bits = min(max(e.bits, Least), Most)
}

// delay is section 5.5 of the draft: fall while the queue grows, hold while it drains, grow otherwise.
func (e *Estimator) delay(now time.Time, over bool) {
	gone := min(now.Sub(e.grown), time.Second).Seconds()
	e.grown = now
	in := e.arrived.bits()
	switch {
	case over:
		if in > 0 {
			e.capacity.saw(in)
			e.bits = min(e.bits, fall*in)
		}
		e.trend.fell()
		e.probes.fell(now)
		return
	case e.trend.under(): // it drains
		return
	case e.loss.ratio > lossStays+e.loss.inherent:
		return
	}
	next := e.bits * math.Pow(growth, gone)
	if e.capacity.near(in) {
		// Near where it last was too much: about a packet each response time (section 5.5).
		response := 0.1 + e.rtt.Seconds()
		next = e.bits + max(1000, 8*1200*gone/response)
	}
	if top := unproven*in + 10_000; next > top {
		next = max(e.bits, top) // what was proven once is not taken back for want of traffic
	}
	e.bits = next
}

// lossy is section 6, with the loss that does not go away when less is sent taken for the path's own.
func (e *Estimator) lossy(now time.Time) {
	if !e.loss.roll(now) {
		return
	}
	if excess := e.loss.ratio - e.loss.inherent; excess > lossFalls && now.Sub(e.loss.fell) > lossEvery+e.rtt {
		e.bits *= 1 - 0.5*excess
		e.loss.decreased(now, e.arrived.bits())
	}
}

// probed takes what a probe showed.
func (e *Estimator) probed(now time.Time) {
	bits, proven, done := e.probes.result(now, e.rtt)
	switch {
	case !done:
	case e.over:
		e.probes.failed(now)
	default:
		if found := fall * bits; found > e.bits {
			e.bits = found
			e.capacity = capacity{} // it is not where it was
		}
		if proven && e.wants() {
			e.probes.again(now)
		} else {
			e.probes.failed(now)
		}
	}
}

func (e *Estimator) wants() bool { return float64(e.wanted) > e.bits }

// Probe says what to send beyond what is sent anyway; ok is false while nothing is to be probed for. Send its packets within Probe.Over
// of now, evenly, each with Sent and its cluster.
func (e *Estimator) Probe(now time.Time) (p Probe, ok bool) {
	if !e.wants() || e.over || e.rtt == 0 || now.Sub(e.reported) > silentAfter/2 {
		return Probe{}, false
	}
	return e.probes.next(now, min(2*e.bits, 1.2*float64(e.wanted)), e.arrived.bits())
}

// Tick does what time makes due: without reports the estimate falls, for nobody knows what arrives. Call it a few times a second.
func (e *Estimator) Tick(now time.Time) {
	if now.Sub(e.reported) < silentAfter || e.lastSent.Before(e.reported) || now.Sub(e.silent) < silentAfter {
		return
	}
	e.silent = now
	e.bits = max(e.bits/2, Least)
	e.probes.fell(now)
}
