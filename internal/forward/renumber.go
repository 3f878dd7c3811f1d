package forward

// Renumber gives the packets that one receiver gets numbers without holes, while those it does not get take none. A packet that
// is missing keeps a place, in case it comes; if it then turns out not to be for this receiver, the place is filled with an empty
// packet, or the receiver would go on asking for it. A number is never given twice (see the package comment). Not safe for
// concurrent use.
type Renumber struct {
	places  []place // by incoming counter
	back    []place // by outgoing counter
	base    uint64  // incoming counters up to here are numbered by the DownTrack's own arithmetic
	baseOut uint64
	floor   uint64 // incoming counters below here come too late
	in, out uint64 // highest so far
}

// place holds the lower halves of both counters: nothing a ring remembers is so old that they could be mistaken.
type place struct {
	in, out uint32
	state   placeState
}

type placeState uint8

const (
	unplaced placeState = iota
	awaited             // missing, its number is kept for it
	left                // not for this receiver: no number
	used                // sent
	usedLast            // sent with the marker set
	filled              // an empty packet took the number
)

// NewRenumber numbers what follows on from the incoming counter in, sent as out. size is the source's history, in packets, a power
// of two: what is older can neither come late nor be sent again.
func NewRenumber(size int, in, out uint64) *Renumber {
	return &Renumber{places: make([]place, size), back: make([]place, size), base: in, baseOut: out, floor: in + 1, in: in, out: out}
}

// Send gives the outgoing counter of a packet that the receiver gets. ok is false if it cannot be sent any more.
func (r *Renumber) Send(in uint64, last bool) (out uint64, ok bool) {
	state := used
	if last {
		state = usedLast
	}
	if in > r.in {
		r.reserve(in)
		r.out++
		r.put(in, r.out, state)
		return r.out, true
	}
	if out, ok = r.kept(in); ok {
		r.put(in, out, state)
	}
	return out, ok
}

// Leave notes a packet that the receiver does not get. fill is true if out must be filled with an empty packet.
func (r *Renumber) Leave(in uint64) (out uint64, fill bool) {
	if in > r.in {
		r.reserve(in)
		*r.at(in) = place{in: uint32(in), state: left}
		return 0, false
	}
	if out, fill = r.kept(in); fill {
		r.put(in, out, filled)
	}
	return out, fill
}

// kept finds the number that was kept for a missing packet.
func (r *Renumber) kept(in uint64) (out uint64, ok bool) {
	p := r.at(in)
	return widen(p.out, r.out), in >= r.floor && p.in == uint32(in) && p.state == awaited
}

// Skip makes in the next to be numbered: what is missing before it gets no places, and what comes late from before it is not sent.
func (r *Renumber) Skip(in uint64) {
	r.in = max(r.in, in-1)
	r.floor = r.in + 1
}

// Source finds what was sent under an outgoing counter above the base. empty: an empty packet; last: with the marker.
func (r *Renumber) Source(out uint64) (in uint64, last, empty, ok bool) {
	p := r.back[out%uint64(len(r.back))]
	ok = out > r.baseOut && out <= r.out && p.out == uint32(out) && p.state >= used
	return widen(p.in, r.in), p.state == usedLast, p.state == filled, ok
}

// High is the highest counters so far.
func (r *Renumber) High() (in, out uint64) { return r.in, r.out }

// Early tells whether a late packet belongs to the DownTrack's own arithmetic, which still holds for it.
func (r *Renumber) Early(in uint64) bool { return in <= r.base && r.floor == r.base+1 }

// Base is the pair of counters up to which the DownTrack's arithmetic holds.
func (r *Renumber) Base() (in, out uint64) { return r.base, r.baseOut }

// reserve keeps places for what is missing before in, as far back as it could still come.
func (r *Renumber) reserve(in uint64) {
	from := r.in + 1
	if missing := in - from; missing >= uint64(len(r.places)) {
		from = in // a hole that no history can fill: the receiver shall not see it
	}
	for k := from; k < in; k++ {
		r.out++
		*r.at(k) = place{uint32(k), uint32(r.out), awaited}
	}
	r.in = in
}

func (r *Renumber) put(in, out uint64, state placeState) {
	p := place{uint32(in), uint32(out), state}
	*r.at(in) = p
	r.back[out%uint64(len(r.back))] = p
}

// widen finds the counter at or below high with these lower bits.
func widen(low uint32, high uint64) uint64 { return high - uint64(uint32(high)-low) }

func (r *Renumber) at(in uint64) *place { return &r.places[in%uint64(len(r.places))] }
