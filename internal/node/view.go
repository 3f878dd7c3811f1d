package node

import (
	"bytes"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
)

// view is what media must know of a session: who announced which track, whether it may flow now, and which own devices hear.
// It is the state in effect, own outbox included: a mute or a revocation stops media before anybody has ordered it.
type view struct {
	scope   ledger.Scope
	version uint64
	tracks  map[string]announced
	hears   map[[32]byte]bool // own devices that are in the session
	peers   map[ledger.Side]bool
}

// announced is one track of the log.
type announced struct {
	scope  ledger.Scope
	device [32]byte
	side   ledger.Side
	flows  bool   // session running, member live, not muted
	stream string // what it is brought together with
}

// view is made with mu held.
func (s *scope) view() view {
	st := s.led.State()
	v := view{scope: s.id, version: s.views, tracks: map[string]announced{}, hears: map[[32]byte]bool{}, peers: map[ledger.Side]bool{}}
	if st.Phase() == session.PhaseClosed || st.Phase() == session.PhaseNone {
		return v
	}
	for _, p := range peersOf(st, s.env.own) {
		v.peers[p] = true
	}
	for _, m := range st.Present() {
		if bytes.Equal(m.Side, s.env.own[:]) {
			v.hears[[32]byte(m.Device)] = true
		}
	}
	for _, t := range st.Tracks() {
		m, ok := st.Member(t.Join)
		if !ok {
			continue
		}
		device := [32]byte(m.Device)
		v.tracks[t.ID] = announced{
			scope: s.id, device: device, side: ledger.Side(m.Side), flows: st.MayPublish(m.Device, t.ID), stream: streamOf(t.Join, t.Source),
		}
	}
	return v
}
