package ledger

import (
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

// TestBusyPeerDoesNotPutOffTime: a driver that ticks at the newest Wake, and a peer that sends heartbeats faster than that and
// countersigns nothing. It is named all the same, after 3 s.
func TestBusyPeerDoesNotPutOffTime(t *testing.T) {
	w := sessiontest.New(2)
	b := NewBook(hostOf(w, 0))
	peer := Side(w.Sides[1].ID)
	plan := act.Encode(w.Officer(w.Sides[0], 0, act.KindPlan, w.Plan(w.Sides[0].Person("a", "adviser"))))
	now, wake := now0, int64(0)
	named := int64(0)
	heed := func(effects []Effect) {
		for _, e := range effects {
			switch e := e.(type) {
			case Wake:
				wake = e.At
			case Alarm:
				if e.Kind == AlarmNotCountered && named == 0 {
					named = now
				}
			}
		}
	}
	heed(land(b, b.Submit(w.Scope, plan, now)))
	for ; now < now0+5000; now += 50 {
		if now%100 == now0%100 {
			heed(land(b, b.Heartbeat(peer, &linkpb.Heartbeat{Now: now}, now)))
		}
		if now >= wake {
			heed(land(b, b.Tick(now)))
		}
	}
	if took := named - now0; took < HeldBackAfter || took > HeldBackAfter+2*HeartbeatEvery {
		t.Errorf("named after %d ms", took)
	}
}
