package node

import (
	"sync/atomic"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// The disk is full for a while, at each step of a write and on either node: whoever asked is told, nobody else hears of the act, and when
// there is room again the session goes on as if it had not been asked.
func TestFullDiskLosesNothing(t *testing.T) {
	for _, step := range []string{"begin", "item", "entry", "commit"} {
		t.Run(step, func(t *testing.T) {
			var full atomic.Bool
			w := newWorld(t, func(w *world) {
				w.a.store.Step = func(at string) error {
					if full.Load() && at == step {
						return problem.New(problem.DiskFull)
					}
					return nil
				}
			})
			scope := w.plan(w.a.seatOf("v-prin", "principal"), w.b.seatOf("q-prin", "principal"))
			w.sameLog(scope)
			ctx := ctx20(t)
			oa := w.a.officer(0)
			full.Store(true)
			kind, body := act.KindSuspend, any(act.Suspend{Reason: act.ReasonOfficer, Of: []byte{}})
			if step == "entry" {
				kind, body = act.KindClose, act.Close{}
			}
			if _, err := oa.Submit(ctx, scope, kind, body); problem.CodeOf(err) != problem.DiskFull {
				t.Fatalf("a full disk: %v", err)
			}
			w.scope(w.a, scope).read(func(l *ledger.Ledger) {
				if l.State().Phase() != session.PhaseAgreed {
					t.Errorf("an act that was not kept is in effect: %s", l.State().Phase())
				}
			})
			full.Store(false)
			if _, err := oa.Submit(ctx, scope, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer, Of: []byte{}}); err != nil {
				t.Fatal(err)
			}
			await(t, "suspended on the other side", func() (ok bool) {
				w.scope(w.b, scope).read(func(l *ledger.Ledger) { ok = l.State().Phase() == session.PhaseSuspended && l.State().Overlays() == 0 })
				return ok
			})
			w.sameLog(scope)
		})
	}
}
