package forward

import (
	"time"

	"parley.link/parley/internal/descriptor"
)

// meterWindow is how long bytes are gathered before they count: long enough to hold every layer's frames, short enough to follow an encoder.
const meterWindow = 500 * time.Millisecond

// LayerRate is what one target of a source costs.
type LayerRate struct {
	descriptor.Layer
	Bits int // a second, payload only
}

// LayerMeter measures what the targets of a source cost, each with all that it builds on. Not safe for concurrent use; the zero
// value is ready.
type LayerMeter struct {
	in    *descriptor.Structure
	since time.Time
	bytes [descriptor.MaxTargets]int
	rates [descriptor.MaxTargets]int
	count int
}

// Add counts a packet of a frame.
func (m *LayerMeter) Add(now time.Time, d *descriptor.Descriptor, in *descriptor.Structure, size int) {
	if m.in == nil || len(m.in.Targets) != len(in.Targets) {
		*m = LayerMeter{since: now}
	}
	m.in, m.count = in, len(in.Targets)
	m.roll(now)
	for target, i := range d.Indications {
		if i != descriptor.NotPresent {
			m.bytes[target] += size
		}
	}
}

func (m *LayerMeter) roll(now time.Time) {
	gone := now.Sub(m.since)
	if gone < meterWindow {
		return
	}
	for i := range m.bytes[:m.count] {
		rate := int(float64(m.bytes[i]) * 8 / gone.Seconds())
		if m.rates[i] > 0 {
			rate = (m.rates[i] + rate) / 2
		}
		m.rates[i], m.bytes[i] = rate, 0
	}
	m.since = now
}

// Rates appends to dst what each target costs, in the source's order; none before the first half second.
func (m *LayerMeter) Rates(now time.Time, dst []LayerRate) []LayerRate {
	if m.in == nil {
		return dst
	}
	m.roll(now)
	for i, l := range m.in.Targets {
		if m.rates[i] > 0 {
			dst = append(dst, LayerRate{Layer: l, Bits: m.rates[i]})
		}
	}
	return dst
}
