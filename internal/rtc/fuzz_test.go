package rtc

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

var many = flag.Int("visits", 0, "how many visits TestJoinAndLeave makes; 0: a few")

const seedSDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=ssrc:1 cname:x\r\na=fingerprint:sha-256 AA\r\n"

func FuzzCheckSDP(f *testing.F) {
	f.Add(seedSDP)
	f.Add(strings.ReplaceAll(seedSDP, "sendonly", "inactive"))
	f.Add("m=\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		sending, err := checkSDP(raw)
		_ = fingerprint(raw)
		if err != nil {
			return
		}
		if len(sending) > maxSections {
			t.Fatal("bound not held")
		}
		_, _ = checkTracks([]TrackMid{{Mid: "0", Track: "t"}}, sending)
		if strings.Count(constantRate(raw), "\n") != strings.Count(raw, "\n") {
			t.Fatal("lines added or lost")
		}
	})
}

func FuzzParseRTP(f *testing.F) {
	b, _ := (&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 65535}, Payload: []byte("x")}).Marshal()
	f.Add(b)
	f.Add(append(append([]byte{0xb0}, b[1:]...), 0xbe, 0xde, 0, 1, 0x32, 1, 2, 3, 0, 0, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h rtp.Header
		p, ok := parse(b, &h, 3)
		if ok && len(p.Payload) > len(b) {
			t.Fatal("more payload than packet")
		}
	})
}

// nothing is a receiver that takes everything.
type nothing struct{}

func (nothing) WriteRTP(time.Time, *forward.Packet) error { return nil }

func FuzzFeedback(f *testing.F) {
	for _, p := range []rtcp.Packet{
		&rtcp.PictureLossIndication{MediaSSRC: 9},
		&rtcp.TransportLayerNack{MediaSSRC: 9, Nacks: []rtcp.NackPair{{PacketID: 65535, LostPackets: 0xffff}}},
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 9, LastSenderReport: 1, Delay: 2}}},
		&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 9}}},
	} {
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	up := forward.NewUpTrack("t", forward.Video, forward.Codec{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, func() {})
	s := newSink(up, forward.NewBudget())
	s.ssrc = 9
	d, err := up.Subscribe(time.Now(), forward.Outgoing{SSRC: 9, RTXSSRC: 10}, s.budget, nothing{})
	if err != nil {
		f.Fatal(err)
	}
	for i := range uint16(50) {
		up.Write(time.Now(), &forward.Packet{Sequence: i, Payload: []byte{1}})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		packets, err := rtcp.Unmarshal(b)
		if err != nil {
			return
		}
		if n := len(s.feedback(time.Now(), d, packets, nil)); n > maxNacked+17 {
			t.Fatalf("%d numbers looked at", n)
		}
	})
}

func FuzzAssembler(f *testing.F) {
	f.Add(uint8(0), []byte{0x10, 0, 0x00, 5})
	f.Add(uint8(1), []byte{0x8c, 1, 2})
	f.Add(uint8(2), []byte{0x18, 0x32, 1})
	f.Fuzz(func(t *testing.T, codec uint8, b []byte) {
		a := newAssembler([]string{webrtc.MimeTypeVP8, webrtc.MimeTypeVP9, webrtc.MimeTypeAV1, webrtc.MimeTypeOpus}[codec%4])
		for i := 0; i+3 < len(b); i += 4 {
			a.put(time.Now(), &forward.Packet{Sequence: uint16(b[i]) * 7, Timestamp: uint32(b[i] / 4), Marker: b[i]&1 == 1, Payload: b[i+1 : i+4]})
		}
	})
}
