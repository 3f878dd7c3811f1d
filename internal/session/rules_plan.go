package session

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

func invalid(field string) error { return problem.New(problem.PlanInvalid, "field", field) }

// plan is entry 0. It carries each side's whole chain, so that a log can be checked with nothing but itself and the delegation
// keys that people compared by hand.
func (s *step) plan(a decoded) error {
	p, err := body[act.Plan](a)
	if err != nil {
		return err
	}
	if err := planFields(p); err != nil {
		return err
	}
	if p.Until <= s.at {
		return invalid("until")
	}
	for _, ps := range p.Sides {
		sd, err := s.planSide(ps)
		if err != nil {
			return err
		}
		s.m.Sides = append(s.m.Sides, sd)
	}
	if s.m.side(p.Sequencer) == nil {
		return invalid("sequencer")
	}
	for _, seat := range p.Format.Seats {
		if err := s.takeSeat(seat); err != nil {
			return err
		}
	}
	if err := s.officer(a); err != nil {
		return err
	}
	s.m.Plan, s.m.Format, s.m.Sequencer, s.m.Until = a.Body, p.Format.ID, p.Sequencer, p.Until
	return s.propose(a, act.Seat{}, 0)
}

func planFields(p act.Plan) error {
	switch {
	case p.Profile != act.Profile:
		return invalid("profile")
	case p.Recording != "none":
		return invalid("recording")
	case !isStatus(p.Status):
		return invalid("status")
	case ident.Texts(p.Title, ident.MaxText) != nil:
		return invalid("title")
	case !ident.IsID(p.Format.ID), ident.Texts(p.Format.Name, ident.MaxText) != nil:
		return invalid("format")
	case p.From < 0, p.From >= p.Until, p.Until > maxInt:
		return invalid("until")
	case len(p.Sides) < MinSides, len(p.Sides) > MaxSides:
		return invalid("sides")
	case len(p.Format.Seats) == 0, len(p.Format.Seats) > MaxSeats:
		return invalid("seats")
	}
	return nil
}

func isStatus(status string) bool {
	return status == "formal" || status == "informal" || status == "without-prejudice" || status == "test"
}

// planSide checks one side's chain. Its signatures become checks: node and both officers, each by both algorithms.
func (s *step) planSide(p act.PlanSide) (side, error) {
	var sd side
	key, err := ident.Decode[ident.DelegationKey](p.Delegation)
	if err != nil {
		return sd, invalid("delegation")
	}
	if id := ident.SideID(key); !bytes.Equal(id[:], p.ID) || s.m.side(p.ID) != nil {
		return sd, invalid("side-id")
	}
	if ident.Texts(p.Name, ident.MaxText) != nil || !ident.IsLanguage(p.Language) {
		return sd, invalid("side-name")
	}
	if !ident.IsZone(p.Zone) {
		return sd, invalid("zone")
	}
	node, signed, err := ident.Open[ident.NodeCert](p.Node)
	if err != nil || !bytes.Equal(node.Side, p.ID) || ident.InForce(node.From, node.Until, s.at) != nil {
		return sd, invalid("node-cert")
	}
	s.rooted(key, signed, ident.ContextNode, "node-cert")
	sd = side{ID: p.ID, Node: node.Key, From: node.From, Until: node.Until, OutPrev: make([]byte, 32)}
	if len(p.Officers) != 2 {
		return sd, invalid("officers")
	}
	for _, raw := range p.Officers {
		o, signed, err := ident.Open[ident.OfficerCert](raw)
		if err != nil || !bytes.Equal(o.Side, p.ID) || ident.InForce(o.From, o.Until, s.at) != nil || sd.officer(o.Device) != nil {
			return sd, invalid("officers")
		}
		s.rooted(key, signed, ident.ContextOfficer, "officer-cert")
		sd.Officers = append(sd.Officers, officer{Person: o.Person, Name: o.Name, Device: o.Device, From: o.From, Until: o.Until})
	}
	// One key in two places would let one side speak for another, or a node consent for its officers.
	for _, k := range [][]byte{sd.Node, sd.Officers[0].Device, sd.Officers[1].Device} {
		if s.m.sideOf(k) != nil {
			return sd, invalid("key-twice")
		}
	}
	if sd.officer(sd.Node) != nil {
		return sd, invalid("key-twice")
	}
	return sd, nil
}

// rooted adds both checks of a delegation key's signature.
func (s *step) rooted(k ident.DelegationKey, signed ident.Signed, context, what string) {
	s.check(Ed25519, k.Ed25519, context, signed.Body, signed.Ed25519, what, problem.AccreditationAltered)
	s.check(MLDSA65, k.MLDSA65, context, signed.Body, signed.MLDSA65, what, problem.AccreditationAltered)
}

// takeSeat adds a seat of a plan or an admit.
func (s *step) takeSeat(seat act.Seat) error {
	switch {
	case s.m.side(seat.Side) == nil, !ident.IsID(seat.Person), !ident.IsRole(seat.Role):
		return invalid("seat")
	case s.m.seat(seat.Side, seat.Person) != nil:
		return problem.New(problem.AlreadyDone, "what", "seat")
	case len(s.m.Seats) >= MaxSeats:
		return problem.New(problem.TooMany, "what", "seats")
	}
	s.m.Seats = append(s.m.Seats, seat)
	return nil
}

// sideOf finds the side whose node, officer or member has the key.
func (m *model) sideOf(key []byte) *side {
	for i := range m.Sides {
		sd := &m.Sides[i]
		if bytes.Equal(sd.Node, key) || sd.officer(key) != nil {
			return sd
		}
	}
	for i := range m.Members {
		if bytes.Equal(m.Members[i].Device, key) {
			return m.side(m.Members[i].Side)
		}
	}
	return nil
}
