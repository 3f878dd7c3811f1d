package seat

import (
	"sync"
	"time"

	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Hub knows every seat whose device was proved. A device has one seat: the newer socket takes over.
type Hub struct {
	mu    sync.Mutex
	seats map[[32]byte]*Seat
	// Changed is told when an admitted device appears (true) or goes (false).
	changed func(d Device, present bool)

	enrolling *limit.Tiers
	refusals  *limit.Window
	lines     *limit.Tiers // of the security log: devices cost nothing, and it keeps no more than its last lines
}

// NewHub makes an empty hub.
func NewHub(changed func(d Device, present bool)) *Hub {
	return &Hub{seats: map[[32]byte]*Seat{}, changed: changed, enrolling: limit.NewTiers(10, 10*time.Minute), refusals: limit.NewWindow(1, time.Minute), lines: limit.NewTiers(10, time.Minute)}
}

func (h *Hub) add(s *Seat) {
	d := s.Device()
	h.mu.Lock()
	old := h.seats[d.Key]
	h.seats[d.Key] = s
	h.mu.Unlock()
	if old != nil {
		old.End(problem.New(problem.ReplacedByOtherDevice))
	}
	if s.stage == stageAdmitted {
		h.changed(d, true)
	}
}

func (h *Hub) remove(s *Seat) {
	d := s.Device()
	h.mu.Lock()
	mine := h.seats[d.Key] == s
	if mine {
		delete(h.seats, d.Key)
	}
	h.mu.Unlock()
	if mine && s.stage == stageAdmitted {
		h.changed(d, false)
	}
}

// Of is the seat of a device, nil without one.
func (h *Hub) Of(device [32]byte) *Seat {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seats[device]
}

// All are the seats for which keep says yes.
func (h *Hub) All(keep func(Device) bool) []*Seat {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []*Seat
	for _, s := range h.seats {
		if keep(s.Device()) {
			out = append(out, s)
		}
	}
	return out
}

// Tell pushes one frame to every seat for which keep says yes.
func (h *Hub) Tell(m *signalpb.ToClient, keep func(Device) bool) {
	for _, s := range h.All(keep) {
		s.Push(m)
	}
}
