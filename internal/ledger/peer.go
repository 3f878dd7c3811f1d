package ledger

import (
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
)

// peer is what this node knows of another side's node in this scope.
type peer struct {
	heard       int64 // last heartbeat
	lost        bool
	clock       clockWatch
	head        *linkpb.ScopeHead // newest, nil: it does not know the scope
	headAt      int64
	counter     HeadSig // newest countersignature
	behindSince int64   // since when it lacks one of ours
	frozen      bool    // missing too long: membership stands still
	gapSince    int64   // since when it says it holds more than it delivers
	gapNamed    bool
	fetchedAt   int64
	answeredAt  int64
	pushedAt    int64
}

type clockWatch struct {
	off bool
	run int // heartbeats in a row that say otherwise
}

// Peer takes a frame of this scope from a side, over its verified link. Frames of other kinds are ignored.
func (l *Ledger) Peer(from Side, f *linkpb.LinkFrame, now int64) []Effect {
	if l.turns.dead || f == nil {
		return nil
	}
	switch b := f.GetBody().(type) {
	case *linkpb.LinkFrame_Forward:
		l.onForward(from, b.Forward.GetAct(), now)
	case *linkpb.LinkFrame_Refused:
		l.onRefused(from, b.Refused.GetActId(), b.Refused.GetCode(), b.Refused.GetParams())
	case *linkpb.LinkFrame_Outbox:
		l.onOutbox(from, b.Outbox.GetItem(), now)
	case *linkpb.LinkFrame_Entry:
		l.onEntry(from, b.Entry.GetEntry(), fromPB(b.Entry.GetSignatures()), now)
	case *linkpb.LinkFrame_Countersign:
		l.onCountersign(from, b.Countersign.GetHead(), b.Countersign.GetSignature(), now)
	case *linkpb.LinkFrame_Fetch:
		l.onFetch(from, b.Fetch.GetFromIndex(), b.Fetch.GetFromOutbox(), now)
	default:
		return nil
	}
	l.advance(now)
	return l.end(now)
}

// Heartbeat takes what a side's heartbeat says of this scope (nil: nothing) and its clock. It is proof of the link's life
// either way.
func (l *Ledger) Heartbeat(from Side, h *linkpb.ScopeHead, theirNow, now int64) []Effect {
	p := l.peers[from]
	if l.turns.dead || p == nil {
		return nil
	}
	p.heard = now
	p.head, p.headAt = h, now
	if l.Resting(from, now) {
		return nil
	}
	if p.lost {
		l.linkBack(from, p, now)
	}
	l.watchClock(from, p, theirNow-now, now)
	l.reconcile(from, p, now)
	l.advance(now)
	return l.end(now)
}

// Head is what this node's heartbeats say of the scope to one side. Only what is durable is named.
func (l *Ledger) Head(to Side) *linkpb.ScopeHead {
	m := l.turns.published
	if m.next == 0 {
		return nil
	}
	return &linkpb.ScopeHead{
		Scope: l.cfg.Scope[:], Term: m.term, NextIndex: m.next, Hash: m.hash[:], NextOutbox: m.own, NextPeerOutbox: m.peers[to],
	}
}

// Quiet says that the session is closed, and has been for 10 minutes: no time passes for it any more.
func (l *Ledger) Quiet(now int64) bool {
	return l.state.Phase() == session.PhaseClosed && now-l.state.Time() > quietAfterClose
}

// Resting says that a session is quiet and heartbeats to a side need not name it: as far as that side's last one told, it holds the
// same or says nothing either. A node that was away while the session was closed names what it holds, and is told.
func (l *Ledger) Resting(to Side, now int64) bool {
	if !l.Quiet(now) {
		return false
	}
	p := l.peers[to]
	return p == nil || p.head == nil || p.head.GetNextIndex() == uint64(len(l.log)) && !l.disagrees(p.head)
}

// LinkUp and LinkDown say that the QUIC connection came or went. Neither is a state of the session: only heartbeats, or 1.5 s
// without, are. A connection that is back sooner was never lost.
func (l *Ledger) LinkUp(side Side, now int64) []Effect {
	p := l.peers[side]
	if l.turns.dead || p == nil {
		return nil
	}
	p.fetchedAt, p.answeredAt, p.pushedAt = 0, 0, 0
	for _, q := range l.pending {
		q.sentAt = 0 // whatever was on its way is gone with the old connection
	}
	l.advance(now)
	return l.end(now)
}

// LinkDown: see LinkUp.
func (l *Ledger) LinkDown(_ Side, now int64) []Effect {
	if l.turns.dead {
		return nil
	}
	return l.end(now)
}

// linkBack starts every wait anew: what was not delivered while there was no link was not held back.
func (l *Ledger) linkBack(from Side, p *peer, now int64) {
	p.lost = false
	p.gapSince, p.gapNamed = 0, false
	if p.behindSince != 0 {
		p.behindSince = now
	}
	l.say(Alarm{Kind: AlarmLinkBack, Of: from, At: now})
	if seq, ok := l.sequencer(); ok && seq == from {
		l.restartWaits(now)
	}
}

// restartWaits forgets how long own acts and items have waited.
func (l *Ledger) restartWaits(now int64) {
	for _, q := range l.pending {
		q.since, q.sentAt, q.named, q.stood = now, 0, false, false
	}
	if c := l.chain(l.cfg.Own); len(c.waiting()) > 0 {
		c.since, c.named, c.stood = now, false, false
	}
}
