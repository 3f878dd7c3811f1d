package node

import (
	"testing"

	"parley.link/parley/internal/ledger"
)

// What each node was told of its capital stands in the plan that both sides sign, on both nodes.
func TestPlanTellsTheCapitalsZones(t *testing.T) {
	w := newWorld(t)
	scope := w.plan(w.a.seatOf("v-prin", "principal"))
	for _, p := range []*party{w.a, w.b} {
		var got []string
		await(t, "the plan", func() bool {
			s := w.scope(p, scope)
			if s == nil {
				return false
			}
			got = nil
			s.read(func(l *ledger.Ledger) {
				plan, _ := l.State().Plan()
				for _, side := range plan.Sides {
					got = append(got, side.Zone)
				}
			})
			return len(got) == 2
		})
		if got[0] != "Europe/Vienna" || got[1] != "Asia/Muscat" {
			t.Error(p.name, got)
		}
	}
}
