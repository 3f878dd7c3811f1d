package seat

import (
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// MaxRelay bounds the payload of a relayed note, in bytes.
const MaxRelay = 4 << 10

// RelayKinds are the notes that members send each other through the nodes.
var RelayKinds = map[string]bool{"ready": true, "attest": true}

// onRelay fills in who says it: a device cannot speak as another.
func (s *Seat) onRelay(r *signalpb.Relay) error {
	scope, err := scopeOf(r.Scope)
	if err != nil {
		return err
	}
	if len(r.Payload) > MaxRelay {
		return problem.New(problem.TooLarge, "what", "relay")
	}
	if !RelayKinds[r.Kind] {
		return problem.New(problem.Malformed, "what", "relay")
	}
	if !s.relays.AllowN(s.cfg.Now(), 1) {
		return problem.New(problem.TooMany, "what", "relays")
	}
	d := s.Device()
	return s.cfg.Sessions.Relay(d, scope, &signalpb.Relay{
		Scope: scope[:], Side: s.cfg.Greeting().Side.Id, Device: d.Key[:], Kind: r.Kind, Payload: r.Payload,
	})
}
