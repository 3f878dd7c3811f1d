package forward

// Choices of ours about the numbering of a source; RFC 3550 appendix A.1 has 3000 and 100.
const (
	maxDropout  = 3000 // a jump ahead that is still a loss
	maxMisorder = 1024 // a step back that is still a late packet
)

// Unwrapper turns 16-bit RTP sequence numbers into a counter that does not wrap, as RFC 3550 appendix A.1 does: near numbers move or
// look back from the highest; a number far away is a stray, until the next one follows it in line: then the source started
// anew and its numbers continue ours without a gap. The zero value is ready.
type Unwrapper struct {
	started bool
	high    uint64 // highest counter
	wire    uint16 // the sequence number of high
	stray   uint16 // the number that would follow the last stray
	strays  bool
}

// firstCounter leaves room below, so that late packets from before the first have counters too.
const firstCounter = 1 << 16

// Unwrap returns the counter of seq. ok is false for a stray.
// restarted is true when the source's numbers were followed to a new place: what was missing before it will not come.
func (u *Unwrapper) Unwrap(seq uint16) (counter uint64, restarted, ok bool) {
	if !u.started {
		u.started, u.high, u.wire = true, firstCounter, seq
		return u.high, false, true
	}
	delta := int32(int16(seq - u.wire))
	switch {
	case delta > 0 && delta < maxDropout:
		u.high += uint64(delta)
		u.wire = seq
	case delta <= 0 && -delta <= maxMisorder:
		return u.high - uint64(-delta), false, true
	case u.strays && seq == u.stray:
		u.high++
		u.wire = seq
		restarted = true
	default:
		u.strays, u.stray = true, seq+1
		return 0, false, false
	}
	u.strays = false
	return u.high, restarted, true
}

// High is the highest counter so far; 0 before the first packet.
func (u *Unwrapper) High() uint64 { return u.high }

// Wire is the sequence number of a counter near High.
func (u *Unwrapper) Wire(counter uint64) uint16 { return u.wire + uint16(counter-u.high) }

// near returns the counter closest to high whose lower 16 bits, counted from base, are seq.
func near(seq uint16, high uint64) uint64 {
	return high + uint64(int64(int16(seq-uint16(high))))
}
