package forward

// History is a ring of the last packets of a source, for retransmission and for telling duplicates. It owns its memory: buffers are
// reused, so putting a packet in allocates only until the ring has gone round once. Not safe for concurrent use.
type History struct {
	slots []slot
	high  uint64
}

type slot struct {
	counter uint64 // 0: never used
	packet  Packet
	data    []byte // descriptor, then payload
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
func (h *History) Put(counter uint64, p *Packet) Verdict {
	v := h.Check(counter)
	if v != Accepted && v != Recovered {
		return v
	}
	h.high = max(h.high, counter)
	s := h.at(counter)
	s.counter, s.packet = counter, *p
	s.data = append(append(s.data[:0], p.Descriptor...), p.Payload...)
	s.packet.Descriptor = s.data[:len(p.Descriptor):len(p.Descriptor)]
	s.packet.Payload = s.data[len(p.Descriptor):]
	return v
}

// Get returns the packet kept under counter, or nil. It is valid until the next Put.
func (h *History) Get(counter uint64) *Packet {
	if s := h.at(counter); counter != 0 && s.counter == counter {
		return &s.packet
	}
	return nil
}

func (h *History) at(counter uint64) *slot { return &h.slots[counter&uint64(len(h.slots)-1)] }
