package forward

import "time"

// KeyFrameInterval is the least time between two key-frame requests to one source. A receiver with a wrong key was seen to ask 22
// times in 4.5 s; every one of those would have been a key frame for everybody.
const KeyFrameInterval = 500 * time.Millisecond

// newcomerInterval is the least time between requests even for new receivers, so that joining and leaving in a loop is no lever.
const newcomerInterval = 100 * time.Millisecond

// KeyFrameThrottle coalesces the requests of all receivers of a source. A request inside the interval is not lost: it waits for the
// interval's end, unless a key frame passed meanwhile. A new receiver is served at once. Not safe for concurrent use; the zero
// value is ready.
type KeyFrameThrottle struct {
	asked    time.Time
	answered bool // a key frame passed since asked
	pending  bool
}

// Request notes a receiver's request and says whether to pass it on now. newcomer is true for the first request of a receiver.
func (t *KeyFrameThrottle) Request(now time.Time, newcomer bool) bool {
	since := now.Sub(t.asked)
	switch {
	case t.asked.IsZero() || since >= KeyFrameInterval:
		return t.pass(now)
	case newcomer && !t.answered:
		// One is on its way and will reach the newcomer too; should it get lost, the pending request stands.
	case newcomer && since >= newcomerInterval:
		return t.pass(now)
	}
	t.pending = true
	return false
}

// Seen notes a key frame from the source: whoever asked before it has it.
func (t *KeyFrameThrottle) Seen() {
	t.answered = true
	t.pending = false
}

// Due says whether a waiting request is to be passed on now.
func (t *KeyFrameThrottle) Due(now time.Time) bool {
	if !t.pending || now.Sub(t.asked) < KeyFrameInterval {
		return false
	}
	return t.pass(now)
}

func (t *KeyFrameThrottle) pass(now time.Time) bool {
	t.asked, t.answered, t.pending = now, false, false
	return true
}
