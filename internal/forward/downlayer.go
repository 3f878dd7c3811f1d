package forward

import (
	"time"

	"parley.link/parley/internal/descriptor"
)

// How long a layer that only a key frame can bring is waited for before one is asked for again. A source may never send what is wanted
// (its own path is narrow), and every key frame costs all its receivers.
const (
	layerPatience    = 2 * time.Second
	layerMaxPatience = 16 * time.Second
)

// layered is what the descriptor of a packet says; in is the structure it was read by.
type layered struct {
	d  descriptor.Descriptor
	in *descriptor.Structure
}

// SetLayers sets the highest layers that this receiver gets, from the next picture on where it can be done (see LayerSelector): the
// allocator's way in. A receiver for which it was never called gets everything.
func (d *DownTrack) SetLayers(now time.Time, l descriptor.Layer) {
	d.mu.Lock()
	if d.closed || d.layers != nil && d.layers.Wanted() == l {
		d.mu.Unlock()
		return
	}
	if d.layers == nil {
		d.layers = &LayerSelector{}
		d.up.layered.Add(1)
		if d.started {
			d.beginLayers(d.highIn, d.high)
			d.layers.AssumeAll()
		}
	}
	d.layers.Want(l)
	d.asked, d.patient = now, layerPatience
	ask := d.started && !d.paused && !d.layers.Satisfied()
	d.mu.Unlock()
	if ask {
		d.up.requestKeyFrame(now, false)
	}
}

// Layers is what was set; ok is false for a receiver that gets everything.
func (d *DownTrack) Layers() (l descriptor.Layer, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.layers == nil {
		return descriptor.Layer{}, false
	}
	return d.layers.Wanted(), true
}

// Sending is the layers that are let through now; ok is false if that is everything, or nothing yet.
func (d *DownTrack) Sending() (l descriptor.Layer, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.layers == nil {
		return descriptor.Layer{}, false
	}
	return d.layers.Current()
}

// beginLayers numbers with Renumber what follows on from these counters. What was sent before keeps its arithmetic, for retransmissions.
func (d *DownTrack) beginLayers(in, out uint64) {
	if d.layers != nil {
		d.numbers = NewRenumber(videoHistory, in, out)
	}
}

// writeLayer sends a packet on if its frame is in the receiver's layers. Called with d.mu held.
func (d *DownTrack) writeLayer(now time.Time, counter uint64, p *Packet, l *layered) Verdict {
	if d.numbers.Early(counter) {
		if counter < d.start {
			return BeforeStart
		}
		d.p = *p
		return d.emit(now, d.first+(counter-d.start))
	}
	var send, last bool
	if l != nil {
		send, last = d.layers.Choose(&l.d, l.in, p.Timestamp)
		last = last && l.d.Last
	} else {
		send, last = d.layers.Choose(nil, nil, p.Timestamp)
	}
	if !d.layers.Satisfied() && now.Sub(d.asked) >= d.patient {
		d.asked, d.patient = now, min(2*d.patient, layerMaxPatience)
		d.up.requestKeyFrame(time.Time{}, false) // with the next Tick: the source must not be asked under a lock
	}
	var out uint64
	var ok bool
	if send {
		out, ok = d.numbers.Send(counter, last)
	} else {
		out, ok = d.numbers.Leave(counter)
	}
	d.highIn, d.high = d.numbers.High()
	switch {
	case send && !ok:
		return BeforeStart
	case send:
		d.p = *p
		d.p.Marker = p.Marker || last
		return d.emit(now, out)
	case ok:
		// A number was kept for it, and the receiver may be asking for it already.
		d.p = Packet{Timestamp: p.Timestamp}
		d.emit(now, out)
	}
	return OtherLayer
}

// source finds what was sent under an outgoing counter.
func (d *DownTrack) source(out uint64) (counter uint64, last, empty, ok bool) {
	if d.numbers != nil {
		if _, base := d.numbers.Base(); out > base {
			return d.numbers.Source(out)
		}
	}
	if out < d.first || out > d.high {
		return 0, false, false, false
	}
	return d.start + (out - d.first), false, false, true
}
