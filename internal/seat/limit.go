package seat

import (
	"sync"
	"time"
)

// allowance is a token bucket, owned by the seat's goroutine.
type allowance struct {
	perSecond, most, have float64
	at                    time.Time
}

func newAllowance(perSecond, most float64) allowance {
	return allowance{perSecond: perSecond, most: most, have: most}
}

func (a *allowance) take(now time.Time) bool {
	if !a.at.IsZero() {
		a.have = min(a.most, a.have+now.Sub(a.at).Seconds()*a.perSecond)
	}
	a.at = now
	if a.have < 1 {
		return false
	}
	a.have--
	return true
}

// window counts events per key and forgets all of them when it ends, so its memory has a bound.
type window struct {
	mu    sync.Mutex
	most  int
	span  time.Duration
	since time.Time
	seen  map[string]int
}

const maxWindowKeys = 1 << 14

func newWindow(most int, span time.Duration) *window {
	return &window{most: most, span: span, seen: map[string]int{}}
}

func (w *window) allow(key string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.since) > w.span || len(w.seen) >= maxWindowKeys {
		w.since = now
		clear(w.seen)
	}
	w.seen[key]++
	return w.seen[key] <= w.most
}

// first is allow for windows of one.
func (w *window) first(key string, now time.Time) bool { return w.allow(key, now) }
