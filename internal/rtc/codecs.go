package rtc

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// DescriptorURI names the Dependency Descriptor header extension (AV1 RTP specification, appendix A).
const DescriptorURI = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

// opusFmtp asks for what does not show speech in packet sizes and times: constant rate (cbr), no pauses (usedtx), one channel
// (RFC 7587 §6.1). In-band FEC mends single losses under the seal without a second stream.
const opusFmtp = "minptime=20;useinbandfec=1;cbr=1;usedtx=0;stereo=0;maxaveragebitrate=40000"

var (
	audioFeedback = []webrtc.RTCPFeedback{{Type: "transport-cc"}}
	videoFeedback = []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
)

type codec struct {
	mime string
	pt   webrtc.PayloadType
	fmtp string
}

// videoCodecs in the order we like them: VP9 is sealed whole with its layers in the descriptor. H.264 is absent on purpose: it cannot be
// sealed whole.
var videoCodecs = []codec{
	{webrtc.MimeTypeVP9, 98, "profile-id=0"},
	{webrtc.MimeTypeVP8, 96, ""},
	{webrtc.MimeTypeAV1, 45, "level-idx=5;profile=0;tier=0"},
}

// newMediaEngine registers the codecs and extensions of a connection. Feedback about arrival times is asked of the node only, for the
// uplink; the downlink's will come with the allocator.
func newMediaEngine(up bool) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	feedback := func(f []webrtc.RTCPFeedback) []webrtc.RTCPFeedback {
		if up {
			return f
		}
		return f[1:]
	}
	register := func(kind webrtc.RTPCodecType, mime string, pt webrtc.PayloadType, rate uint32, channels uint16, fmtp string, f []webrtc.RTCPFeedback) error {
		return m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: rate, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: f},
			PayloadType:        pt,
		}, kind)
	}
	if err := register(webrtc.RTPCodecTypeAudio, webrtc.MimeTypeOpus, 111, 48000, 2, opusFmtp, feedback(audioFeedback)); err != nil {
		return nil, err
	}
	for _, c := range videoCodecs {
		if err := register(webrtc.RTPCodecTypeVideo, c.mime, c.pt, 90000, 0, c.fmtp, feedback(videoFeedback)); err != nil {
			return nil, err
		}
		if err := register(webrtc.RTPCodecTypeVideo, webrtc.MimeTypeRTX, c.pt+1, 90000, 0, fmt.Sprintf("apt=%d", c.pt), nil); err != nil {
			return nil, err
		}
	}
	for _, e := range []struct {
		uri          string
		audio, video bool
		upOnly       bool
	}{
		{sdp.SDESMidURI, true, true, false},
		{sdp.SDESRTPStreamIDURI, false, true, true},
		{sdp.SDESRepairRTPStreamIDURI, false, true, true},
		{sdp.TransportCCURI, true, true, true},
		{DescriptorURI, false, true, false},
	} {
		if e.upOnly && !up {
			continue
		}
		for kind, wanted := range map[webrtc.RTPCodecType]bool{webrtc.RTPCodecTypeAudio: e.audio, webrtc.RTPCodecTypeVideo: e.video} {
			if !wanted {
				continue
			}
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: e.uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

func codecOf(c webrtc.RTPCodecCapability) forward.Codec {
	return forward.Codec{MimeType: c.MimeType, ClockRate: c.ClockRate, Channels: c.Channels, Fmtp: c.SDPFmtpLine}
}

func kindOf(k webrtc.RTPCodecType) forward.Kind {
	if k == webrtc.RTPCodecTypeAudio {
		return forward.Audio
	}
	return forward.Video
}

// choose finds the negotiated payload types for a codec and its retransmissions (0: none).
func choose(mime string, negotiated []webrtc.RTPCodecParameters) (c webrtc.RTPCodecParameters, rtx webrtc.PayloadType, ok bool) {
	for _, c := range negotiated {
		if !strings.EqualFold(c.MimeType, mime) {
			continue
		}
		apt := fmt.Sprintf("apt=%d", c.PayloadType)
		for _, r := range negotiated {
			if strings.EqualFold(r.MimeType, webrtc.MimeTypeRTX) && r.SDPFmtpLine == apt {
				return c, r.PayloadType, true
			}
		}
		return c, 0, true
	}
	return webrtc.RTPCodecParameters{}, 0, false
}

func extensionID(list []webrtc.RTPHeaderExtensionParameter, uri string) uint8 {
	for _, e := range list {
		if e.URI == uri && e.ID > 0 && e.ID < 256 {
			return uint8(e.ID)
		}
	}
	return 0
}
