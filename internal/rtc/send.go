package rtc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// ErrCodec is returned for a codec that native participants cannot packetise.
var ErrCodec = errors.New("rtc: native participants send audio/opus and video/VP8")

const packetPayload = 1160 // bytes of a frame per packet: leaves room for headers, SRTP, TURN and a path of 1,280

// SendTrack is an own track of a native participant. Safe for concurrent use.
type SendTrack struct {
	id          string
	up          *forward.UpTrack
	sink        *sink
	transceiver *webrtc.RTPTransceiver
	split       rtp.Payloader

	mu  sync.Mutex
	seq uint16
}

// AddTrack adds an own track; make and bring over an UpOffer then. The receivers are the node's; loss on the way to it is mended like
// anywhere else.
func (c *Client) AddTrack(id, mimeType string) (*SendTrack, error) {
	t := &SendTrack{id: id, seq: uint16(rand.Uint32N(1 << 15))}
	kind, codec := forward.Audio, forward.Codec{MimeType: mimeType, ClockRate: 48000, Channels: 2}
	switch mimeType {
	case webrtc.MimeTypeOpus:
		t.split = &codecs.OpusPayloader{}
	case webrtc.MimeTypeVP8:
		t.split = &codecs.VP8Payloader{EnablePictureID: true}
		kind, codec = forward.Video, forward.Codec{MimeType: mimeType, ClockRate: 90000}
	default:
		return nil, fmt.Errorf("%w: not %q", ErrCodec, mimeType)
	}
	t.up = forward.NewUpTrack(id, kind, codec, func() { c.handlers.KeyFrame(id) })
	s := newSink(t.up, c.budget)
	c.negotiate.Lock()
	defer c.negotiate.Unlock()
	transceiver, err := c.up.AddTransceiverFromTrack(s, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	t.transceiver, t.sink = transceiver, s
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	c.sending[id] = t
	sender := transceiver.Sender()
	c.wait.Go(func() { s.runRTCP(sender) })
	return t, nil
}

// RemoveTrack takes an own track away; make and bring over an UpOffer then.
func (c *Client) RemoveTrack(id string) error {
	c.negotiate.Lock()
	defer c.negotiate.Unlock()
	c.mu.Lock()
	t := c.sending[id]
	delete(c.sending, id)
	c.mu.Unlock()
	if t == nil {
		return nil
	}
	t.up.Close()
	return c.up.RemoveTrack(t.transceiver.Sender())
}

// ID is the Parley track id.
func (t *SendTrack) ID() string { return t.id }

// WriteFrame sends one whole sealed frame. timestamp is in the codec's clock: 48,000 or 90,000 a second. Frames before the connection
// is up are lost. now is when the frame's moment was: sender reports tell it, and sound and picture are brought together by it.
func (t *SendTrack) WriteFrame(now time.Time, timestamp uint32, frame []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.up.SetClock(forward.Clock{NTP: ntp(now), Timestamp: timestamp, At: now})
	payloads := t.split.Payload(packetPayload, frame)
	for i, b := range payloads {
		t.up.Write(now, &forward.Packet{
			Sequence: t.seq, Timestamp: timestamp, Payload: b, Marker: i == len(payloads)-1 && t.up.Kind() == forward.Video,
		})
		t.seq++
	}
}

// Bytes is how many payload bytes were written.
func (t *SendTrack) Bytes() uint64 { return t.up.Bytes() }
