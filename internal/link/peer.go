package link

import (
	"context"
	"time"

	"parley.link/parley/internal/problem"
)

// peer is what the endpoint knows of one other side. All fields but the queues are guarded by Endpoint.mu.
type peer struct {
	cfg  Peer
	stop context.CancelFunc // ends its dialling

	out   [lanes]*outbound // safe for concurrent use
	in    [lanes]*inbound
	media *Media

	current   *carrier
	carriers  uint64 // adopted so far
	pending   int    // carriers that are greeting, running or draining
	greeting  int    // carriers that may be adopted any moment
	up        bool   // Up was told, Down was not
	since     time.Time
	downSince time.Time
	kept      bool // the peer had its memory of us when the link came up
	boot      uint64
	busy      bool // a session runs over the link
	notBefore time.Time
	problem   problem.Code // why it is not up, if anybody said

	wakeup chan struct{} // one token: look again
	signal chan struct{} // closed and replaced when current or up changes
}

func newPeer(e *Endpoint, cfg Peer) *peer {
	p := &peer{cfg: cfg, wakeup: make(chan struct{}, 1), signal: make(chan struct{})}
	for l := range lanes {
		p.out[l] = newOutbound(l)
		p.in[l] = &inbound{bucket: bucket{quota: laneLimits[l].quota}}
	}
	p.media = newMedia(e, p)
	return p
}

// poke wakes whoever waits for a change of this peer.
func (p *peer) poke() {
	close(p.signal)
	p.signal = make(chan struct{})
	select {
	case p.wakeup <- struct{}{}:
	default:
	}
}

func (p *peer) changed() <-chan struct{} { return p.signal }

// down tells the node, once, and forgets what was queued.
func (p *peer) down(e *Endpoint, reason Reason, err error) {
	if !p.up {
		return
	}
	p.up = false
	p.since = time.Now()
	p.downSince = p.since
	for _, o := range p.out {
		o.drop()
	}
	p.media.uninstall()
	e.events.push(Down{Side: p.cfg.Side, Reason: reason, Err: err})
	p.poke()
}
