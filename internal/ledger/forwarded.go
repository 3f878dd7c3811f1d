package ledger

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
)

// onForward takes an act of a peer's people.
func (l *Ledger) onForward(from Side, b []byte, now int64) {
	p, err := parse(b)
	if err != nil || Scope(p.Scope) != l.cfg.Scope {
		return
	}
	if p.Kind == act.KindPlan && l.plan == nil {
		var plan act.Plan
		if canon.Decode(p.Body, &plan) == nil {
			l.setPlan(&plan, now)
		}
	}
	if l.peers[from] == nil {
		return
	}
	if p.Kind == act.KindTerm && Side(p.Side) == from && l.onVote(from, p) {
		return
	}
	if i, ok := l.index[p.id]; ok {
		l.send(from, frameEntry(l.cfg.Scope, l.log[i]))
		return
	}
	if r := l.refused.codes[p.id]; r != nil {
		l.send(from, frameRefused(l.cfg.Scope, p.id, r))
		return
	}
	if !l.mayOrder(now) || l.deferred(p.Kind) {
		return // it comes again
	}
	if err := l.orderForwarded(from, p, now); err != nil {
		r := asProblem(err)
		l.refused.add(p.id, r)
		l.send(from, frameRefused(l.cfg.Scope, p.id, r))
	}
}

func (l *Ledger) orderForwarded(from Side, p parsed, now int64) error {
	if Side(p.Side) != from {
		return problem.New(problem.NotYours)
	}
	_, err := l.orderAct(p, now)
	return err
}

// onRefused ends an own act that the sequencer refused.
func (l *Ledger) onRefused(from Side, id []byte, code string, params map[string]string) {
	if seq, ok := l.sequencer(); !ok || seq != from || len(id) != act.IDSize {
		return
	}
	for i, q := range l.pending {
		if q.id == act.ID(id) {
			l.pending = append(l.pending[:i], l.pending[i+1:]...)
			l.answer(q.id, refusalFrom(code, params))
			return
		}
	}
}

// refusals remembers what the sequencer said no to: an act once refused stays refused, though the state that refused it
// passes. Otherwise a copy that was late would be ordered after its author was told that it was not.
type refusals struct {
	codes map[act.ID]*problem.Error
	fifo  []act.ID
}

func (r *refusals) add(id act.ID, p *problem.Error) {
	if len(r.fifo) >= maxRefused {
		delete(r.codes, r.fifo[0])
		r.fifo = r.fifo[1:]
	}
	r.codes[id] = p
	r.fifo = append(r.fifo, id)
}
