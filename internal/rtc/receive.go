package rtc

import (
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// receiving is somebody else's track as it comes to a native participant.
type receiving struct {
	track string
	ssrc  uint32
	again bool // the stream has retransmissions

	mu    sync.Mutex
	nacks forward.NackGenerator
}

func (r *receiving) due(now time.Time, seqs []uint16) []uint16 {
	if !r.again {
		return seqs
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nacks.Due(now, 0, seqs)
}

func (r *receiving) received(now time.Time, seq uint16) (lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nacks.Received(now, seq)
	return r.nacks.Lost()
}

// arrived runs on a goroutine of the library's, on the first packet of a source.
func (c *Client) arrived(t *webrtc.TrackRemote, rx *webrtc.RTPReceiver) {
	mid := midOf(c.down, rx)
	c.mu.Lock()
	defer c.mu.Unlock()
	track := c.named[mid]
	if track == "" || c.closed {
		return
	}
	r := &receiving{track: track, ssrc: uint32(t.SSRC()), again: t.HasRTX()}
	c.coming[track] = r
	c.wait.Go(func() { c.runReceive(t, rx, r) })
	c.wait.Go(func() { runDrain(rx) })
}

// runReceive reads one source until it ends.
func (c *Client) runReceive(t *webrtc.TrackRemote, rx *webrtc.RTPReceiver, r *receiving) {
	defer func() {
		c.mu.Lock()
		if c.coming[r.track] == r {
			delete(c.coming, r.track)
		}
		c.mu.Unlock()
	}()
	a := newAssembler(t.Codec().MimeType)
	descriptor := extensionID(rx.GetParameters().HeaderExtensions, DescriptorURI)
	buf := make([]byte, receiveMTU)
	var h rtp.Header
	for {
		n, _, err := t.Read(buf)
		if err != nil {
			return
		}
		p, ok := parse(buf[:n], &h, descriptor)
		if !ok {
			continue
		}
		now := time.Now()
		lost := r.received(now, p.Sequence)
		if f, whole, _ := a.put(now, &p); whole {
			f.Track, f.Lost = r.track, lost
			c.handlers.Frame(f)
		}
	}
}

// runDrain reads a sender's RTCP, for the library's reports.
func runDrain(r *webrtc.RTPReceiver) {
	buf := make([]byte, receiveMTU)
	for {
		if _, _, err := r.Read(buf); err != nil {
			return
		}
	}
}
