package forward

import "time"

// MaxPayload bounds the payload of one RTP packet, in bytes; what is larger cannot cross a path of 1,500 bytes.
const MaxPayload = 1460

// MaxDescriptor bounds the Dependency Descriptor of one packet, in bytes (AV1 RTP specification, appendix A; 52 were seen for L2T3).
const MaxDescriptor = 255

// Kind of a track.
type Kind uint8

const (
	Audio Kind = iota + 1
	Video
)

// String gives SDP's media name.
func (k Kind) String() string {
	switch k {
	case Audio:
		return "audio"
	case Video:
		return "video"
	default:
		return "unknown"
	}
}

// Codec names what the payloads of a track hold, under the seal.
type Codec struct {
	MimeType  string // audio/opus, video/VP8, video/VP9, video/AV1
	ClockRate uint32 // Hz
	Channels  uint16
	Fmtp      string
}

// Packet is what forwarding knows of an RTP packet. Payload and Descriptor belong to the caller and are valid only during the call.
type Packet struct {
	SSRC        uint32
	PayloadType uint8
	Sequence    uint16
	Timestamp   uint32
	Marker      bool
	Descriptor  []byte // Dependency Descriptor extension, as it came; empty if there was none
	Payload     []byte // sealed
	Again       bool   // a retransmission: SSRC, payload type and the first two payload bytes are RFC 4588's
}

// A Sink takes the rewritten packets of one DownTrack: a peer connection or a link. It must neither keep p nor anything p points to
// after it returned, and must not call the DownTrack back.
type Sink interface {
	WriteRTP(now time.Time, p *Packet) error
}
