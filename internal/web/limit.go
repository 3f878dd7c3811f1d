package web

import (
	"sync"
	"time"
)

// bucket is a token bucket; its owner is the one goroutine that reads the socket.
type bucket struct {
	perSecond, burst, tokens float64
	at                       time.Time
}

func newBucket(perSecond, burst float64) *bucket {
	return &bucket{perSecond: perSecond, burst: burst, tokens: burst}
}

func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// limiter counts events per key in a window. It forgets everything at the window's end, so its memory is bounded by what
// one window can bring, and never above maxKeys.
type limiter struct {
	mu     sync.Mutex
	limit  int
	window time.Duration
	since  time.Time
	counts map[string]int
}

const maxKeys = 1 << 16

func newLimiter(limit int, window time.Duration) *limiter {
	return &limiter{limit: limit, window: window, counts: map[string]int{}}
}

func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) > l.window || len(l.counts) > maxKeys {
		l.since = now
		clear(l.counts)
	}
	l.counts[key]++
	return l.counts[key] <= l.limit
}
