package forward

import (
	"errors"
	"sync"
	"time"

	"parley.link/parley/internal/descriptor"
)

// structures keeps the structure of a source, which comes with key frames only. The zero value is ready.
type structures struct {
	newest *descriptor.Structure
	frame  uint16 // that brought it
	read   descriptor.Descriptor
}

// of is the structure to read a descriptor by, nil if none is known. A retransmitted key frame from before the newest keeps its own.
func (s *structures) of(b []byte) *descriptor.Structure {
	if len(b) <= 3 || descriptor.Parse(b, s.newest, &s.read) != nil || s.read.Attached == nil {
		return s.newest
	}
	behind := s.frame - s.read.Frame
	if s.newest == nil || behind == 0 || behind >= frameMemory { // newer, or of a source that began anew
		s.newest, s.frame = s.read.Attached, s.read.Frame
	}
	return s.read.Attached
}

// readings are used again: a descriptor points into itself, so each would be garbage otherwise.
var readings = sync.Pool{New: func() any { return new(layered) }}

// fanLayers is the fan-out of a track some of whose receivers choose layers: the descriptor is read once for all.
func (u *UpTrack) fanLayers(now time.Time, counter uint64, segment uint32, p *Packet, in *descriptor.Structure) {
	l := readings.Get().(*layered)
	defer readings.Put(l)
	read := l
	l.in = nil
	switch err := descriptor.Parse(p.Descriptor, in, &l.d); {
	case err == nil:
		l.in = in
		u.mu.Lock()
		u.meter.Add(now, &l.d, in, len(p.Payload))
		u.mu.Unlock()
	case !errors.Is(err, descriptor.ErrUnknown):
		read = nil
	}
	for _, d := range *u.subs.Load() {
		d.write(now, counter, segment, p, read)
	}
}

// LayerRates appends to dst what the source's targets cost now. It is known only while a receiver chooses layers.
func (u *UpTrack) LayerRates(now time.Time, dst []LayerRate) []LayerRate {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.meter.Rates(now, dst)
}

// Wanted is the highest layers that any receiver is to get; ok is false if there is none that gets anything. A source need not
// make more than that, and another node need not be asked for more.
func (u *UpTrack) Wanted() (l descriptor.Layer, ok bool) {
	for _, d := range *u.subs.Load() {
		d.mu.Lock()
		want := AllLayers
		if d.layers != nil {
			want = d.layers.Wanted()
		}
		if !d.closed && !d.paused {
			l, ok = descriptor.Layer{Spatial: max(l.Spatial, want.Spatial), Temporal: max(l.Temporal, want.Temporal)}, true
		}
		d.mu.Unlock()
	}
	return l, ok
}
