package forward

import (
	"sync"
	"time"
)

// Our choices for sending again. Without a budget a 500 kbit/s bottleneck was measured to draw ten times the normal traffic.
const (
	resendShare    = 0.25      // of what is sent, in bytes, may be sent again
	resendBurst    = 96 * 1024 // bytes a receiver may have saved up: about one lost key frame
	resendMinGate  = 10 * time.Millisecond
	resendMaxGate  = 500 * time.Millisecond
	resendMaxTimes = 8 // per packet
	resendMemory   = 1024
)

// Budget bounds what one receiver, over all its tracks, is sent again: a share of what it was sent, saved up to a burst.
// It is made of bytes, not of time, so a receiver that is sent nothing earns nothing. Safe for concurrent use.
type Budget struct {
	mu     sync.Mutex
	tokens float64
}

// NewBudget starts with a full burst, so that the first key frame can be mended.
func NewBudget() *Budget { return &Budget{tokens: resendBurst} }

// Earn notes that n bytes were sent for the first time.
func (b *Budget) Earn(n int) {
	b.mu.Lock()
	b.tokens = min(b.tokens+float64(n)*resendShare, resendBurst)
	b.mu.Unlock()
}

// Take asks to send n bytes again.
func (b *Budget) Take(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < float64(n) {
		return false
	}
	b.tokens -= float64(n)
	return true
}

// NackResponder decides whether a packet that a receiver asked for is sent again: not within a round trip of the last time
// (that one may still be on its way), not forever, and not beyond the receiver's Budget. One per outgoing stream; not safe for
// concurrent use.
type NackResponder struct {
	budget *Budget
	past   []resent
}

type resent struct {
	counter uint64
	at      time.Time
	times   uint8
}

// NewNackResponder shares budget with the receiver's other streams.
func NewNackResponder(budget *Budget) *NackResponder { return &NackResponder{budget: budget} }

// Allow gives the verdict for sending size bytes of the packet at counter again: Resent, TooSoon, TooOften or OverBudget.
// On Resent the caller does it at once. rtt 0 means unknown.
func (r *NackResponder) Allow(now time.Time, counter uint64, size int, rtt time.Duration) Verdict {
	if r.past == nil {
		r.past = make([]resent, resendMemory) // on the first NACK: most streams on good paths never see one
	}
	p := &r.past[counter%resendMemory]
	if p.counter != counter {
		*p = resent{counter: counter}
	}
	switch {
	case p.times >= resendMaxTimes:
		return TooOften
	case p.times > 0 && now.Sub(p.at) < min(max(rtt, resendMinGate), resendMaxGate):
		return TooSoon
	case !r.budget.Take(size):
		return OverBudget
	}
	p.at = now
	p.times++
	return Resent
}
