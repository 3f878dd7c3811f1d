package forward

import "parley.link/parley/internal/descriptor"

// frameMemory is how many frames' fates are remembered: all packets of a frame share one, however late they come.
const frameMemory = 256

// AllLayers is a wish for everything a source sends.
var AllLayers = descriptor.Layer{Spatial: descriptor.MaxSpatial, Temporal: descriptor.MaxTemporal}

// LayerSelector chooses, frame by frame, what of a layered source one receiver gets (AV1 RTP specification, A.4.4).
//
//   - Up to a better target only at a frame that the target may be entered with (indication Switch) and all of whose references this
//     receiver was sent: a key frame always is one, and for a higher rate of the same size there are others. Who was sent everything
//     goes up with the source, at once, when its encoder adds a layer.
//   - Down at once where the receiver has been sent all that the lower target needs, which is so wherever layers build on one another. Where
//     they do not (each size made for itself after the key frame), the rate falls at once and the size with the next key frame. What is
//     both smaller and faster is reached in two steps.
//   - The size never inside a picture: the frames of one moment belong together, and half of a picture makes a decoder lose all after it.
//
// What cannot be read is let through: more than is wanted does no harm, a hole does. Not safe for concurrent use; the zero value
// wants the smallest.
type LayerSelector struct {
	want    descriptor.Layer
	in      *descriptor.Structure
	active  uint32
	target  int // of in; only if entered
	entered bool
	all     bool // the receiver was sent everything before the first frame that is chosen for it
	whole   bool // the receiver was sent everything since the last key frame

	high    uint64 // highest frame number, unwrapped
	started bool
	moment  uint32 // RTP timestamp of the last new frame
	fates   [frameMemory]fate
}

type fate struct {
	frame uint64 // unwrapped; 0: none
	sent  bool
	last  bool // no larger frame of its picture follows to this receiver
}

// firstFrame leaves room below for frames that are late at the beginning.
const firstFrame = 1 << 16

// Want sets the highest layers to let through, from the next picture on.
func (s *LayerSelector) Want(l descriptor.Layer) { s.want = l }

// Wanted is what was set.
func (s *LayerSelector) Wanted() descriptor.Layer { return s.want }

// Reset forgets what the receiver was sent: it was sent nothing for a while, and can begin only where a stream begins.
func (s *LayerSelector) Reset() { *s = LayerSelector{want: s.want} }

// AssumeAll says that the receiver was sent everything so far: it goes on from there.
func (s *LayerSelector) AssumeAll() { s.all = true }

// Choose says whether a packet of d's frame is let through and, if so, whether the frame is its picture's last for this receiver: its
// last packet then carries the marker. d nil is a packet without a descriptor; in nil, one whose structure is not known.
func (s *LayerSelector) Choose(d *descriptor.Descriptor, in *descriptor.Structure, timestamp uint32) (send, last bool) {
	if d == nil {
		return true, false
	}
	n := s.number(d)
	f := &s.fates[n%frameMemory]
	switch {
	case f.frame == n && n != 0:
		return f.sent, f.last
	case f.frame > n:
		return false, false // so late that its place is taken: no decoder waits for it
	}
	*f = fate{frame: n, sent: true}
	newest := n == s.high
	if in == nil || in != s.in && !newest {
		return true, false
	}
	if in != s.in {
		s.adopt(in)
	}
	if newest {
		if d.HasActive {
			s.active = d.Active
		} else if d.Attached != nil {
			s.active = ^uint32(0)
		}
		s.whole = s.whole || d.Attached != nil
		begins := timestamp != s.moment || !s.entered
		s.moment = timestamp
		s.enter(d, n, begins)
	}
	f.sent = s.entered && d.Holds(s.target)
	s.whole = s.whole && f.sent
	f.last = f.sent && d.Spatial == in.Targets[s.target].Spatial
	return f.sent, f.last
}

// adopt takes a new structure. Targets are found again by their layers; a stream that has them no more must be entered anew.
func (s *LayerSelector) adopt(in *descriptor.Structure) {
	if s.entered {
		was := s.in.Targets[s.target]
		if s.target = in.Target(was, ^uint32(0)); s.target < 0 || in.Targets[s.target] != was {
			s.entered = false
		}
	}
	s.in, s.active = in, ^uint32(0)
	if s.all {
		s.target = in.Target(AllLayers, s.active)
		s.entered, s.whole, s.all = s.target >= 0, s.target >= 0, false
	}
}

// enter changes the target where frame n allows it. begins: it is the first of its picture.
func (s *LayerSelector) enter(d *descriptor.Descriptor, n uint64, begins bool) {
	best := s.in.Target(s.want, s.active)
	if best < 0 {
		best = s.in.Target(descriptor.Layer{Spatial: descriptor.MaxSpatial, Temporal: s.want.Temporal}, s.active) // nothing so small is sent
	}
	if best < 0 || s.entered && best == s.target {
		return
	}
	if !begins && s.in.Targets[best].Spatial != s.in.Targets[s.target].Spatial {
		return
	}
	if begins && s.entered && (s.in.Contains(s.target, best) || s.whole && s.in.Contains(best, s.target)) {
		s.target = best
		return
	}
	if best < len(d.Indications) && d.Indications[best] == descriptor.Switch && s.decodable(d, n) {
		s.target, s.entered = best, true
		return
	}
	if s.entered && begins {
		if lower := s.fall(best); lower >= 0 {
			s.target = lower
		}
	}
}

// fall is the target to go on with until a place comes where best can be entered, -1 for the present one: the best of those that the
// receiver has all for and that are no more than best; if there is none, at least the rate falls.
func (s *LayerSelector) fall(best int) int {
	now, want, lower := s.in.Targets[s.target], s.in.Targets[best], -1
	if now.Within(want) {
		return -1
	}
	for i, l := range s.in.Targets {
		if l.Within(want) && s.in.Contains(s.target, i) && (lower < 0 || l.Above(s.in.Targets[lower])) {
			lower = i
		}
	}
	if lower >= 0 || now.Temporal <= want.Temporal {
		return lower
	}
	for i, l := range s.in.Targets {
		if l.Spatial == now.Spatial && l.Temporal < now.Temporal && l.Temporal >= want.Temporal && s.in.Contains(s.target, i) &&
			(lower < 0 || l.Temporal < s.in.Targets[lower].Temporal) {
			lower = i
		}
	}
	return lower
}

// decodable tells whether the receiver was sent all that a frame refers to.
func (s *LayerSelector) decodable(d *descriptor.Descriptor, n uint64) bool {
	for _, back := range d.Differences {
		m := n - uint64(back)
		if f := &s.fates[m%frameMemory]; f.frame != m || !f.sent {
			return false
		}
	}
	return true
}

// Satisfied tells whether what is let through is what is wanted, as far as it is sent, or will be without a key frame.
func (s *LayerSelector) Satisfied() bool {
	if s.in == nil {
		return true
	}
	if !s.entered {
		return false
	}
	best := s.in.Target(s.want, s.active)
	if best < 0 || s.in.Targets[best].Spatial == s.in.Targets[s.target].Spatial {
		return true
	}
	lower := s.fall(best)
	return lower >= 0 && s.in.Targets[lower].Spatial == s.in.Targets[best].Spatial
}

// Current is the layers that are let through; ok is false before the stream was entered.
func (s *LayerSelector) Current() (l descriptor.Layer, ok bool) {
	if !s.entered {
		return l, false
	}
	return s.in.Targets[s.target], true
}

// number unwraps a frame number to the place nearest to the highest so far. A source that began anew further back is followed.
func (s *LayerSelector) number(d *descriptor.Descriptor) uint64 {
	if s.started {
		n := near(d.Frame, s.high)
		if d.Attached == nil || n+frameMemory > s.high {
			s.high = max(s.high, n)
			return n
		}
		s.Reset()
	}
	s.started, s.high = true, firstFrame+uint64(d.Frame)
	return s.high
}
