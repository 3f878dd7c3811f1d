package ledger

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// onEntry takes an entry from any peer: the sequencer's signature makes it the sequencer's, whoever carried it.
func (l *Ledger) onEntry(from Side, b []byte, sigs []act.NodeSig, now int64) {
	var e act.Entry
	if len(b) > canon.MaxBytes || len(sigs) > session.MaxSides || canon.Decode(b, &e) != nil || Scope(pad(e.Scope)) != l.cfg.Scope {
		return
	}
	_, next, _ := l.state.Head()
	switch {
	case e.Index < next:
		l.compareEntry(e, b, sigs, now)
	case e.Index > next:
		l.fetch(from, now)
	default:
		l.follow(from, e, b, sigs, now)
	}
}

// follow checks the next entry by the rules that the sequencer had to follow, and countersigns or accuses.
func (l *Ledger) follow(from Side, e act.Entry, b []byte, sigs []act.NodeSig, now int64) {
	seq, ok := l.sequencer()
	term, next, _ := l.state.Head()
	if ok && l.halted[seq] && e.Term == term && next > 0 {
		return
	}
	sigs = onlyOf(sigs, l.orderer(e, seq))
	if len(sigs) == 0 {
		return
	}
	checks, err := l.state.Checks(b)
	var heads []session.Check
	if err == nil {
		if heads, err = l.state.HeadChecks(b, sigs); err != nil {
			return // not signed as the sequencer signs: nobody said this
		}
	}
	if err == nil {
		if l.cfg.Verify(heads) != nil {
			return
		}
		if err = l.cfg.Verify(checks); err == nil {
			err = l.validate(b)
		}
	} else if !l.signedEntry(e, b, sigs) {
		return
	}
	if e.At > now+ClockOffBy {
		// Taking an entry from the future would let a sequencer choose which certificates are in force. It is asked for
		// again with every heartbeat, and taken when its time has come. Only what the orderer signed speaks of a clock: anybody
		// on a link could make up the rest.
		l.clockOff(l.orderer(e, seq), now)
		return
	}
	if err != nil {
		l.caught(AlarmRules, l.orderer(e, seq), evidenceOf(b, sigs), []byte(problem.CodeOf(err)), now)
		return
	}
	if l.take(b, sigs, now) == nil {
		l.peerMoved(from)
	}
}

// orderer is the side whose signature makes an entry: the sequencer's, or the new one's where the entry is a term act.
func (l *Ledger) orderer(e act.Entry, seq Side) Side {
	if e.From != act.ItemAct {
		return seq
	}
	p, err := parse(e.Item)
	if err != nil {
		return seq
	}
	if p.Kind == act.KindTerm {
		var t act.Term
		if canon.Decode(p.Body, &t) == nil && len(t.Sequencer) == len(seq) {
			return Side(t.Sequencer)
		}
	}
	if p.Kind == act.KindPlan && e.Index == 0 {
		var plan act.Plan
		if canon.Decode(p.Body, &plan) == nil && len(plan.Sequencer) == len(seq) {
			return Side(plan.Sequencer)
		}
	}
	return seq
}

// signedEntry says whether the node that may order at e's term really signed it, though the rules refuse it.
func (l *Ledger) signedEntry(e act.Entry, b []byte, sigs []act.NodeSig) bool {
	hash := act.Hash(b)
	head := session.HeadAfter(l.cfg.Scope[:], e.Term, e.Index, hash[:])
	for _, s := range sigs {
		if key := l.state.NodeKey(s.Side); key != nil && l.verify(key, act.ContextHead, head, s.Sig, problem.BadSignature) == nil {
			return true
		}
	}
	return false
}

// compareEntry looks for two entries at one place, both signed by the node that orders. That is a fork; nothing explains it
// away, not even a restored disk, so it is kept with both signatures.
func (l *Ledger) compareEntry(e act.Entry, b []byte, sigs []act.NodeSig, now int64) {
	held := l.log[e.Index]
	if act.Hash(b) == held.Hash {
		return
	}
	var heldEntry act.Entry
	if canon.Decode(held.Bytes, &heldEntry) != nil {
		return
	}
	of := l.cfg.Own
	if len(held.Sigs) > 0 {
		of = Side(held.Sigs[0].Side)
	}
	sigs = onlyOf(sigs, of)
	if len(sigs) == 0 || !l.signedEntry(e, b, sigs) {
		return
	}
	l.caught(AlarmFork, of, evidenceOf(b, sigs), evidenceOf(held.Bytes, held.Sigs), now)
}

// onCountersign takes a peer's statement of how far it checked this log.
func (l *Ledger) onCountersign(from Side, head, sig []byte, now int64) {
	var h act.Head
	p := l.peers[from]
	if p == nil || canon.Decode(head, &h) != nil || Scope(pad(h.Scope)) != l.cfg.Scope || len(h.Hash) != act.IDSize {
		return
	}
	if h.Index >= uint64(len(l.log)) {
		l.fetch(from, now)
		return
	}
	same := [32]byte(h.Hash) == l.log[h.Index].Hash
	if same && p.counter.Sig != nil && h.Index <= p.counter.Index {
		return
	}
	checks, err := l.state.HeadSigChecks(head, []act.NodeSig{{Side: from[:], Sig: sig}}, l.state.Time())
	if err != nil || l.cfg.Verify(checks) != nil {
		return
	}
	if !same {
		// It checked another entry at this place, or says so. The two entries are shown to each other: whoever ordered both
		// is then proven to have, by its own signatures.
		held := l.log[h.Index]
		l.send(from, frameEntry(l.cfg.Scope, held))
		l.send(from, frameFetch(l.cfg.Scope, h.Index, l.chain(from).next))
		l.caught(AlarmFork, from, act.Encode(act.Signed{Act: head, Sig: sig}), evidenceOf(held.Bytes, held.Sigs), now)
		return
	}
	p.counter = HeadSig{Side: from, Index: h.Index, Head: head, Sig: sig}
	l.turns.rec.Heads = append(l.turns.rec.Heads, p.counter)
	l.say(ToClients{Heads: []HeadSig{p.counter}})
	p.behindSince = 0
	if h.Index+1 < uint64(len(l.log)) {
		p.behindSince = now
	}
	if p.frozen && p.behindSince == 0 {
		p.frozen = false
		l.say(Alarm{Kind: AlarmCountered, Of: from, At: now})
	}
}

// caught keeps evidence, once per kind and side, names it, stops following that node's order, and suspends.
func (l *Ledger) caught(kind AlarmKind, of Side, a, b []byte, now int64) {
	term, _, _ := l.state.Head()
	for _, e := range l.evidence {
		if e.Kind == kind && e.Of == of && e.Term == term {
			return
		}
	}
	e := Evidence{Kind: kind, Of: of, Term: term, At: now, A: a, B: b}
	if len(l.evidence) < maxEvidence {
		l.evidence = append(l.evidence, e)
		l.turns.rec.Evidence = append(l.turns.rec.Evidence, e)
	} else if l.halted[of] {
		return // named already, though there was no room to keep it
	}
	l.halt(e)
	l.say(Alarm{Kind: kind, Of: of, At: now})
	l.suspend(act.ReasonFork, of, now)
}

func (l *Ledger) halt(e Evidence) {
	if e.Kind == AlarmFork || e.Kind == AlarmRules {
		l.halted[e.Of] = true
	}
}

// evidenceOf is an entry with its signatures, as bytes that anybody can check.
func evidenceOf(entry []byte, sigs []act.NodeSig) []byte {
	return act.Encode(struct {
		Entry []byte        `cbor:"entry"`
		Sigs  []act.NodeSig `cbor:"sigs"`
	}{entry, sigs})
}

func onlyOf(sigs []act.NodeSig, side Side) []act.NodeSig {
	for _, s := range sigs {
		if len(s.Side) == len(side) && Side(s.Side) == side {
			return []act.NodeSig{s}
		}
	}
	return nil
}

// pad makes a wrong length compare unequal instead of panicking.
func pad(b []byte) []byte {
	if len(b) != act.ScopeSize {
		return make([]byte, act.ScopeSize)
	}
	return b
}
