package link

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/netip"
	"time"

	"parley.link/parley/internal/problem"
)

// SetBusy tells whether a session runs over the link with a side: then no two dials are more than a second apart.
func (e *Endpoint) SetBusy(side [32]byte, busy bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[side]; p != nil && p.busy != busy {
		p.busy = busy
		p.poke()
	}
}

// SetPeers replaces the configuration of peers. A peer that is gone, no longer verified or differently keyed loses its link.
func (e *Endpoint) SetPeers(list []Peer) error {
	seen := map[[32]byte]bool{}
	for i := range list {
		if err := list[i].check(); err != nil {
			return err
		}
		if seen[list[i].Side] || list[i].Side == e.side {
			return fmt.Errorf("%w: a side twice, or our own", ErrConfig)
		}
		seen[list[i].Side] = true
	}
	e.mu.Lock()
	var closing []*carrier
	for side, p := range e.peers {
		if !seen[side] {
			closing = append(closing, e.removePeer(p)...)
		}
	}
	for _, cfg := range list {
		p := e.peers[cfg.Side]
		if p == nil {
			p = newPeer(e, cfg)
			e.peers[cfg.Side] = p
			e.startDialling(p)
			continue
		}
		p.cfg = cfg
		if c := p.current; c != nil && (!cfg.Verified || !hasKey(cfg.NodeKeys, c.key)) {
			closing = append(closing, c)
		}
		p.poke()
	}
	e.mu.Unlock()
	for _, c := range closing {
		c.close(codeNotWanted, "not wanted")
	}
	return nil
}

func (e *Endpoint) removePeer(p *peer) []*carrier {
	delete(e.peers, p.cfg.Side)
	if p.stop != nil {
		p.stop()
	}
	p.down(e, ReasonRemoved, nil)
	p.media.close()
	e.setAddress(netip.AddrPort{}, p.media)
	if p.current != nil {
		return []*carrier{p.current}
	}
	return nil
}

func (e *Endpoint) startDialling(p *peer) {
	if e.ctx == nil || e.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(e.ctx)
	p.stop = cancel
	e.wg.Go(func() { e.runDial(ctx, p) })
}

func (e *Endpoint) note(p *peer, code problem.Code) {
	e.mu.Lock()
	p.problem = code
	e.mu.Unlock()
}

func (e *Endpoint) peerByKey(key ed25519.PublicKey) *peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.peers {
		if hasKey(p.cfg.NodeKeys, key) {
			return p
		}
	}
	return nil
}

// admit counts a carrier in; a peer with too many at once, or being punished, gets none.
func (e *Endpoint) admit(p *peer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.pending >= maxCarriersPerPeer || time.Now().Before(p.notBefore) || e.stopping {
		return false
	}
	p.pending++
	return true
}

func (e *Endpoint) release(p *peer) {
	e.mu.Lock()
	p.pending--
	e.mu.Unlock()
}

// greets counts the peer's carriers that are being greeted, and wakes whoever waits for the last of them.
func (e *Endpoint) greets(p *peer, change int) {
	e.mu.Lock()
	p.greeting += change
	if p.greeting == 0 {
		p.poke()
	}
	e.mu.Unlock()
}
