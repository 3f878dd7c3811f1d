// Package descriptor reads and writes the Dependency Descriptor: what an RTP packet says in clear about the sealed frame it carries, so
// that a node can leave out what a receiver does not want without looking into a frame (AV1 RTP specification 1.0, appendix A).
//
// A stream begins with a Structure: numbered templates of frames, and the decode targets, each a set of frames that shows one size
// at one rate. A packet then names a template in three bytes. Whoever forwards picks a target and leaves out frames that are
// not part of it.
package descriptor

import "errors"

// Bounds of the format (appendix A.4) and of AV1's layer numbers.
const (
	MaxSize      = 255 // bytes of one descriptor: the two-byte header of RFC 8285 §4.3 holds no more
	MaxTemplates = 64
	MaxTargets   = 32
	MaxSpatial   = 3
	MaxTemporal  = 7
)

// Errors of Parse and Append.
var (
	ErrMalformed = errors.New("descriptor: malformed")
	ErrUnknown   = errors.New("descriptor: names a template of a structure that is not known") // its key frame was lost, or is late
	ErrUnwritten = errors.New("descriptor: cannot be written")
)

// Indication tells what a frame is to a decode target (table A.1).
type Indication uint8

const (
	NotPresent  Indication = iota // no part of the target
	Discardable                   // part of it, and nothing of the target needs it
	Switch                        // once it is decoded, everything that follows in the target can be
	Required                      // part of it, and later frames need it
)

// Layer is a size and a rate: one step up in Spatial doubles the size, one step up in Temporal the rate, as encoders commonly do.
type Layer struct{ Spatial, Temporal uint8 }

// Within tells whether a receiver of other is sent everything that l holds, where layers build on one another.
func (l Layer) Within(other Layer) bool {
	return l.Spatial <= other.Spatial && l.Temporal <= other.Temporal
}

// Above tells which of two is better: the larger picture, then the higher rate.
func (l Layer) Above(other Layer) bool {
	return l.Spatial > other.Spatial || l.Spatial == other.Spatial && l.Temporal > other.Temporal
}

// Template is what many frames have in common.
type Template struct {
	Layer
	Indications []Indication // per target
	Differences []uint16     // how many frame numbers back each frame is that this one needs
	Chains      []uint16     // per chain: how many frame numbers back its last frame is; 0: the chain begins here
}

// Resolution is a size in pixels.
type Resolution struct{ Width, Height uint32 }

// Structure holds until the next one. Read-only once parsed: packets share it.
type Structure struct {
	Offset      uint8 // the id of the first template
	Templates   []Template
	Targets     []Layer      // of each decode target: the highest layers that are part of it
	ProtectedBy []uint8      // per target, the chain; empty if there are none
	Chains      int          // how many
	Resolutions []Resolution // per spatial layer; empty if not told
}

// Descriptor is what one packet says. The slices belong to the structure or to the Descriptor and are valid until the next Parse.
type Descriptor struct {
	First, Last bool // packet of its frame
	Frame       uint16
	Template    uint8
	Layer
	Indications []Indication
	Differences []uint16
	Chains      []uint16
	Attached    *Structure // sent with the first packet of a coded sequence; nil otherwise
	Active      uint32     // the targets that are being sent, one bit each; only if HasActive
	HasActive   bool

	ownIndications [MaxTargets]Indication
	ownChains      [MaxTargets]uint16
	ownDifferences []uint16
}

// Holds tells whether the frame is part of a target.
func (d *Descriptor) Holds(target int) bool {
	return target < len(d.Indications) && d.Indications[target] != NotPresent
}

// template finds a template by its id.
func (s *Structure) template(id uint8) *Template {
	if i := (id + MaxTemplates - s.Offset) % MaxTemplates; int(i) < len(s.Templates) {
		return &s.Templates[i]
	}
	return nil
}

// Top is the highest layers of all.
func (s *Structure) Top() (top Layer) {
	for _, l := range s.Targets {
		top.Spatial, top.Temporal = max(top.Spatial, l.Spatial), max(top.Temporal, l.Temporal)
	}
	return top
}

// Target is the best target within want of those that are being sent (a bit each in active), -1 if there is none.
func (s *Structure) Target(want Layer, active uint32) int {
	best := -1
	for i, l := range s.Targets {
		if active>>i&1 == 0 || !l.Within(want) {
			continue
		}
		if best < 0 || l.Above(s.Targets[best]) {
			best = i
		}
	}
	return best
}

// Contains tells whether every template of target part is one of target whole too: who was sent whole has all that part needs.
func (s *Structure) Contains(whole, part int) bool {
	for i := range s.Templates {
		in := s.Templates[i].Indications
		if in[part] != NotPresent && in[whole] == NotPresent {
			return false
		}
	}
	return true
}

// layers works out the targets' layers from the templates.
func (s *Structure) layers() {
	for i := range s.Templates {
		t := &s.Templates[i]
		for target, in := range t.Indications {
			if in != NotPresent {
				l := &s.Targets[target]
				l.Spatial, l.Temporal = max(l.Spatial, t.Spatial), max(l.Temporal, t.Temporal)
			}
		}
	}
}
