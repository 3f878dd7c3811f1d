//go:build linux

package light

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
)

func (s *Source) frame(now time.Time) {
	key := s.keyWanted || now.After(s.nextKey)
	if key {
		s.keyWanted, s.nextKey = false, now.Add(keyEvery)
	}
	s.picture++
	t := s.video
	t.timestamp += uint32(90000 * s.interval.Seconds())
	s.end.loop.sealed = s.end.loop.sealed[:0]
	for i := range PerFrame {
		b, h := s.header(t, s.packet[i][:0], i == PerFrame-1)
		payload := b[h : h+VideoPayload]
		// VP8's payload descriptor (RFC 7741 §4.2) with a 15-bit picture id, then on the first packet the frame's own head (RFC 6386 §9.1).
		payload[0], payload[1] = 0x80, 0x80
		if i == 0 {
			payload[0] = 0x90
			copy(payload[4:], []byte{0x11, 0, 0})
			if key {
				copy(payload[4:], []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02}) // 1280×720
			}
		}
		binary.BigEndian.PutUint16(payload[2:], 0x8000|s.picture)
		s.seal(t, b[:h+VideoPayload], i)
	}
	s.flush(t, now)
}

func (s *Source) sound(now time.Time) {
	t := s.audio
	t.timestamp += 960
	s.end.loop.sealed = s.end.loop.sealed[:0]
	b, h := s.header(t, s.packet[0][:0], t.packets == 0)
	b[h] = 0xfc // Opus, CELT full band, 20 ms, one frame, stereo (RFC 6716 §3.1)
	s.seal(t, b[:h+AudioPayload], 0)
	s.flush(t, now)
}

// header writes an RTP header and gives the buffer at full length and the header's length.
func (s *Source) header(t *sending, b []byte, marker bool) ([]byte, int) {
	b = b[:cap(b)]
	b[0], b[1] = 2<<6, t.pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], t.seq)
	t.seq++
	binary.BigEndian.PutUint32(b[4:], t.timestamp)
	binary.BigEndian.PutUint32(b[8:], t.ssrc)
	if t.feedback == 0 {
		return b, 12
	}
	b[0] |= 0x10
	copy(b[12:], []byte{0xBE, 0xDE, 0, 1, t.feedback<<4 | 1, 0, 0, 0})
	binary.BigEndian.PutUint16(b[17:], s.transport)
	s.transport++
	return b, 20
}

// seal stamps a packet at its end and protects it.
func (s *Source) seal(t *sending, b []byte, i int) {
	stamp := b[len(b)-stampSize:]
	binary.BigEndian.PutUint64(stamp, stampMagic)
	binary.BigEndian.PutUint64(stamp[8:], uint64(time.Now().UnixNano()))
	e := s.end
	if cap(e.loop.spare[i]) == 0 {
		e.loop.spare[i] = make([]byte, 0, datagramRoom)
	}
	out, err := e.sealing.EncryptRTP(e.loop.spare[i][:0], b, nil)
	if err != nil {
		e.loop.bad++
		return
	}
	e.loop.sealed = append(e.loop.sealed, out)
	t.packets++
	t.octets += uint32(len(b))
}

func (s *Source) flush(t *sending, now time.Time) {
	t.last = now
	all := s.end.loop.sealed
	n := s.end.loop.out.send(s.end.fd, all, s.end.remote)
	s.Packets += uint64(n)
	s.Refused += uint64(len(all) - n)
}

// stampOf reads when a packet was sent.
func stampOf(plain []byte) (int64, bool) {
	if len(plain) < 12+stampSize {
		return 0, false
	}
	stamp := plain[len(plain)-stampSize:]
	return int64(binary.BigEndian.Uint64(stamp[8:])), binary.BigEndian.Uint64(stamp) == stampMagic
}

// sayReports sends the sender reports of both streams.
func (s *Source) sayReports(now time.Time) {
	for _, t := range []*sending{s.audio, s.video} {
		if t == nil || t.packets == 0 {
			continue
		}
		rate := 90000.0
		if t.kind == Audio {
			rate = 48000
		}
		s.end.say([]rtcp.Packet{&rtcp.SenderReport{
			SSRC: t.ssrc, NTPTime: ntp(now), RTPTime: t.timestamp + uint32(now.Sub(t.last).Seconds()*rate), PacketCount: t.packets, OctetCount: t.octets,
		}})
	}
}

func newSending(kind Kind, pt uint8) *sending {
	return &sending{kind: kind, pt: pt, ssrc: random32(), seq: uint16(rand.Uint32N(1 << 15)), timestamp: rand.Uint32()}
}
