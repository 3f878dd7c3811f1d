package native

import "time"

// Waits before a sender moves to a new epoch whose readiness not everybody has announced.
const (
	switchAfter        = time.Second
	switchAfterRemoval = 300 * time.Millisecond
)

// epochSwitch decides when to send with the newest epoch; the same policy as web/src/seal/switch.ts. It owns no timer.
type epochSwitch struct {
	epoch    uint64
	begun    bool
	sending  bool // with epoch
	waiting  map[uint32]bool
	early    map[uint32]uint64 // ready may overtake the commit it speaks of
	deadline time.Time         // zero: nothing waits
	stopped  bool
}

// next begins a wait for the leaves of the others; removed says that the commit removed somebody.
func (s *epochSwitch) next(epoch uint64, others []uint32, removed bool, now time.Time) {
	s.epoch, s.begun, s.sending = epoch, true, false
	s.waiting = map[uint32]bool{}
	for _, leaf := range others {
		if e, ok := s.early[leaf]; !ok || e < epoch {
			s.waiting[leaf] = true
		}
	}
	wait := now.Add(switchAfter)
	if removed {
		wait = now.Add(switchAfterRemoval)
	}
	// A later epoch never lengthens a wait: a removal's 300 ms hold even when an Add follows.
	if s.deadline.IsZero() || wait.Before(s.deadline) {
		s.deadline = wait
	}
}

// ready notes that a leaf holds an epoch's key.
func (s *epochSwitch) ready(leaf uint32, epoch uint64) {
	if s.early == nil {
		s.early = map[uint32]uint64{}
	}
	s.early[leaf] = max(s.early[leaf], epoch)
	if s.begun && epoch >= s.epoch {
		delete(s.waiting, leaf)
	}
}

// due says whether to send with the newest epoch from now on; it says so once.
func (s *epochSwitch) due(now time.Time) bool {
	if s.stopped || !s.begun || s.sending || (len(s.waiting) > 0 && now.Before(s.deadline)) {
		return false
	}
	s.sending, s.deadline = true, time.Time{}
	return true
}

// halt stops or resumes with the session; it says whether that is a change.
func (s *epochSwitch) halt(stop bool) bool {
	if s.stopped == stop {
		return false
	}
	s.stopped, s.sending = stop, false
	return true
}

// reset forgets a group: the epochs of the next start again.
func (s *epochSwitch) reset() { *s = epochSwitch{stopped: s.stopped} }
