package native

import (
	"errors"
	"time"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// removeWithin is how long a member that must go may stay in the group before everybody falls silent: whoever keeps the commit from
// being ordered (a node that does not countersign is enough) would keep a revoked device listening. As web/src/client/session/room.ts.
const removeWithin = 5 * time.Second

// removals watches the members that must go, each for itself: a stream of leaves that are followed in time silences nobody.
type removals struct {
	since map[string]time.Time // by join
}

// overdue says whether somebody should have been removed by now.
func (r *removals) overdue(pending []session.PendingRemove, now time.Time) (late bool) {
	since := map[string]time.Time{}
	for _, p := range pending {
		if !p.Must {
			continue
		}
		at, known := r.since[string(p.Join)]
		if !known {
			at = now
		}
		since[string(p.Join)] = at
		late = late || now.Sub(at) >= removeWithin
	}
	r.since = since
	return late
}

// hush lets nothing leave while the session stands still, a removal is overdue, or the members may not be in one group.
func (p *Participant) hush(now time.Time) {
	p.weigh(now)
	st := p.log.State
	// A node that keeps its countersignature back keeps the commit from being ordered: there is nothing to wait for.
	overdue := p.removals.overdue(st.PendingRemoves(), now) || len(p.removals.since) > 0 && p.log.unsigned(now)
	silent := overdue || p.forked || p.doubt || st.Phase() != session.PhaseAgreed
	if p.turn.halt(silent) && silent {
		p.seal.stop()
	}
	p.note(func(f *Facts) { f.Overdue = overdue })
}

// distrusted is what the log showed that cannot be true. Removals are not heard of any more: what is sent now would be sealed for who may
// have had to go.
type distrusted struct{ error }

func (d distrusted) Unwrap() error { return d.error }

// distrust silences the participant for good, unless no more happened than that entries were missed.
func (p *Participant) distrust(err error) error {
	switch problem.CodeOf(err) {
	case problem.Gap, problem.OutOfOrder:
		return err // read again from its end over another socket
	}
	p.seal.stop()
	return distrusted{err}
}

func isDistrusted(err error) bool { return errors.As(err, new(distrusted)) }
