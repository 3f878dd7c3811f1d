package link

// index follows the 48-bit packet index of one stream (RFC 3711 §3.3.1): the rollover counter and the sequence number. Its first
// value is known from TrackOpen, so there is nothing to guess, not even when the first packets are lost across a wrap.
type index struct{ high uint64 }

const maxIndex = 1<<48 - 1

// near is the index closest to the highest so far whose lower 16 bits are seq; ok is false where there is none: before the first
// packet of all, or after the last that a key may seal.
func (i *index) near(seq uint16) (v uint64, ok bool) {
	d := int64(int16(seq - uint16(i.high)))
	n := int64(i.high) + d
	if n < 0 || n > maxIndex {
		return 0, false
	}
	return uint64(n), true
}

// advance notes an index that was really sent, or really opened. Never one that was merely claimed: a forged sequence number would
// move the estimate and silence the stream.
func (i *index) advance(v uint64) { i.high = max(i.high, v) }
