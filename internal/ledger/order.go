package ledger

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// makeEntry is the entry that would hold the item now. Its time is the sequencer's clock, never before the entry before it.
func (l *Ledger) makeEntry(from string, item []byte, now int64) []byte {
	term, next, hash := l.state.Head()
	if from == act.ItemAct {
		if p, err := parse(item); err == nil && p.Kind == act.KindTerm {
			term++
		}
	}
	return act.Encode(act.Entry{
		Version: act.Version, Scope: l.cfg.Scope[:], Term: term, Index: next, Prev: hash[:],
		At: max(now, l.state.Time()), From: from, Item: item,
	})
}

// order writes the next entry: the sequencer's one power.
func (l *Ledger) order(from string, item []byte, now int64) error {
	b := l.makeEntry(from, item, now)
	checks, err := l.state.Checks(b)
	if err != nil {
		return err
	}
	if err := l.cfg.Verify(checks); err != nil {
		return err
	}
	if err := l.validate(b); err != nil {
		return err
	}
	return l.take(b, nil, now)
}

func (l *Ledger) validate(entry []byte) error {
	if l.cfg.Validate == nil {
		return nil
	}
	return l.cfg.Validate(l.state, entry)
}

// take applies an entry that was checked, adds this node's signature, and tells everybody. sigs are those that came with it.
func (l *Ledger) take(b []byte, sigs []act.NodeSig, now int64) error {
	oldTerm, _, _ := l.state.Head()
	if _, err := l.state.Apply(b); err != nil {
		return err
	}
	term, next, hash := l.state.Head()
	head := session.HeadAfter(l.cfg.Scope[:], term, next-1, hash[:])
	own := act.NodeSig{Side: l.cfg.Own[:], Sig: l.cfg.Sign(act.ContextHead, head)}
	e := Entry{Index: next - 1, Term: term, Hash: hash, Bytes: b}
	if seq, _ := l.sequencer(); seq != l.cfg.Own {
		for _, s := range sigs {
			if Side(s.Side) == seq {
				e.Sigs = append(e.Sigs, s)
			}
		}
	}
	e.Sigs = append(e.Sigs, own)
	l.remember(e, now)
	l.turns.rec.Entries = append(l.turns.rec.Entries, e)
	l.say(ToClients{Entries: []Entry{e}})
	if l.sequencing() {
		l.broadcast(frameEntry(l.cfg.Scope, e))
	} else {
		l.broadcast(frameCountersign(l.cfg.Scope, head, own.Sig))
	}
	l.settle(e, now)
	if term != oldTerm {
		l.newTerm(now)
	}
	return nil
}

// settle answers those who waited for the entry, and starts the wait for countersignatures.
func (l *Ledger) settle(e Entry, now int64) {
	var entry act.Entry
	if canon.Decode(e.Bytes, &entry) != nil {
		return
	}
	for _, id := range actsOf(entry) {
		for i, q := range l.pending {
			if q.id == id {
				l.pending = append(l.pending[:i], l.pending[i+1:]...)
				l.say(Answer{Act: id, Index: e.Index, Ordered: true})
				break
			}
		}
	}
	for _, p := range l.peers {
		if p.behindSince == 0 {
			p.behindSince = now
		}
	}
	if c := l.chain(l.cfg.Own); len(c.waiting()) > 0 {
		c.since = now // the chain moved: what waits now began to wait now
	}
}

// mayOrder says whether this node may extend the log in this term.
func (l *Ledger) mayOrder(now int64) bool {
	if !l.sequencing() || l.halted[l.cfg.Own] {
		return false
	}
	if term, _, _ := l.state.Head(); l.promise.Term > term {
		return false // its own officer signed that this log ends here in this term
	}
	for _, p := range l.peers {
		if !p.lost && (p.clock.off || p.clock.run > 0) {
			// One of two clocks is wrong and nobody knows which. An entry with a time from the future would not be taken until
			// that time has come, so that nothing is ordered from the first heartbeat that disagrees.
			return false
		}
	}
	return l.settledAfterBoot(now)
}

// settledAfterBoot: a sequencer that restarted may have lost its tail (a disk restored from yesterday). The peers hold what it
// signed. It takes that back before it signs another entry at the same place, or it would be a fork made in good faith.
func (l *Ledger) settledAfterBoot(now int64) bool {
	if l.boot == 0 {
		return true
	}
	if now-l.boot < settleAfterBoot {
		for _, p := range l.peers {
			if p.headAt < l.boot || p.head.GetNextIndex() > uint64(len(l.log)) {
				return false
			}
		}
	}
	l.boot = 0
	return true
}

// advance moves everything that can move: outboxes into the log first (they narrow), then own pending acts.
func (l *Ledger) advance(now int64) {
	if !l.mayOrder(now) {
		l.forward(now)
		return
	}
	l.orderOutboxes(now)
	waiting := l.pending
	l.pending = nil
	for _, q := range waiting {
		if l.deferred(q.Kind) {
			l.pending = append(l.pending, q)
			continue
		}
		i, err := l.orderAct(q.parsed, now)
		if err != nil {
			l.answer(q.id, asProblem(err))
			continue
		}
		l.say(Answer{Act: q.id, Index: i, Ordered: true})
	}
	l.orderOutboxes(now)
}

// orderOutboxes contains every item that is held and not ordered, each side's in the order of its chain.
func (l *Ledger) orderOutboxes(now int64) {
	if len(l.log) == 0 {
		return
	}
	for _, s := range append(l.sides(), l.cfg.Own) {
		c := l.chain(s)
		for !c.bad {
			w := c.waiting()
			if len(w) == 0 {
				break
			}
			if err := l.order(act.ItemOutbox, w[0].Bytes, now); err != nil {
				c.bad = true
				l.caught(AlarmRules, s, w[0].Bytes, []byte(problem.CodeOf(err)), now)
			}
		}
	}
}

// orderAct asks the rules about the state as people see it, then orders.
func (l *Ledger) orderAct(p parsed, now int64) (uint64, error) {
	if i, ok := l.index[p.id]; ok {
		return i, nil
	}
	if err := l.linkAllows(p.Kind); err != nil {
		return 0, err
	}
	if membership(p.Kind) && l.frozen() {
		return 0, problem.New(problem.HeldBack, "what", "countersignature")
	}
	if err := l.state.Refuse(p.signed, now); err != nil {
		return 0, err
	}
	if err := l.order(act.ItemAct, p.bytes, now); err != nil {
		return 0, err
	}
	return l.index[p.id], nil
}

// deferred says that a joint act must wait until every peer's outbox, as far as the peer's last heartbeat told, is in the log:
// nobody may consent to go on over a suspension that is still on its way.
func (l *Ledger) deferred(k act.Kind) bool {
	if !joint(k) {
		return false
	}
	for s, p := range l.peers {
		c := l.chain(s)
		if !p.lost && !c.bad && p.head.GetNextOutbox() > c.done {
			return true
		}
	}
	return false
}
