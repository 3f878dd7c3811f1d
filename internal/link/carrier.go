package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// carrier is one QUIC connection that carries, carried or may come to carry the link with a peer.
//
// Its fields up to superseded are written before adoption and never after; the rest says what guards it.
type carrier struct {
	conn    *quic.Conn
	dialled bool              // by us
	key     ed25519.PublicKey // the peer's node key, proven by TLS
	peer    *peer
	streams [lanes]*quic.Stream
	readers [lanes]*frameReader

	protocol     uint32
	boot         uint64
	build        string
	introduction []byte
	skew         time.Duration
	keys         *generation
	since        time.Time

	before *carrier             // the one it takes over from, until its lanes have ended
	ended  [lanes]chan struct{} // closed when the lane's last frame was read

	superseded chan struct{} // closed, once, under Endpoint.mu
}

func newCarrier(conn *quic.Conn, dialled bool, key ed25519.PublicKey, p *peer) *carrier {
	c := &carrier{conn: conn, dialled: dialled, key: key, peer: p, since: time.Now(), superseded: make(chan struct{})}
	for l := range c.ended {
		c.ended[l] = make(chan struct{})
	}
	return c
}

// lowerInitiated says whether the node with the lower id dialled.
func (c *carrier) lowerInitiated(own ed25519.PublicKey) bool {
	return (bytes.Compare(own, c.key) < 0) == c.dialled
}

func (c *carrier) close(code quic.ApplicationErrorCode, why string) {
	_ = c.conn.CloseWithError(code, why)
}

// run carries the link until the QUIC connection is gone. It returns when all its goroutines have.
func (e *Endpoint) runCarrier(c *carrier) {
	var wg sync.WaitGroup
	for l := range lanes {
		_ = c.streams[l].SetDeadline(time.Time{})
		wg.Go(func() { e.runLaneWriter(c, l) })
		wg.Go(func() { e.runLaneReader(c, l) })
	}
	select {
	case <-c.conn.Context().Done():
	case <-c.superseded:
		// The younger carrier has the frames. This one stays a while for media in flight and for the tails of its lanes.
		select {
		case <-c.conn.Context().Done():
		case <-time.After(drainTime):
			c.close(codeSuperseded, "superseded")
		}
	}
	wg.Wait()
	e.lost(c, context.Cause(c.conn.Context()))
}

// runLaneWriter moves frames from the peer's queue to the stream, no faster than half the peer's quota. When a younger carrier took over,
// it ends the stream behind the last whole frame.
func (e *Endpoint) runLaneWriter(c *carrier, l lane) {
	s, q, gone := c.streams[l], c.peer.out[l], c.conn.Context().Done()
	timer := stoppedTimer()
	defer timer.Stop()
	for {
		select {
		case <-c.superseded: // first: of two ready cases select takes any, and what is queued now is the younger carrier's to send
			_ = s.Close()
			return
		default:
		}
		select {
		case <-gone:
			return
		case <-c.superseded:
			_ = s.Close()
			return
		case b := <-q.frames:
			if d := q.taken(time.Now(), b); d > 0 {
				timer.Reset(d)
				select {
				case <-gone:
					e.counters.add(FrameDropped)
					return
				case <-timer.C:
				}
			}
			if _, err := s.Write(b); err != nil {
				e.counters.add(FrameDropped)
				return
			}
			e.counters.add(FrameSent)
		}
	}
}

// runLaneReader hands frames over, those of this carrier after those of the one before it.
func (e *Endpoint) runLaneReader(c *carrier, l lane) {
	defer close(c.ended[l])
	ctx := c.conn.Context()
	if c.before != nil {
		t := time.NewTimer(handoverWait)
		select {
		case <-c.before.ended[l]:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
	charge := func(n int) error { return c.peer.in[l].charge(time.Now(), n) }
	for {
		f, err := c.readers[l].next(charge)
		switch {
		case err == nil:
		case errors.Is(err, ErrQuota):
			e.counters.add(FrameOverQuota)
			e.punish(c)
			return
		case errors.Is(err, ErrFrame), errors.Is(err, ErrFrameTooLarge):
			e.counters.add(FrameMalformed)
			c.close(codeMalformed, "malformed")
			return
		case errors.Is(err, io.EOF): // between two frames: the peer has a younger carrier
			return
		default: // the QUIC connection is gone, or the peer reset the lane
			if ctx.Err() == nil {
				c.close(codeMalformed, "lane reset")
			}
			return
		}
		if f.GetBody() == nil {
			e.counters.add(FrameUnknown)
			continue // of a younger protocol; HELLO agreed that it may be ignored
		}
		if where, ok := laneOf(f); !ok || where != l {
			// Greetings after the greeting, or a frame on a lane with a larger quota.
			e.counters.add(FrameMisplaced)
			c.close(codeMalformed, "misplaced frame")
			return
		}
		e.counters.add(FrameReceived)
		if !e.deliver(ctx, c, f) {
			return
		}
	}
}
