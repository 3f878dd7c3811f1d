package ledger

import (
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
)

// reconcile compares what a peer says it holds with what this node holds, and fetches the difference; the peer does the same. It
// repairs every loss, on a bad link and after a crash alike.
func (l *Ledger) reconcile(from Side, p *peer, now int64) {
	_, next, _ := l.state.Head()
	h := p.head
	if h == nil {
		if next > 0 && now-p.pushedAt >= introduceEvery {
			p.pushedAt = now
			l.send(from, frameEntry(l.cfg.Scope, l.log[0]))
		}
		return
	}
	behind := h.GetNextIndex() > next || h.GetNextOutbox() > l.chain(from).next
	l.watchGap(from, p, h.GetNextIndex() > next, now)
	uncounted := l.sequencing() && p.behindSince != 0 && now-p.behindSince >= resendEvery && h.GetNextIndex() >= next
	if behind || uncounted || l.disagrees(h) {
		l.fetch(from, now)
	}
}

// disagrees: the peer names another hash at a place that this node holds. A heartbeat proves nothing to others, but the
// answer to a fetch is signed.
func (l *Ledger) disagrees(h *linkpb.ScopeHead) bool {
	n := h.GetNextIndex()
	return n > 0 && n <= uint64(len(l.log)) && string(l.log[n-1].Hash[:]) != string(h.GetHash())
}

// watchGap names a peer that says it holds entries and does not deliver them.
func (l *Ledger) watchGap(from Side, p *peer, behind bool, now int64) {
	switch seq, _ := l.sequencer(); {
	case !behind || l.halted[seq]:
		p.gapSince, p.gapNamed = 0, false
	case p.gapSince == 0:
		p.gapSince = now
	case now-p.gapSince >= HeldBackAfter && !p.gapNamed:
		p.gapNamed = true
		l.say(Alarm{Kind: AlarmGap, Of: from, At: now})
	}
}

// peerMoved: an entry came, so there is no gap that stands still.
func (l *Ledger) peerMoved(from Side) {
	if p := l.peers[from]; p != nil {
		p.gapSince, p.gapNamed = 0, false
	}
}

// fetch asks a side for what this node lacks, not too often.
func (l *Ledger) fetch(from Side, now int64) {
	p := l.peers[from]
	if p == nil || now-p.fetchedAt < fetchEvery {
		return
	}
	p.fetchedAt = now
	_, next, _ := l.state.Head()
	if p.head != nil && l.disagrees(p.head) {
		next = p.head.GetNextIndex() - 1
	}
	l.send(from, frameFetch(l.cfg.Scope, next, l.chain(from).next))
}

// onFetch answers with entries, own items and the own countersignature, within bounds: a peer that asks without end gets no
// more than this link can carry anyway.
func (l *Ledger) onFetch(from Side, entry, item uint64, now int64) {
	p := l.peers[from]
	if p == nil || now-p.answeredAt < answerFetchEach {
		return
	}
	p.answeredAt = now
	size := 0
	for i := entry; i < uint64(len(l.log)) && i-entry < fetchEntries && size < fetchBytes; i++ {
		size += len(l.log[i].Bytes)
		l.send(from, frameEntry(l.cfg.Scope, l.log[i]))
	}
	l.pushItems(from, item)
	if n := len(l.log); n > 0 && !l.sequencing() {
		e := l.log[n-1]
		if sig := onlyOf(e.Sigs, l.cfg.Own); len(sig) == 1 {
			l.send(from, frameCountersign(l.cfg.Scope, session.HeadAfter(l.cfg.Scope[:], e.Term, e.Index, e.Hash[:]), sig[0].Sig))
		}
	}
}

// pushItems sends own items from a place on. Ordered ones come with the log; only a peer that asks for them gets them.
func (l *Ledger) pushItems(to Side, from uint64) {
	c := l.chain(l.cfg.Own)
	for seq := from; seq < c.next && seq-from < 64; seq++ {
		if it, ok := c.at(seq); ok {
			l.send(to, frameOutbox(l.cfg.Scope, it))
		}
	}
}
