package web

import (
	"net/netip"
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

// open counts the sockets that are open, per network and of all. A stranger needs no more than a fresh key to keep one.
type open struct {
	mu     sync.Mutex
	each   int
	most   int
	counts map[string]int
	all    int
}

func newOpen(each, most int) *open { return &open{each: each, most: most, counts: map[string]int{}} }

// take counts one more, or says that there are enough.
func (o *open) take(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all >= o.most || o.counts[key] >= o.each {
		return false
	}
	o.all++
	o.counts[key]++
	return true
}

func (o *open) give(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all--
	if o.counts[key]--; o.counts[key] <= 0 {
		delete(o.counts, key)
	}
}

// network is what limits count by: whoever has one IPv6 address has a whole /64 (RFC 6177 §2).
func network(a netip.Addr) string {
	if a.Is6() && !a.IsLoopback() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
