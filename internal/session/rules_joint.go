package session

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
)

// Joint acts are proposals. The author's side consents by proposing; the act is in effect when an officer of every side has.

// propose records a proposal with its author's consent.
func (s *step) propose(a decoded, seat act.Seat, until int64) error {
	made, open := 0, 0
	for _, p := range s.m.Proposals {
		if !bytes.Equal(p.Side, a.Side) {
			continue
		}
		made++
		if !p.Done && !s.m.lapsed(p, s.at) {
			open++
		}
	}
	if open >= MaxOpen || made >= MaxProposals {
		return problem.New(problem.TooMany, "what", "proposals")
	}
	s.m.Proposals = append(s.m.Proposals, Proposal{
		ID: a.id[:], Kind: a.Kind, Side: a.Side, Key: a.Key, Index: s.m.Next, At: s.at, Consents: [][]byte{a.Side}, Seat: seat, Until: until,
	})
	s.effect(Effect{Kind: EffectProposed, Act: a.id, Side: a.Side})
	return nil
}

// consent agrees to a proposal for the author's side.
func (s *step) consent(a decoded) error {
	c, err := body[act.Consent](a)
	if err != nil {
		return err
	}
	if err := s.officer(a); err != nil {
		return err
	}
	if s.m.Closed {
		return problem.New(problem.SessionClosed)
	}
	i := slices.IndexFunc(s.m.Proposals, func(p Proposal) bool { return bytes.Equal(p.ID, c.To) })
	if i < 0 {
		return problem.New(problem.NoSuchProposal)
	}
	p := &s.m.Proposals[i]
	if p.Done || slices.ContainsFunc(p.Consents, func(id []byte) bool { return bytes.Equal(id, a.Side) }) {
		return problem.New(problem.AlreadyDone)
	}
	if s.m.lapsed(*p, s.at) {
		return problem.New(problem.ProposalLapsed)
	}
	if err := s.mayConsent(*p); err != nil {
		return err
	}
	p.Consents = append(slices.Clone(p.Consents), a.Side)
	s.effect(Effect{Kind: EffectConsented, Act: act.ID(p.ID), Side: a.Side})
	if len(p.Consents) < len(s.m.Sides) {
		return nil
	}
	p.Done = true
	return s.enact(*p)
}

// mayConsent refuses consent that the state of the link forbids. While a link is lost nobody new is admitted; and a resume
// does not lift a loss that its proposer had not seen.
func (s *step) mayConsent(p Proposal) error {
	switch p.Kind {
	case act.KindAdmit:
		if s.m.linkLost() {
			return problem.New(problem.SessionSuspended)
		}
	case act.KindResume:
		if slices.ContainsFunc(s.m.Suspensions, func(x Suspension) bool { return x.Reason == act.ReasonLinkLost && x.Index > p.Index }) {
			return problem.New(problem.SessionSuspended)
		}
	}
	return nil
}

// enact puts a proposal that every side consented to in effect.
func (s *step) enact(p Proposal) error {
	id := act.ID(p.ID)
	switch p.Kind {
	case act.KindPlan:
		s.m.Agreed = true
		s.effect(Effect{Kind: EffectAgreed, Act: id, Side: p.Side})
	case act.KindAdmit:
		if err := s.takeSeat(p.Seat); err != nil {
			return err
		}
		s.effect(Effect{Kind: EffectAdmitted, Act: id, Side: p.Seat.Side})
	case act.KindResume:
		s.m.Suspensions = slices.DeleteFunc(s.m.Suspensions, func(x Suspension) bool { return x.Index < p.Index })
		if len(s.m.Suspensions) == 0 {
			s.overtake(act.KindResume)
		}
		s.effect(Effect{Kind: EffectResumed, Act: id, Side: p.Side})
	case act.KindExtend:
		s.m.Until = p.Until
		for i := range s.m.Proposals { // those for an earlier end have lost their object: none may shorten the time
			if q := &s.m.Proposals[i]; q.Kind == act.KindExtend && q.Until <= p.Until {
				q.Done = true
			}
		}
		s.effect(Effect{Kind: EffectExtended, Act: id, Side: p.Side})
	case act.KindClose:
		s.m.Closed = true
		for _, k := range []act.Kind{act.KindAdmit, act.KindResume, act.KindExtend, act.KindClose} {
			s.overtake(k)
		}
		for i := range s.m.Members {
			s.m.Members[i].KeyPackage = nil
		}
		s.effect(Effect{Kind: EffectClosed, Act: id, Side: p.Side})
	}
	return nil
}

// overtake ends the open proposals of a kind that have lost their object.
func (s *step) overtake(k act.Kind) {
	for i := range s.m.Proposals {
		if s.m.Proposals[i].Kind == k {
			s.m.Proposals[i].Done = true
		}
	}
}

// admit proposes one more seat of the author's own side.
func (s *step) admit(a decoded) error {
	b, err := byOfficer[act.Admit](s, a)
	if err != nil {
		return err
	}
	switch {
	case s.m.linkLost():
		return problem.New(problem.SessionSuspended)
	case s.m.over(s.at):
		return problem.New(problem.TimeOver)
	case !bytes.Equal(b.Seat.Side, a.Side):
		return problem.New(problem.NotYours)
	case b.Format != s.m.Format:
		return invalid("format")
	}
	// The seat is tried on a copy: it is taken when every side has consented.
	probe := step{m: s.m.clone()}
	if err := probe.takeSeat(b.Seat); err != nil {
		return err
	}
	return s.propose(a, b.Seat, 0)
}

// resume proposes to go on after the suspensions ordered so far.
func (s *step) resume(a decoded) error {
	if _, err := byOfficer[act.Resume](s, a); err != nil {
		return err
	}
	if s.m.phase() != PhaseSuspended {
		return problem.New(problem.AlreadyDone)
	}
	return s.propose(a, act.Seat{}, 0)
}

// extend proposes a later end of the session's time. It is possible after the end, too: talks that overrun are the rule.
func (s *step) extend(a decoded) error {
	b, err := byOfficer[act.Extend](s, a)
	if err != nil {
		return err
	}
	switch {
	case b.Until > maxInt, b.Until <= s.at:
		return invalid("until")
	case b.Until <= s.m.Until:
		return problem.New(problem.AlreadyDone)
	}
	return s.propose(a, act.Seat{}, b.Until)
}

// close proposes to end the session.
func (s *step) close(a decoded) error {
	if _, err := byOfficer[act.Close](s, a); err != nil {
		return err
	}
	return s.propose(a, act.Seat{}, 0)
}
