package node

import (
	"log/slog"
	"testing"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/ledger"
)

// A side that is in two sessions sees the track names of both. Announcing in one what somebody announced in the other must not silence
// that person: maps come in any order, so once is not enough to see it.
func TestTrackNameInAnotherSession(t *testing.T) {
	const name = "0123456789012345678901"
	own, other := ledger.Side{1}, ledger.Side{2}
	device, theirs := [32]byte{11}, [32]byte{22}
	m := newMedia(own, slog.New(slog.DiscardHandler))
	m.people[device] = &person{m: m, device: device}
	up := forward.NewUpTrack(name, forward.Audio, forward.Codec{MimeType: "audio/opus"}, nil)
	m.ups[upKey{device, name}] = up
	here, there := ledger.Scope{1}, ledger.Scope{2}
	m.viewed(view{scope: here, version: 1, hears: map[[32]byte]bool{device: true},
		tracks: map[string]announced{name: {scope: here, device: device, side: own, flows: true}}})
	m.viewed(view{scope: there, version: 1, tracks: map[string]announced{name: {scope: there, device: theirs, side: other, flows: true}}})
	for range 64 {
		m.apply()
		if up.Refused() {
			t.Fatal("silenced by another session")
		}
	}
}
