package link

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"parley.link/parley/internal/forward"
)

// receive gives one media datagram its verdict. b is opened in place.
func (m *Media) receive(now time.Time, b []byte) Verdict {
	m.inMu.Lock()
	defer m.inMu.Unlock()
	if isReport(b) {
		return m.receiveReport(now, b)
	}
	if len(b) < 12+16 || len(b) > maxDatagram {
		return TooShort
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	m.mu.RLock()
	r, ok := m.incoming[ssrc]
	m.mu.RUnlock()
	if !ok {
		return m.park(now, b)
	}
	return m.open(now, r, b)
}

func (m *Media) open(now time.Time, r route, b []byte) Verdict {
	seq := binary.BigEndian.Uint16(b[2:])
	at, ok := r.index.near(seq)
	if !ok {
		return NotAuthentic
	}
	out, v := r.keys.openRTP(b, &m.header, at)
	if v != Delivered {
		return v
	}
	r.index.advance(at)
	payload, ok := payloadOf(out, &m.header)
	want := uint8(payloadTypeMedia)
	if r.again {
		want = payloadTypeAgain
	}
	if !ok || m.header.PayloadType != want {
		return BadHeader
	}
	m.packet = forward.Packet{
		SSRC: m.header.SSRC, PayloadType: m.header.PayloadType, Sequence: seq, Timestamp: m.header.Timestamp,
		Marker: m.header.Marker, Payload: payload, Again: r.again,
	}
	if m.header.Extension {
		m.packet.Descriptor = m.header.GetExtension(extDescriptor)
	}
	r.stream.receive(now, &m.packet)
	return Delivered
}

// payloadOf finds the payload behind an opened header. The link sends neither padding nor contributing sources; whoever does is told
// apart by it, and nothing else reads them.
func payloadOf(b []byte, h *rtp.Header) ([]byte, bool) {
	if b[0]&0x2f != 0 {
		return nil, false
	}
	n := 12
	if h.Extension {
		if len(b) < n+4 {
			return nil, false
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

// park keeps a packet that overtook its TrackOpen (another plane, another path through the kernel). What is parked is still sealed and
// unproven: the bound is on the whole peer, and the oldest goes first.
func (m *Media) park(now time.Time, b []byte) Verdict {
	m.dropParked(now)
	if len(m.parked) >= maxParked {
		return UnknownStream
	}
	m.parked = append(m.parked, parked{now, append([]byte(nil), b...)})
	return Parked
}

func (m *Media) dropParked(now time.Time) {
	n := 0
	for n < len(m.parked) && now.Sub(m.parked[n].at) > parkedFor {
		m.e.counters.add(ParkedTooLong)
		n++
	}
	m.parked = m.parked[n:]
}

// unpark lets out what waited for a TrackOpen that has now come.
func (m *Media) unpark(now time.Time) {
	m.inMu.Lock()
	defer m.inMu.Unlock()
	if len(m.parked) == 0 {
		return
	}
	m.dropParked(now)
	waiting := m.parked
	m.parked = nil
	for _, p := range waiting {
		m.mu.RLock()
		r, ok := m.incoming[binary.BigEndian.Uint32(p.b[8:])]
		m.mu.RUnlock()
		if !ok {
			m.parked = append(m.parked, p)
			continue
		}
		m.e.counters.add(m.open(now, r, p.b))
	}
}
