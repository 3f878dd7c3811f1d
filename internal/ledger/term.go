package ledger

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
)

// A new term begins by an act that an officer of every side signed, naming the new sequencer and the exact point after which
// it orders (act.Term). The officers of all sides but the new sequencer's submit theirs to their own node (a vote, Others
// empty); the votes go to every node and its clients; an officer of the new sequencer's side puts them into Others, signs the whole
// and submits it to the new sequencer's node, which orders it as the first entry of the term.
//
// Safety. A node takes its own officer's vote only for the very end of its own log, and records a promise before it says so.
// The old sequencer with a promise orders nothing more in its term. Since the term needs its side's vote, no honest node ever
// holds an entry beyond After from the old term: nothing acknowledged is lost, and logs stay prefixes of one another.
// Two rival new sequencers cannot both complete: a side may change its vote only to a sequencer with a lower id, and a node that
// voted for another does not begin its own term. So the one with the higher id, whose vote the lower one needs, has given up.
// A vote dies with the next entry.

// submitTerm takes an own officer's term act: a vote, or the whole.
func (l *Ledger) submitTerm(p parsed, now int64) error {
	var t act.Term
	if canon.Decode(p.Body, &t) != nil || len(t.Sequencer) != act.IDSize || len(t.Hash) != act.IDSize {
		return problem.New(problem.Malformed, "what", "term")
	}
	if err := l.termFits(p, t); err != nil {
		return err
	}
	if l.promise.Term == t.Term {
		if before, ok := l.promised(); ok && bytes.Compare(t.Sequencer, before[:]) > 0 {
			return problem.New(problem.AlreadyDone, "what", "vote")
		}
	}
	if len(t.Others) == 0 {
		l.vote(p, t)
		return nil
	}
	if Side(t.Sequencer) != l.cfg.Own {
		return problem.New(problem.NotYours, "what", "sequencer")
	}
	if err := l.state.Refuse(p.signed, now); err != nil {
		return err
	}
	if err := l.order(act.ItemAct, p.bytes, now); err != nil {
		return err
	}
	l.say(Answer{Act: p.id, Index: l.index[p.id], Ordered: true})
	return nil
}

// termFits checks what the rules cannot: that the vote is for the end of this node's own log.
func (l *Ledger) termFits(p parsed, t act.Term) error {
	term, next, hash := l.state.Head()
	switch {
	case next == 0:
		return problem.New(problem.NotInForce)
	case t.Term != term+1:
		return problem.New(problem.OutOfOrder, "field", "term")
	case t.After+1 != next || !bytes.Equal(t.Hash, hash[:]):
		return problem.New(problem.OutOfOrder, "field", "after")
	case l.peers[Side(t.Sequencer)] == nil && Side(t.Sequencer) != l.cfg.Own:
		return problem.New(problem.NotYours, "what", "sequencer")
	case !l.state.IsOfficer(p.Side, p.Key):
		return problem.New(problem.NotOfficer)
	}
	return l.verify(p.Key, act.ContextAct, p.signed.Act, p.signed.Sig, problem.BadSignature)
}

func (l *Ledger) vote(p parsed, t act.Term) {
	l.promise = Promise{Term: t.Term, After: t.After, Vote: p.bytes}
	rec := l.promise
	l.turns.rec.Promise = &rec
	l.votes[l.cfg.Own] = p.bytes
	l.say(Answer{Act: p.id})
	l.say(ToClients{Votes: [][]byte{p.bytes}})
	l.broadcast(frameForward(l.cfg.Scope, p.bytes))
}

// promised is the sequencer that this side's vote names.
func (l *Ledger) promised() (Side, bool) {
	var t act.Term
	p, err := parse(l.promise.Vote)
	if err != nil || canon.Decode(p.Body, &t) != nil || len(t.Sequencer) != act.IDSize {
		return Side{}, false
	}
	return Side(t.Sequencer), true
}

// dropPromise: the log went on, so the vote can no longer begin a term.
func (l *Ledger) dropPromise() {
	l.promise = Promise{}
	l.turns.rec.Promise = &Promise{}
	delete(l.votes, l.cfg.Own)
}

// onVote keeps another side's vote and shows it to own clients. It reports whether the act was one.
func (l *Ledger) onVote(from Side, p parsed) bool {
	var t act.Term
	if canon.Decode(p.Body, &t) != nil || len(t.Others) != 0 {
		return false
	}
	term, next, _ := l.state.Head()
	if t.Term != term+1 || t.After+1 < next || bytes.Equal(l.votes[from], p.bytes) || !l.state.IsOfficer(p.Side, p.Key) ||
		l.verify(p.Key, act.ContextAct, p.signed.Act, p.signed.Sig, problem.BadSignature) != nil {
		return true
	}
	l.votes[from] = p.bytes
	l.say(ToClients{Votes: [][]byte{p.bytes}})
	return true
}

// resendVote: votes are lost like everything else.
func (l *Ledger) resendVote(int64) {
	if l.promise.Term != 0 {
		l.broadcast(frameForward(l.cfg.Scope, l.promise.Vote))
	}
}

// newTerm: the order is another node's now. Who was caught ordering is no longer followed anyway; all waits begin anew.
func (l *Ledger) newTerm(now int64) {
	seq, _ := l.sequencer()
	clear(l.halted)
	clear(l.votes)
	l.boot = 0
	l.refused = refusals{codes: map[act.ID]*problem.Error{}}
	l.restartWaits(now)
	for _, p := range l.peers {
		p.behindSince, p.frozen = now, false
	}
	l.say(Alarm{Kind: AlarmTerm, Of: seq, At: now})
}
