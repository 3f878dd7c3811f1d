package rtc

import (
	"strings"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// Frame is one whole frame as its sender sealed it.
type Frame struct {
	Track     string
	MimeType  string
	Timestamp uint32 // in the codec's clock
	Payload   []byte
	First     time.Time // when the first of its packets came
	Whole     time.Time // when the last did
	Lost      uint64    // packets of this track given up so far
}

const (
	assembleRing  = 512     // packets of a track that are waited for
	maxFrameBytes = 1 << 20 // a frame larger than this is not one
)

// assembler puts packets together to frames. A frame is given out as soon as it is whole, also when a later one was whole before.
// Not safe for concurrent use.
type assembler struct {
	mime string
	seq  forward.Unwrapper
	ring [assembleRing]part
}

// part is one packet waiting for the rest of its frame.
type part struct {
	counter    uint64 // 0: empty
	timestamp  uint32
	start, end bool
	at         time.Time
	payload    []byte
	done       bool // given out; kept to know duplicates
}

func newAssembler(mime string) *assembler { return &assembler{mime: mime} }

// put takes a packet and returns the frame it completes, if it does. fresh is false for duplicates and strays.
func (a *assembler) put(now time.Time, p *forward.Packet) (f Frame, whole, fresh bool) {
	if len(p.Payload) == 0 {
		return Frame{}, false, true // a probe
	}
	counter, _, ok := a.seq.Unwrap(p.Sequence)
	if !ok || a.seq.High()-counter >= assembleRing {
		return Frame{}, false, false
	}
	slot := &a.ring[counter%assembleRing]
	if slot.counter == counter {
		return Frame{}, false, false
	}
	start, end, payload, ok := a.open(p)
	if !ok {
		return Frame{}, false, true
	}
	*slot = part{counter: counter, timestamp: p.Timestamp, start: start, end: end, at: now, payload: append(slot.payload[:0], payload...)}
	f, whole = a.frame(now, counter)
	return f, whole, true
}

// open takes the payload descriptor off.
func (a *assembler) open(p *forward.Packet) (start, end bool, payload []byte, ok bool) {
	switch {
	case strings.EqualFold(a.mime, webrtc.MimeTypeVP8):
		var d codecs.VP8Packet
		b, err := d.Unmarshal(p.Payload)
		return d.S == 1 && d.PID == 0, p.Marker, b, err == nil
	case strings.EqualFold(a.mime, webrtc.MimeTypeVP9):
		var d codecs.VP9Packet
		b, err := d.Unmarshal(p.Payload)
		return d.B, d.E, b, err == nil
	case strings.EqualFold(a.mime, webrtc.MimeTypeAV1):
		return p.Payload[0]&0x80 == 0, p.Marker, p.Payload, true // Z; opened as a whole below
	default:
		return true, true, p.Payload, true
	}
}

// frame looks for the start before and the end after the packet at counter, without a hole between.
func (a *assembler) frame(now time.Time, counter uint64) (Frame, bool) {
	at := func(c uint64) *part { return &a.ring[c%assembleRing] }
	ts := at(counter).timestamp
	belongs := func(c uint64) bool { p := at(c); return p.counter == c && p.timestamp == ts && !p.done }
	first, last := counter, counter
	for !at(first).start {
		if first--; !belongs(first) || counter-first >= assembleRing {
			return Frame{}, false
		}
	}
	for !at(last).end {
		if last++; !belongs(last) || last-first >= assembleRing {
			return Frame{}, false
		}
	}
	f := Frame{MimeType: a.mime, Timestamp: ts, First: now, Whole: now}
	var av1 *codecs.AV1Depacketizer
	if strings.EqualFold(a.mime, webrtc.MimeTypeAV1) {
		av1 = &codecs.AV1Depacketizer{}
	}
	for c := first; c <= last; c++ {
		p := at(c)
		p.done = true
		if p.at.Before(f.First) {
			f.First = p.at
		}
		b := p.payload
		if av1 != nil {
			var err error
			if b, err = av1.Unmarshal(b); err != nil {
				return Frame{}, false
			}
		}
		if len(f.Payload)+len(b) > maxFrameBytes {
			return Frame{}, false
		}
		f.Payload = append(f.Payload, b...)
	}
	return f, true
}
