package link

import (
	"errors"
	"time"

	"github.com/quic-go/quic-go"

	"parley.link/parley/internal/problem"
)

// stays decides which of two carriers to the same peer stays, the same way on both ends:
//
//   - both from the same initiator: the younger. It is a re-key, or a redial by a node that lost the older one before we did.
//   - from different initiators: both nodes dialled at once. The one that the lower node id initiated stays.
//
// A peer that restarted (another boot) is handled before: whatever the older carrier was, it is dead.
func stays(old, young *carrier, own []byte) *carrier {
	if old.dialled == young.dialled || young.lowerInitiated(own) {
		return young
	}
	return old
}

// adopt makes c the peer's carrier and the link up, or says that another stays.
func (e *Endpoint) adopt(c *carrier) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := c.peer
	if e.peers[p.cfg.Side] != p || e.stopping {
		return false
	}
	now := time.Now()
	restarted := p.up && p.boot != c.boot
	old := p.current
	if old != nil && !restarted && stays(old, c, e.own) == old {
		return false
	}
	if old != nil {
		close(old.superseded)
	}
	if restarted {
		p.down(e, ReasonRestarted, nil) // the older carrier ends by itself: the peer answers it with a stateless reset
	} else {
		c.before = old
	}
	p.current = c
	p.carriers++
	p.media.install(c.keys)
	e.setAddress(c.keys.address(), p.media)
	e.meet(c.keys.address().Addr())
	up := Up{Side: p.cfg.Side, Protocol: c.protocol, Build: c.build, Boot: c.boot, Skew: c.skew, Introduction: c.introduction}
	switch {
	case !p.up:
		p.kept = p.boot == c.boot && now.Sub(p.downSince) <= keepHandles
		p.up, p.since, p.boot = true, now, c.boot
		e.events.push(up)
		p.media.restore(now, p.kept)
	case old == nil || old.dialled != c.dialled:
		// Both nodes dialled, and the peer may never have read the older carrier, which it did not adopt: what was sent on it is lost,
		// though the link was not down. So all that an Up begins begins once more.
		e.events.push(up)
		p.media.restore(now, p.kept)
	default:
		p.media.announce(now)
	}
	p.poke()
	return true
}

// lost notes that a carrier's QUIC connection is gone.
//
// When both nodes dialled, the peer may have adopted the carrier that stays and closed this one before the last words of the other's
// greeting are here. So the link is down only when no carrier is left that is being greeted: a greeting ends within helloTimeout. Where
// the close itself is lost, this end hears a stateless reset instead, the same that a peer gives that crashed: then nothing is
// being greeted, or the peer's new carrier is, whose boot tells.
func (e *Endpoint) lost(c *carrier, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := c.peer
	p.media.retire(c.keys)
	if p.current != c {
		return
	}
	p.current = nil
	p.poke()
	reason := reasonOf(cause)
	if e.peers[p.cfg.Side] != p {
		reason = ReasonRemoved
	}
	if reason != ReasonRemoved && (reason == ReasonReset || closedFor(cause, codeDuplicate, codeSuperseded)) {
		e.awaitGreetings(p)
	}
	if p.current == nil {
		p.down(e, reason, cause) // nothing, if it was told meanwhile
	}
}

// awaitGreetings waits until a carrier of p was adopted or none is left that could be. Called with mu held, and returns so.
func (e *Endpoint) awaitGreetings(p *peer) {
	t := time.NewTimer(helloTimeout)
	defer t.Stop()
	for p.current == nil && p.up && p.greeting > 0 && !e.stopping {
		changed := p.changed()
		e.mu.Unlock()
		select {
		case <-changed:
			e.mu.Lock()
		case <-e.stopped:
			e.mu.Lock()
		case <-t.C:
			e.mu.Lock()
			return
		}
	}
}

// punish closes a carrier whose peer exceeded its quota and keeps the peer out for a while.
func (e *Endpoint) punish(c *carrier) {
	e.mu.Lock()
	c.peer.notBefore = time.Now().Add(quotaPenalty)
	side := c.peer.cfg.Side
	e.mu.Unlock()
	e.refuse(Refused{Side: side, Address: c.conn.RemoteAddr().String(), Problem: problem.New(problem.TooMany)})
	c.close(codeQuota, "quota")
}

func closedFor(cause error, codes ...quic.ApplicationErrorCode) bool {
	var a *quic.ApplicationError
	if !errors.As(cause, &a) {
		return false
	}
	for _, c := range codes {
		if a.ErrorCode == c {
			return true
		}
	}
	return false
}

func reasonOf(cause error) Reason {
	var (
		idle  *quic.IdleTimeoutError
		reset *quic.StatelessResetError
		app   *quic.ApplicationError
	)
	switch {
	case errors.As(cause, &idle):
		return ReasonIdle
	case errors.As(cause, &reset):
		return ReasonReset
	case errors.As(cause, &app):
		switch app.ErrorCode {
		case codeBye:
			return ReasonBye
		case codeMalformed:
			return ReasonMalformed
		case codeQuota:
			return ReasonQuota
		case codeNotWanted:
			return ReasonNotWanted
		}
	}
	return ReasonTransport
}
