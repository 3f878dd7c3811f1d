package rtc

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

var errNotBound = errors.New("rtc: codec of the track was not negotiated")

// most packets named by one NACK that are looked at: a compound packet could name thousands.
const maxNacked = 256

// sink is one track on its way to a receiver: the library's view of it (webrtc.TrackLocal) and the forwarder's (forward.Sink).
type sink struct {
	up     *forward.UpTrack
	budget *forward.Budget
	rtt    atomic.Int64 // ns, to the receiver; 0: unknown

	unsupported atomic.Bool // the receiver cannot take the codec

	mu   sync.Mutex // guards down and told; never held while calling the forwarder with its lock
	down *forward.DownTrack

	// Written in Bind, before the forwarder knows the sink; then only used under the DownTrack's lock.
	writer     webrtc.TrackLocalWriter
	ssrc       uint32
	descriptor uint8
	header     rtp.Header

	told [4]told // the last reports, for round trips; guarded by mu
}

// told is a sender report that was sent: its wall clock is the origin's, so when it went out is kept beside it.
type told struct {
	middle uint32 // of its NTP timestamp, as receivers give it back
	at     time.Time
}

func newSink(up *forward.UpTrack, budget *forward.Budget) *sink { return &sink{up: up, budget: budget} }

// ID, RID, StreamID and Kind describe the track in SDP. The stream says which tracks are one person's picture and sound, so that browsers
// bring them together; neither name says whose they are.
func (s *sink) ID() string       { return s.up.ID() }
func (s *sink) RID() string      { return "" }
func (s *sink) StreamID() string { return s.up.Stream() }

func (s *sink) Kind() webrtc.RTPCodecType {
	if s.up.Kind() == forward.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// Bind is called by the library when the stream's parameters are negotiated; here the track is subscribed to. The library made both
// SSRCs for this sender and never uses them again.
func (s *sink) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec, rtx, ok := choose(s.up.Codec().MimeType, ctx.CodecParameters())
	if !ok {
		s.unsupported.Store(true)
		if all := ctx.CodecParameters(); len(all) > 0 {
			return all[0], nil // as below: nothing is ever sent with it, and the rest of the answer counts
		}
		return webrtc.RTPCodecParameters{}, errNotBound
	}
	s.writer, s.ssrc = ctx.WriteStream(), uint32(ctx.SSRC())
	s.descriptor = extensionID(ctx.HeaderExtensions(), DescriptorURI)
	out := forward.Outgoing{
		SSRC: s.ssrc, PayloadType: uint8(codec.PayloadType),
		First: uint16(rand.Uint32N(1 << 15)), RTXFirst: uint16(rand.Uint32N(1 << 15)),
	}
	if rtx != 0 {
		out.RTXSSRC, out.RTXPayloadType = uint32(ctx.SSRCRetransmission()), uint8(rtx)
	}
	down, err := s.up.Subscribe(time.Now(), out, s.budget, s)
	if err != nil {
		// The source ended between offer and answer, or has no room for one more. An error here would make the library drop the answer
		// before it starts the transport: one person's leaving in that moment would leave another without any picture or sound.
		// The section stays silent; a source that ended is taken off with the next offer.
		return codec, nil //nolint:nilerr // see above
	}
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	return codec, nil
}

// Unbind is called by the library when the sender stops.
func (s *sink) Unbind(webrtc.TrackLocalContext) error {
	s.close()
	return nil
}

func (s *sink) close() {
	s.mu.Lock()
	d := s.down
	s.down = nil
	s.mu.Unlock()
	if d != nil {
		d.Close()
	}
}

func (s *sink) track() *forward.DownTrack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// WriteRTP implements forward.Sink.
func (s *sink) WriteRTP(_ time.Time, p *forward.Packet) error {
	h := &s.header
	*h = rtp.Header{
		Version: 2, Marker: p.Marker, PayloadType: p.PayloadType, SequenceNumber: p.Sequence, Timestamp: p.Timestamp, SSRC: p.SSRC,
		Extensions: h.Extensions[:0],
	}
	if n := len(p.Descriptor); n > 0 && s.descriptor != 0 {
		h.Extension = true
		h.ExtensionProfile = rtp.ExtensionProfileOneByte
		if n > 16 || s.descriptor > 14 { // RFC 8285 §4.3: longer ones need the two-byte form, chosen before the first is set
			h.ExtensionProfile = rtp.ExtensionProfileTwoByte
		}
		if err := h.SetExtension(s.descriptor, p.Descriptor); err != nil {
			return err
		}
	}
	_, err := s.writer.WriteRTP(h, p.Payload)
	return err
}

func (s *sink) requestKeyFrame(now time.Time) {
	if d := s.track(); d != nil {
		d.RequestKeyFrame(now)
	}
}

func (s *sink) counters() *forward.Counters {
	if d := s.track(); d != nil {
		return d.Counters()
	}
	return nil
}

// runRTCP reads what the receiver says about this stream until the sender stops.
func (s *sink) runRTCP(sender *webrtc.RTPSender) {
	buf := make([]byte, receiveMTU)
	var seqs []uint16
	for {
		n, _, err := sender.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		d := s.track()
		if d == nil {
			continue
		}
		seqs = s.feedback(time.Now(), d, packets, seqs[:0])
	}
}

// feedback handles one compound packet: key frames at most once, retransmissions bounded. seqs is scratch.
func (s *sink) feedback(now time.Time, d *forward.DownTrack, packets []rtcp.Packet, seqs []uint16) []uint16 {
	keyFrame := false
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.PictureLossIndication:
			keyFrame = keyFrame || p.MediaSSRC == s.ssrc
		case *rtcp.FullIntraRequest:
			for _, f := range p.FIR {
				keyFrame = keyFrame || f.SSRC == s.ssrc
			}
		case *rtcp.TransportLayerNack:
			if p.MediaSSRC == s.ssrc {
				seqs = appendNacked(seqs, p.Nacks)
			}
		case *rtcp.ReceiverReport:
			s.roundTrip(now, p.Reports)
		case *rtcp.SenderReport:
			s.roundTrip(now, p.Reports)
		}
	}
	if keyFrame {
		d.RequestKeyFrame(now)
	}
	if len(seqs) > 0 {
		d.HandleNACK(now, seqs, time.Duration(s.rtt.Load()))
	}
	return seqs
}

func appendNacked(seqs []uint16, pairs []rtcp.NackPair) []uint16 {
	for i := range pairs {
		pairs[i].Range(func(seq uint16) bool {
			seqs = append(seqs, seq)
			return len(seqs) < maxNacked
		})
		if len(seqs) >= maxNacked {
			break
		}
	}
	return seqs
}

// roundTrip reads RFC 3550 §6.4.1: now - when the last report went out - delay since, in 1/65536 s.
func (s *sink) roundTrip(now time.Time, reports []rtcp.ReceptionReport) {
	for _, r := range reports {
		if r.SSRC != s.ssrc || r.LastSenderReport == 0 {
			continue
		}
		s.mu.Lock()
		for _, t := range s.told {
			rtt := now.Sub(t.at) - time.Duration(r.Delay)*time.Second/65536
			// A receiver can say anything here; it only harms itself.
			if t.middle == r.LastSenderReport && !t.at.IsZero() && rtt >= 0 && rtt <= 5*time.Second {
				s.rtt.Store(int64(rtt))
			}
		}
		s.mu.Unlock()
	}
}

// report is the sender report of now, nil before the origin's first: its pair of wall clock and timestamp is passed on as the origin
// made it, and a guess until then would put sound and picture apart.
func (s *sink) report(now time.Time) rtcp.Packet {
	d := s.track()
	c, ok := s.up.Clock()
	if !ok || d == nil {
		return nil
	}
	packets, octets := d.Totals()
	if packets == 0 {
		return nil
	}
	c = c.On(now, s.up.Codec().ClockRate)
	s.mu.Lock()
	copy(s.told[1:], s.told[:])
	s.told[0] = told{middle: uint32(c.NTP >> 16), at: now}
	s.mu.Unlock()
	return &rtcp.SenderReport{
		SSRC: s.ssrc, NTPTime: c.NTP, RTPTime: c.Timestamp, PacketCount: uint32(packets), OctetCount: uint32(octets),
	}
}

// ntp gives a time as RFC 5905 §6 does: seconds since 1900 and their fraction, 32 bits each.
func ntp(t time.Time) uint64 {
	const from1900 = 2208988800
	return uint64(t.Unix()+from1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}
