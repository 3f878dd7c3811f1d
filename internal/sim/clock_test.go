package sim

import (
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ledger"
)

// setClock is the machine's clock set while the node runs: the ledger is told, then given the new time.
func (n *node) setClock(by int64) {
	n.skew += by
	n.wakeAt += by
	n.ledger().ClockSet(by)
}

// TestClockSetWhileRunning: ten minutes either way, on either node. It is named, nobody orders, nothing is silence; put right, it
// goes on without a restart. A step that is within what peers tolerate is nothing at all.
func TestClockSetWhileRunning(t *testing.T) {
	for victim := range 2 {
		for _, by := range []int64{600_000, -600_000, 900, -900} {
			s := meeting(t, 2, 4)
			n := s.nodes[victim]
			n.setClock(by)
			s.run(4000)
			if by == 900 || by == -900 {
				if len(s.alarms) != 0 {
					t.Fatalf("victim %d, set by %d: %v", victim, by, s.alarms)
				}
				s.must(t, "a little off", 5000, nil)
				continue
			}
			if s.alarms[ledger.AlarmClock] < 2 || !s.suspendedFor(s.nodes[0], act.ReasonClock) || s.alarms[ledger.AlarmLinkLost] != 0 {
				t.Fatalf("victim %d, set by %d: %v", victim, by, s.alarms)
			}
			n.setClock(-by)
			s.must(t, "right again", 8000, nil)
			s.done(t, nil)
			if s.alarms[ledger.AlarmLinkLost] != 0 {
				t.Fatalf("victim %d, set by %d: %v", victim, by, s.alarms)
			}
		}
	}
}
