package seat

import (
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// onReport keeps the device's last word about itself, for the node's health page.
func (s *Seat) onReport(r *signalpb.DeviceReport) error {
	if len(r.Hears) > maxTracks {
		return problem.New(problem.TooMany, "what", "tracks")
	}
	for _, t := range r.Hears {
		if len(t) > 64 {
			return problem.New(problem.Malformed, "what", "track")
		}
	}
	s.mu.Lock()
	s.report = r
	s.mu.Unlock()
	return nil
}
