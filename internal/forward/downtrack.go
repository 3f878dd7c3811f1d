package forward

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// ErrEnded is returned for a subscription to a track that has ended, or has too many receivers.
var ErrEnded = errors.New("forward: track has ended or is full")

// Outgoing names the stream a DownTrack writes. SSRC and RTXSSRC must be fresh: never used before under the same SRTP key.
type Outgoing struct {
	SSRC        uint32
	PayloadType uint8

	// Of the retransmission stream; RTXSSRC 0: none was negotiated, so nothing is sent again (see the package comment).
	RTXSSRC        uint32
	RTXPayloadType uint8

	// First sequence numbers. RFC 3711 §3.3.1 asks for less than 2^15, so that early loss does not confuse the rollover counter.
	First, RTXFirst uint16
}

// DownTrack is one source as one receiver gets it. Safe for concurrent use.
type DownTrack struct {
	up   *UpTrack
	out  Outgoing
	sink Sink

	mu        sync.Mutex // guards what follows, and serialises the sink
	budget    *Budget
	responder *NackResponder
	paused    bool
	restart   bool // number the next packet right after the last
	started   bool
	closed    bool
	segment   uint32
	start     uint64 // source counter of the first packet of this numbering
	first     uint64 // its outgoing counter
	high      uint64 // highest outgoing counter
	highIn    uint64 // its source counter
	rtxNext   uint16
	p         Packet // what the sink sees; here so that fan-out does not allocate
	scratch   *[2 + MaxPayload + MaxDescriptor]byte
	count     Counters
	packets   uint64
	octets    uint64

	layers  *LayerSelector // nil: everything is wanted, and the arithmetic of start and first is enough
	numbers *Renumber      // as long as layers
	asked   time.Time      // a key frame, for the sake of a layer
	patient time.Duration  // until it is asked for again
}

// Subscribe makes a down track of u and asks the source for a key frame at once. budget is the receiver's, shared by all its tracks.
func (u *UpTrack) Subscribe(now time.Time, out Outgoing, budget *Budget, sink Sink) (*DownTrack, error) {
	d := &DownTrack{up: u, out: out, sink: sink, budget: budget, responder: NewNackResponder(budget), rtxNext: out.RTXFirst}
	if !u.add(d) {
		return nil, ErrEnded
	}
	u.requestKeyFrame(now, true)
	return d, nil
}

// Up is the source.
func (d *DownTrack) Up() *UpTrack { return d.up }

// Counters are this receiver's verdicts.
func (d *DownTrack) Counters() *Counters { return &d.count }

// Totals are the packets and payload octets sent, without retransmissions, as a sender report wants them (RFC 3550 §6.4.1).
func (d *DownTrack) Totals() (packets, octets uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.packets, d.octets
}

// write takes one packet of the source. l is what its descriptor says, nil if nobody reads it or it says nothing.
func (d *DownTrack) write(now time.Time, counter uint64, segment uint32, p *Packet, l *layered) {
	d.mu.Lock()
	d.count.add(d.writeLocked(now, counter, segment, p, l))
	d.mu.Unlock()
}

func (d *DownTrack) writeLocked(now time.Time, counter uint64, segment uint32, p *Packet, l *layered) Verdict {
	switch {
	case d.closed:
		return Closed
	case d.paused:
		d.restart = true
		return Paused
	case !d.started:
		d.started = true
		d.start, d.first, d.segment = counter, firstCounter+uint64(d.out.First), segment
		d.high, d.highIn = d.first, counter
		d.beginLayers(counter-1, d.first-1)
	case d.restart || segment != d.segment:
		// Whatever was withheld leaves no gap: nobody shall ask for it. Only a packet beyond all earlier ones may start anew, or
		// numbers would be used twice.
		if counter <= d.highIn {
			return BeforeStart
		}
		d.segment, d.restart = segment, false
		if d.layers != nil {
			d.layers.Reset()
			d.numbers.Skip(counter)
		} else {
			d.start, d.first = counter, d.high+1
		}
	}
	if d.layers != nil {
		return d.writeLayer(now, counter, p, l)
	}
	if counter < d.start {
		return BeforeStart
	}
	out := d.first + (counter - d.start)
	if out > d.high {
		d.high, d.highIn = out, counter
	}
	d.p = *p
	return d.emit(now, out)
}

// emit sends d.p under an outgoing counter.
func (d *DownTrack) emit(now time.Time, out uint64) Verdict {
	d.p.SSRC, d.p.PayloadType, d.p.Sequence, d.p.Again = d.out.SSRC, d.out.PayloadType, uint16(out), false
	if d.sink.WriteRTP(now, &d.p) != nil {
		return SinkFailed
	}
	d.packets++
	d.octets += uint64(len(d.p.Payload))
	d.budget.Earn(len(d.p.Payload))
	return Sent
}

// HandleNACK sends again what of seqs the rules allow (RFC 4585 §6.2.1, RFC 4588). rtt is the round-trip time to the receiver, 0 if
// unknown. Bound the length of seqs before: one RTCP packet cannot hold more than a few thousand.
func (d *DownTrack) HandleNACK(now time.Time, seqs []uint16, rtt time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, seq := range seqs {
		d.count.add(d.resendLocked(now, seq, rtt))
	}
}

func (d *DownTrack) resendLocked(now time.Time, seq uint16, rtt time.Duration) Verdict {
	switch {
	case d.closed:
		return Closed
	case d.paused:
		return Paused
	case d.out.RTXSSRC == 0:
		return NoRetransmission
	case !d.started:
		return NotKept
	}
	out := near(seq, d.high)
	counter, last, empty, ok := d.source(out)
	if !ok {
		return NotKept
	}
	if d.scratch == nil {
		d.scratch = new([2 + MaxPayload + MaxDescriptor]byte)
	}
	p, ok := d.up.kept(counter, d.scratch)
	if !ok {
		return NotKept
	}
	p.Marker = p.Marker || last
	if empty {
		p.Marker, p.Payload, p.Descriptor = false, p.Payload[:2], nil
	}
	if v := d.responder.Allow(now, out, len(p.Payload), rtt); v != Resent {
		return v
	}
	binary.BigEndian.PutUint16(p.Payload, seq)
	p.SSRC, p.PayloadType, p.Sequence, p.Again = d.out.RTXSSRC, d.out.RTXPayloadType, d.rtxNext, true
	d.rtxNext++
	d.p = p
	if d.sink.WriteRTP(now, &d.p) != nil {
		return SinkFailed
	}
	return Resent
}

// RequestKeyFrame passes on this receiver's request (PLI, FIR), throttled per source.
func (d *DownTrack) RequestKeyFrame(now time.Time) {
	d.mu.Lock()
	dead := d.closed || d.paused
	d.mu.Unlock()
	if !dead {
		d.up.RequestKeyFrame(now)
	}
}

// SetPaused holds the track back from this receiver, or lets it on with a key frame and without a gap.
func (d *DownTrack) SetPaused(now time.Time, paused bool) {
	d.mu.Lock()
	resumed := d.paused && !paused
	d.paused = paused
	d.mu.Unlock()
	if resumed {
		d.up.requestKeyFrame(now, true)
	}
}

// Close ends the down track. After it returned the sink is not called any more.
func (d *DownTrack) Close() {
	d.up.remove(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed && d.layers != nil {
		d.up.layered.Add(-1)
	}
	d.closed = true
}
