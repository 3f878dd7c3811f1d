package ledger

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// Tick lets time pass. It may be called at any time; Wake says when it must be.
func (l *Ledger) Tick(now int64) []Effect {
	if l.turns.dead {
		return nil
	}
	l.ticked = now
	for _, s := range l.sides() {
		p := l.peers[s]
		if !p.lost && now-p.heard >= LinkLostAfter {
			l.linkLost(s, p, now)
		}
		if !p.lost && !p.frozen && l.sequencing() && p.behindSince != 0 && now-p.behindSince >= HeldBackAfter {
			p.frozen = true
			l.say(Alarm{Kind: AlarmNotCountered, Of: s, At: now})
		}
	}
	l.heldBack(now)
	l.resendVote(now)
	l.advance(now)
	return l.end(now)
}

// nextWake counts from the last Tick, not from the present input: a peer whose frames come faster than ticks would put off, for as
// long as it likes, that its own holding back is noticed.
func (l *Ledger) nextWake(now int64) int64 {
	at := l.ticked + HeartbeatEvery
	for _, p := range l.peers {
		if due := p.heard + LinkLostAfter; !p.lost && due > now && due < at {
			at = due
		}
	}
	return at
}

// linkLost is nobody's fault and nobody's departure. Both nodes say it, each in its own outbox, so that each stops by itself.
// Joint acts on their way end here: a consent given before the loss must not count after it.
func (l *Ledger) linkLost(s Side, p *peer, now int64) {
	p.lost = true
	p.head = nil
	p.frozen = false
	l.say(Alarm{Kind: AlarmLinkLost, Of: s, At: now})
	l.suspend(act.ReasonLinkLost, s, now)
	kept := l.pending[:0]
	for _, q := range l.pending {
		switch {
		case joint(q.Kind) && q.sent: // it may have been ordered just before
			l.answer(q.id, uncertain(problem.LinkLost))
		case joint(q.Kind):
			l.answer(q.id, problem.New(problem.LinkLost))
		default:
			kept = append(kept, q)
		}
	}
	l.pending = kept
}

// frozen: a peer does not countersign. Nobody is added or removed until it does.
func (l *Ledger) frozen() bool {
	for _, p := range l.peers {
		if p.frozen {
			return true
		}
	}
	return false
}

// forward sends own pending acts to the sequencer, again and again until they are ordered or refused.
func (l *Ledger) forward(now int64) {
	seq, ok := l.sequencer()
	if !ok || seq == l.cfg.Own || l.peers[seq] == nil {
		return
	}
	for i, q := range l.pending {
		if (q.sentAt == 0 || now-q.sentAt >= resendEvery) && !l.behindJoin(i) {
			if !q.sent {
				q.sent, q.since = true, now
			}
			q.sentAt = now
			l.send(seq, frameForward(l.cfg.Scope, q.bytes))
		}
	}
}

// behindJoin: joins of one device are ordered as it made them. A page that was reloaded leaves its join on the way; overtaken by
// the new page's, it would replace it, and the person would be out.
func (l *Ledger) behindJoin(i int) bool {
	q := l.pending[i]
	for _, earlier := range l.pending[:i] {
		if bytes.Equal(earlier.Key, q.Key) && (earlier.Kind == act.KindJoin || q.Kind == act.KindJoin) {
			return true
		}
	}
	return false
}

// heldBack names the sequencer that neither orders nor refuses while its heartbeats flow, and then stops the session.
func (l *Ledger) heldBack(now int64) {
	seq, ok := l.sequencer()
	if !ok || seq == l.cfg.Own || l.peers[seq] == nil {
		return
	}
	if l.peers[seq].lost {
		l.restartWaits(now)
		return
	}
	alive := l.peers[seq].heard // silence is no holding back
	for _, q := range l.pending {
		if q.sent && l.overdue(seq, alive-q.since, &q.named, &q.stood, q.id, q.bytes, now) {
			q.sentAt = 0
		}
	}
	c := l.chain(l.cfg.Own)
	if w := c.waiting(); len(w) > 0 && len(l.log) > 0 {
		if _, o, _, err := parseItem(w[0].Bytes); err == nil {
			p, _ := parse(o.Act)
			l.overdue(seq, alive-c.since, &c.named, &c.stood, p.id, w[0].Bytes, now)
		}
	}
}

// overdue says whether to send again at once.
func (l *Ledger) overdue(seq Side, waited int64, named, stood *bool, id act.ID, evidence []byte, now int64) bool {
	if waited >= HeldBackAfter && !*named {
		*named = true
		l.say(Alarm{Kind: AlarmHeldBack, Of: seq, At: now, Act: id})
		if len(l.evidence) < maxEvidence/2 { // whoever holds back many acts leaves room for the proof of a fork
			term, _, _ := l.state.Head()
			e := Evidence{Kind: AlarmHeldBack, Of: seq, Term: term, At: now, A: evidence}
			l.evidence = append(l.evidence, e)
			l.turns.rec.Evidence = append(l.turns.rec.Evidence, e)
		}
		return true
	}
	if waited >= suspendHeldBack && !*stood {
		*stood = true
		l.suspend(act.ReasonHeldBack, seq, now)
	}
	return false
}

// watchClock names a peer whose clock is more than 2 s from ours, when several heartbeats in a row say so: a single one may
// have been under way long.
func (l *Ledger) watchClock(s Side, p *peer, offset, now int64) {
	off := offset > ClockOffBy || offset < -ClockOffBy
	if off == p.clock.off {
		p.clock.run = 0
		return
	}
	if p.clock.run++; p.clock.run < clockBeats {
		return
	}
	if off {
		l.clockOff(s, now)
		return
	}
	p.clock = clockWatch{}
	l.say(Alarm{Kind: AlarmClockBack, Of: s, At: now})
}

func (l *Ledger) clockOff(s Side, now int64) {
	p := l.peers[s]
	if p == nil || p.clock.off {
		return
	}
	p.clock = clockWatch{off: true}
	l.say(Alarm{Kind: AlarmClock, Of: s, At: now})
	if l.state.Phase() != session.PhaseNone {
		l.suspend(act.ReasonClock, s, now)
	}
}
