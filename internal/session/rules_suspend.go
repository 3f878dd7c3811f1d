package session

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

// suspend stops the session at once. Officers suspend for reasons of their own, nodes for what they observe.
func (s *step) suspend(a decoded) error {
	b, err := body[act.Suspend](a)
	if err != nil {
		return err
	}
	sd := s.m.side(a.Side)
	node := bytes.Equal(sd.Node, a.Key)
	if !node {
		if err := s.officer(a); err != nil {
			return err
		}
	}
	if err := s.inForce(); err != nil {
		return err
	}
	switch {
	case !isReason(b.Reason), node == (b.Reason == act.ReasonOfficer):
		return problem.New(problem.Malformed, "what", "reason")
	case len(b.Of) != 0 && s.m.side(b.Of) == nil:
		return problem.New(problem.Malformed, "what", "of")
	case count(s.m.Suspensions, func(x Suspension) []byte { return x.Side }, a.Side) >= MaxSuspensions:
		return problem.New(problem.TooMany, "what", "suspensions")
	}
	s.m.Suspensions = append(s.m.Suspensions, Suspension{
		ID: a.id[:], Side: a.Side, Key: a.Key, Node: node, Reason: b.Reason, Of: b.Of, Index: s.m.Next, At: s.at,
	})
	s.effect(Effect{Kind: EffectSuspended, Act: a.id, Side: a.Side})
	return nil
}

func isReason(r string) bool {
	return r == act.ReasonOfficer || r == act.ReasonLinkLost || r == act.ReasonFork || r == act.ReasonHeldBack || r == act.ReasonClock
}

// newTerm names a new sequencer after an exact point of the log. Two nodes cannot elect; only an officer of every side, each
// signing the same point, can. The signatures of the others ride along.
func (s *step) newTerm(a decoded) error {
	b, err := byOfficer[act.Term](s, a)
	if err != nil {
		return err
	}
	switch {
	case b.Term != s.m.Term+1, s.term != b.Term:
		return problem.New(problem.OutOfOrder, "field", "term")
	case b.After+1 != s.m.Next, !bytes.Equal(b.Hash, s.m.Hash):
		return problem.New(problem.Forked)
	case s.m.side(b.Sequencer) == nil:
		return problem.New(problem.NotYours)
	case len(b.Others) > MaxSides:
		return problem.New(problem.TooMany, "what", "others")
	}
	consents := [][]byte{a.Side}
	for _, raw := range b.Others {
		id, err := s.otherTerm(raw, b)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(consents, func(c []byte) bool { return bytes.Equal(c, id) }) {
			return problem.New(problem.AlreadyDone)
		}
		consents = append(consents, id)
	}
	if len(consents) != len(s.m.Sides) {
		return problem.New(problem.NotInForce, "what", "term")
	}
	s.m.Term, s.m.Sequencer = b.Term, b.Sequencer
	s.effect(Effect{Kind: EffectTerm, Act: a.id, Side: b.Sequencer})
	return nil
}

// otherTerm checks the same statement by another side's officer.
func (s *step) otherTerm(raw []byte, want act.Term) ([]byte, error) {
	o, err := decodeSigned(raw)
	if err != nil {
		return nil, err
	}
	if o.Kind != act.KindTerm || !bytes.Equal(o.Scope, s.m.Scope) {
		return nil, problem.New(problem.Malformed, "what", "others")
	}
	if s.seen[o.id] {
		return nil, problem.New(problem.Replayed)
	}
	s.check(Ed25519, o.Key, act.ContextAct, o.raw, o.sig, "act", problem.BadSignature)
	if err := s.officer(o); err != nil {
		return nil, err
	}
	b, err := body[act.Term](o)
	if err != nil {
		return nil, err
	}
	if b.Term != want.Term || b.After != want.After || !bytes.Equal(b.Hash, want.Hash) || !bytes.Equal(b.Sequencer, want.Sequencer) || len(b.Others) != 0 {
		return nil, problem.New(problem.Malformed, "what", "others")
	}
	s.ids = append(s.ids, o.id)
	return o.Side, nil
}

// nodeInForce says whether a side's node certificate is in force.
func (sd *side) nodeInForce(at int64) error { return ident.InForce(sd.From, sd.Until, at) }
