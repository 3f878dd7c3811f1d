package node

import (
	"sync"
	"time"

	"parley.link/parley/internal/seat"
)

const (
	// goneAfter is how long a device may be without its socket before the log says it is lost.
	goneAfter = 2 * time.Second
	// returnWithin is the same after the node itself was away: its people come back by themselves, and nobody shall have to join anew.
	returnWithin = 8 * time.Second
)

// presence turns sockets that are gone into lost acts.
type presence struct {
	now   func() time.Time
	start time.Time

	mu   sync.Mutex
	gone map[[32]byte]time.Time
}

func newPresence(now func() time.Time) *presence {
	return &presence{now: now, start: now(), gone: map[[32]byte]time.Time{}}
}

// changed is told by the hub.
func (p *presence) changed(d seat.Device, present bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if present {
		delete(p.gone, d.Key)
		return
	}
	p.gone[d.Key] = p.now()
}

// lost says whether a live device that has no socket has been away too long.
func (p *presence) lost(device [32]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if at, ok := p.gone[device]; ok {
		return now.Sub(at) >= goneAfter
	}
	return now.Sub(p.start) >= returnWithin
}

// sweep looks through the live members of every session.
func (n *Node) sweep() {
	for _, s := range n.scopes.list() {
		for device, join := range s.live() {
			if n.hub.Of(device) == nil && n.presence.lost(device) {
				s.lost(join)
			}
		}
	}
}
