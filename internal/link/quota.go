package link

import (
	"errors"
	"time"
)

// ErrQuota is returned when a peer sent more than it may.
var ErrQuota = errors.New("link: quota exceeded")

// quota is what may pass per second and in a burst.
type quota struct {
	frames, frameBurst float64
	bytes, byteBurst   float64
}

// half is what an honest sender keeps to, so that a network that bunches up its frames never makes it look hostile.
func (q quota) half() quota {
	return quota{q.frames / 2, q.frameBurst / 2, q.bytes / 2, q.byteBurst / 2}
}

// bucket is a token bucket over frames and bytes. It is pure: time comes in. The zero time starts it full.
type bucket struct {
	quota
	at            time.Time
	frameN, byteN float64
}

func (b *bucket) fill(now time.Time) {
	if b.at.IsZero() {
		b.frameN, b.byteN = b.frameBurst, b.byteBurst
	} else if dt := now.Sub(b.at).Seconds(); dt > 0 {
		b.frameN = min(b.frameBurst, b.frameN+dt*b.frames)
		b.byteN = min(b.byteBurst, b.byteN+dt*b.bytes)
	}
	b.at = now
}

// take charges one frame of n bytes, or says that it is too much.
func (b *bucket) take(now time.Time, n int) bool {
	b.fill(now)
	if b.frameN < 1 || b.byteN < float64(n) {
		return false
	}
	b.frameN--
	b.byteN -= float64(n)
	return true
}

// wait charges one frame of n bytes now and says how long the sender has to wait before it sends it.
func (b *bucket) wait(now time.Time, n int) time.Duration {
	b.fill(now)
	b.frameN--
	b.byteN -= float64(n)
	var d float64
	if b.frameN < 0 {
		d = -b.frameN / b.frames
	}
	if b.byteN < 0 {
		d = max(d, -b.byteN/b.bytes)
	}
	return time.Duration(d * float64(time.Second))
}
