package web

import "sync"

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
