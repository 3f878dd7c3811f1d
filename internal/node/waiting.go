package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"

	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/store"
)

// Enrolments that wait at once: of all, and of one network (limit.Scaled for wider ones). A stranger can make as many devices as it likes, and
// the officers' list is where people look for somebody who stands before them: a flood must not push that one out.
const (
	maxPending     = 64
	pendingOfEach  = 8
	enrolmentGone  = "lapsed" // what a device is told whose request made room; it may ask again
	networkUnknown = ""       // of requests from before this start
)

// makeRoom lets requests go until one more from an address fits: first within its own networks, then of the network that has most. Called
// with mu held.
func (p *people) makeRoom(ctx context.Context, from netip.Addr) error {
	waiting, err := p.store.Enrolments(ctx, store.EnrolmentWaiting)
	if err != nil {
		return err
	}
	p.forgetNetworks(waiting)
	networks := limit.Networks(from)
	for level, network := range networks {
		for {
			same := p.ofNetwork(waiting, level, network)
			if len(same) < limit.Scaled(pendingOfEach, level) {
				break
			}
			if waiting, err = p.lapse(ctx, waiting, same); err != nil {
				return err
			}
		}
	}
	for len(waiting) >= maxPending {
		if waiting, err = p.lapse(ctx, waiting, p.crowd(waiting)); err != nil {
			return err
		}
	}
	return nil
}

// lapse lets one of some go: the oldest whose device is not there any more, else the oldest.
func (p *people) lapse(ctx context.Context, waiting, some []store.Enrolment) ([]store.Enrolment, error) {
	gone := some[0]
	for _, e := range some {
		if p.hub.Of([32]byte(e.Device)) == nil {
			gone = e
			break
		}
	}
	if err := p.store.DeleteEnrolment(ctx, gone.ID); err != nil {
		return nil, fmt.Errorf("let an enrolment go: %w", err)
	}
	delete(p.asking, [32]byte(gone.Device))
	if s := p.hub.Of([32]byte(gone.Device)); s != nil {
		s.Push(seat.EnrolmentState(store.Enrolment{ID: gone.ID, State: enrolmentGone}))
	}
	p.note("enrolment-lapsed", "", "device "+seat.Device{Key: [32]byte(gone.Device)}.Short()+" made room for another")
	left := make([]store.Enrolment, 0, len(waiting))
	for _, e := range waiting {
		if e.ID != gone.ID {
			left = append(left, e)
		}
	}
	return left, nil
}

func (p *people) ofNetwork(waiting []store.Enrolment, level int, network string) (same []store.Enrolment) {
	for _, e := range waiting {
		if n, known := p.asking[[32]byte(e.Device)]; known && n[level] == network {
			same = append(same, e)
		}
	}
	return same
}

// crowd is the requests of the widest network that has most.
func (p *people) crowd(waiting []store.Enrolment) (most []store.Enrolment) {
	by := map[string][]store.Enrolment{}
	for _, e := range waiting {
		network := networkUnknown
		if n, known := p.asking[[32]byte(e.Device)]; known {
			network = n[limit.Levels-1]
		}
		by[network] = append(by[network], e)
	}
	for _, same := range by {
		if len(same) > len(most) || len(same) == len(most) && order(same[0]) < order(most[0]) {
			most = same
		}
	}
	return most
}

func order(e store.Enrolment) uint64 {
	return uint64(e.Since)<<8 | uint64(binary.BigEndian.Uint16(e.ID[:]))>>8
}

// forgetNetworks drops what is known of devices that no longer wait.
func (p *people) forgetNetworks(waiting []store.Enrolment) {
	still := map[[32]byte]bool{}
	for _, e := range waiting {
		still[[32]byte(e.Device)] = true
	}
	for device := range p.asking {
		if !still[device] {
			delete(p.asking, device)
		}
	}
}
