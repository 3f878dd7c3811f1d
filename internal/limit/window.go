// Package limit counts what strangers may do: events per key in a span of time, and what belongs together as one network. Token buckets are
// golang.org/x/time/rate's; where there is one owner and no stranger, use that alone.
package limit

import (
	"sync"
	"time"
)

// maxKeys bounds the memory of a window.
const maxKeys = 1 << 16

// Window counts events per key and forgets all of them when its span ends, so its memory is bounded by what one span can bring, and never
// above maxKeys: then it begins anew, since to refuse everybody for the keys that somebody made up would do the attacker's work.
// Safe for concurrent use.
type Window struct {
	mu    sync.Mutex
	most  int
	span  time.Duration
	since time.Time
	seen  map[string]int
}

// NewWindow allows most events of each key in a span.
func NewWindow(most int, span time.Duration) *Window {
	return &Window{most: most, span: span, seen: map[string]int{}}
}

// Allow counts one more, and says whether it is among the first most.
func (w *Window) Allow(key string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.since) > w.span || now.Before(w.since) || len(w.seen) >= maxKeys {
		w.since = now
		clear(w.seen)
	}
	w.seen[key]++
	return w.seen[key] <= w.most
}
