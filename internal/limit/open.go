package limit

import (
	"net/netip"
	"sync"
)

// Open counts what is held open, by network on every level and of all. Safe for concurrent use.
type Open struct {
	mu     sync.Mutex
	each   int
	most   int
	counts map[string]int
	all    int
}

// NewOpen allows each for the narrowest network (Scaled for wider ones), and most of all.
func NewOpen(each, most int) *Open { return &Open{each: each, most: most, counts: map[string]int{}} }

// Take counts one more of an address, or says that there are enough. What was taken must be given back.
func (o *Open) Take(a netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all >= o.most {
		return false
	}
	networks := levels(a)
	for i, n := range networks {
		if o.counts[n] >= Scaled(o.each, i) {
			return false
		}
	}
	o.all++
	for _, n := range networks {
		o.counts[n]++
	}
	return true
}

// Give counts one less.
func (o *Open) Give(a netip.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all--
	for _, n := range levels(a) {
		if o.counts[n]--; o.counts[n] <= 0 {
			delete(o.counts, n)
		}
	}
}

// levels are Networks without those that are the same as a narrower one.
func levels(a netip.Addr) []string {
	all := Networks(a)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			return all[:i]
		}
	}
	return all[:]
}
