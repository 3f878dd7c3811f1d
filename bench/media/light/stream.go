//go:build linux

package light

import (
	"encoding/binary"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
)

// Kind of what a payload type carries.
type Kind uint8

// Kinds. Again is a retransmission or repair stream, which is no forwarded packet.
const (
	None Kind = iota
	Audio
	Video
	Again
)

const (
	sampleEvery = 7
	smallVideo  = 600 // bytes: anything of a video's payload type below is padding, since every packet we publish is larger
)

// Stream is one SSRC as it comes. Its fields belong to the loop's thread.
type Stream struct {
	SSRC    uint32
	Kind    Kind
	Packets uint64
	Bytes   uint64
	Other   uint64 // padding and probes
	Lost    uint64 // by sequence numbers, at the last report

	first, high uint32 // extended sequence numbers
	senderAt    time.Time
	senderNTP   uint32
}

// media takes one sealed packet. Called with mu held.
func (e *End) media(b []byte, arrived int64) {
	kind := e.kinds[b[1]&0x7f]
	if kind == None || kind == Again {
		return
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	seq := binary.BigEndian.Uint16(b[2:])
	s := e.streams[ssrc]
	if s == nil {
		s = &Stream{SSRC: ssrc, Kind: kind, first: uint32(seq) + 1<<16, high: uint32(seq) + 1<<16}
		e.streams[ssrc] = s
	}
	if d := int16(seq - uint16(s.high)); d > 0 {
		s.high += uint32(d)
	}
	if e.feedback != 0 && b[0]&0x10 != 0 {
		if n, ok := extension(b, e.feedback); ok {
			if e.recorder == nil {
				e.recorder = twcc.NewRecorder(e.reporter)
			}
			e.recorder.Record(ssrc, n, arrived/1000)
		}
	}
	if kind == Video && len(b) < smallVideo {
		s.Other++
		return
	}
	s.Packets++
	s.Bytes += uint64(len(b))
	if s.Packets%sampleEvery == 0 && e.opening != nil {
		e.look(b, arrived)
	}
}

// look opens a packet and takes its age. Every sampled packet is opened, also outside a window: the rollover counter must not be lost.
func (e *End) look(b []byte, arrived int64) {
	plain, err := e.opening.DecryptRTP(e.loop.open[:0], b, nil)
	if !e.loop.sampling {
		return
	}
	at, ok := int64(0), err == nil
	if ok {
		at, ok = stampOf(plain)
	}
	if !ok {
		e.loop.bad++
		return
	}
	if arrived == 0 {
		arrived = time.Now().UnixNano()
	}
	if len(e.loop.late) < maxSamples {
		e.loop.late = append(e.loop.late, int32(min((arrived-at)/1000, 1<<30)))
	}
}

// extension reads the two bytes of a header extension element (RFC 8285), for the transport-wide sequence number.
func extension(b []byte, id uint8) (uint16, bool) {
	at := 12 + 4*int(b[0]&0xf)
	if len(b) < at+4 {
		return 0, false
	}
	profile, end := binary.BigEndian.Uint16(b[at:]), at+4+4*int(binary.BigEndian.Uint16(b[at+2:]))
	if end > len(b) {
		return 0, false
	}
	for at += 4; at < end; {
		if b[at] == 0 {
			at++
			continue
		}
		var got uint8
		var n, head int
		if profile == 0xBEDE {
			got, n, head = b[at]>>4, int(b[at]&0xf)+1, 1
		} else {
			if at+2 > end {
				return 0, false
			}
			got, n, head = b[at], int(b[at+1]), 2
		}
		if at+head+n > end {
			return 0, false
		}
		if got == id && n >= 2 {
			return binary.BigEndian.Uint16(b[at+head:]), true
		}
		at += head + n
	}
	return 0, false
}
