package link

import (
	"time"

	"parley.link/parley/internal/problem"
)

// State of a link.
type State string

const (
	StateUnknown     State = "unknown" // no such peer
	StateNotVerified State = "not-verified"
	StateDown        State = "down"
	StateUp          State = "up"
)

// Status of the link with one side.
type Status struct {
	State    State
	Since    time.Time
	RTT      time.Duration // smoothed, of the carrier; 0 when down
	How      string        // how and when the peer was verified
	Problem  problem.Code  // why it is down, if known
	Carriers uint64        // so far; more than one without a Down is a re-key
	Dialled  bool          // by us
}

// Status tells how the link with a side stands.
func (e *Endpoint) Status(side [32]byte) Status {
	e.mu.Lock()
	p := e.peers[side]
	if p == nil {
		e.mu.Unlock()
		return Status{State: StateUnknown}
	}
	s := Status{State: StateDown, Since: p.since, How: p.cfg.How, Problem: p.problem, Carriers: p.carriers}
	c := p.current
	switch {
	case p.up:
		s.State = StateUp
	case !p.cfg.Verified:
		s.State = StateNotVerified
	}
	e.mu.Unlock()
	if c != nil {
		s.RTT, s.Dialled = c.conn.ConnectionStats().SmoothedRTT, c.dialled
	}
	return s
}

// Media is the media plane of the link with a side; nil for an unknown side. It stays the same while the peer is configured.
func (e *Endpoint) Media(side [32]byte) *Media {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[side]; p != nil {
		return p.media
	}
	return nil
}
