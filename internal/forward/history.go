package forward

import "time"

// historyTime is how long a packet is kept at least, while the ring has not gone round: what is asked for later is of no use to a decoder.
const historyTime = 2 * time.Second

// History is a ring of the last packets of a source, for retransmission and for telling duplicates. It owns its memory: buffers are
// reused, so putting a packet in allocates only until there are as many as packets come in historyTime: a ring is as long as the
// fastest source needs, and most are not that fast. Not safe for concurrent use.
type History struct {
	slots  []slot
	high   uint64
	oldest uint64   // no packet before it, but late ones, has a buffer
	spare  [][]byte // buffers of packets that are too old
}

type slot struct {
	counter uint64 // 0: never used
	at      time.Time
	packet  Packet
	data    []byte // descriptor, then payload; nil: no longer kept
}

// NewHistory makes a ring for the last size packets, rounded up to a power of two.
func NewHistory(size int) *History {
	n := 1
	for n < size {
		n <<= 1
	}
	return &History{slots: make([]slot, n)}
}

// Check says what Put would say, without keeping anything.
func (h *History) Check(counter uint64) Verdict {
	switch {
	case counter > h.high:
		return Accepted
	case h.high-counter >= uint64(len(h.slots)):
		return TooOld
	case h.at(counter).counter == counter:
		return Duplicate
	default:
		return Recovered
	}
}

// Put keeps a copy of p under counter (from an Unwrapper). Duplicate and TooOld packets are not kept.
func (h *History) Put(now time.Time, counter uint64, p *Packet) Verdict {
	v := h.Check(counter)
	if v != Accepted && v != Recovered {
		return v
	}
	h.high = max(h.high, counter)
	h.expire(now)
	s := h.at(counter)
	s.counter, s.at, s.packet = counter, now, *p
	if n := len(h.spare); s.data == nil && n > 0 {
		s.data, h.spare = h.spare[n-1], h.spare[:n-1]
	} else if s.data == nil {
		s.data = make([]byte, 0, len(p.Descriptor)+len(p.Payload))
	}
	s.data = append(append(s.data[:0], p.Descriptor...), p.Payload...)
	s.packet.Descriptor = s.data[:len(p.Descriptor):len(p.Descriptor)]
	s.packet.Payload = s.data[len(p.Descriptor):]
	return v
}

// expire takes the buffers of packets that are too old. Their numbers stay, to tell duplicates.
func (h *History) expire(now time.Time) {
	if size := uint64(len(h.slots)); h.high > size {
		h.oldest = max(h.oldest, h.high-size) // the ring went round
	}
	for ; h.oldest < h.high; h.oldest++ {
		s := h.at(h.oldest)
		if s.counter != h.oldest || s.data == nil {
			continue
		}
		if now.Sub(s.at) <= historyTime {
			return
		}
		h.spare = append(h.spare, s.data)
		s.data, s.packet = nil, Packet{}
	}
}

// Get returns the packet kept under counter, or nil. It is valid until the next Put.
func (h *History) Get(counter uint64) *Packet {
	if s := h.at(counter); counter != 0 && s.counter == counter && s.data != nil {
		return &s.packet
	}
	return nil
}

func (h *History) at(counter uint64) *slot { return &h.slots[counter&uint64(len(h.slots)-1)] }
