package sframe

// ReplayWindow is how many counters back from the highest that verified a frame may come.
const ReplayWindow = 1024

// window remembers the counters of one KID.
type window struct {
	next uint64 // highest counter that verified, plus one; 0: none yet
	seen [ReplayWindow / 64]uint64
}

// check tells what a frame with this counter would be: opened if fresh.
func (w *window) check(ctr uint64) Verdict {
	switch {
	case ctr >= w.next:
		return Opened
	case w.next-1-ctr >= ReplayWindow:
		return TooOld
	case w.seen[ctr%ReplayWindow/64]>>(ctr%64)&1 == 1:
		return Replayed
	}
	return Opened
}

// mark is called only for a counter whose frame verified: a forged high counter must not move the window.
func (w *window) mark(ctr uint64) {
	if ctr >= w.next {
		if ctr-w.next >= ReplayWindow {
			w.seen = [ReplayWindow / 64]uint64{}
		} else {
			for c := w.next; c < ctr; c++ {
				w.seen[c%ReplayWindow/64] &^= 1 << (c % 64)
			}
		}
		w.next = ctr + 1
	}
	w.seen[ctr%ReplayWindow/64] |= 1 << (ctr % 64)
}
