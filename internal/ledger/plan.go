package ledger

import (
	"bytes"
	"encoding/hex"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// Host is what a node is, for all its scopes.
type Host struct {
	Own        Side
	Key        []byte // node key, Ed25519 public
	Delegation []byte // canonical ident.DelegationKey of the own side
	Config            // Sign, Verify and Nonce; Scope, Own and Key are filled in per scope
	// Known tells of the link with a side: the node key that its card pins, nil without a card, and whether a person compared
	// the card's fingerprint.
	Known func(Side) (nodeKey []byte, verified bool)
}

// MaxPlanned bounds the sessions that one side has planned here and nobody agreed to yet. A plan counts until a week after it would have
// ended: a side that nobody answers may plan again, and one that plans without end gets 16 logs a week.
const (
	MaxPlanned  = 16
	plannedStay = 7 * 24 * 60 * 60 * 1000
)

// Admit says whether a plan that a side brings, in a forwarded act or as entry 0, may start a log on this node: CheckPlan, and the side must
// be in the plan and below its quota. planned counts the logs here that a side planned and nobody agreed to (Planned). Refused
// plans leave nothing behind.
func (h Host) Admit(from Side, scope Scope, signed []byte, planned func(Side) int) error {
	p, plan, err := planOf(signed)
	if err != nil {
		return err
	}
	if Scope(p.Scope) != scope {
		return problem.New(problem.UnknownSession)
	}
	if err := h.CheckPlan(plan); err != nil {
		return err
	}
	brings, proposes := false, false
	for _, s := range plan.Sides {
		brings = brings || Side(s.ID) == from
		proposes = proposes || bytes.Equal(s.ID, p.Side)
	}
	if !brings || !proposes {
		return problem.New(problem.NotYours)
	}
	// The proposer's quota, whoever carries the plan: the officer's signature is checked before anything is kept.
	if planned(Side(p.Side)) >= MaxPlanned {
		return problem.New(problem.TooMany, "what", "plans")
	}
	return nil
}

// Planned is the side that planned this session, as long as the plan counts for its quota.
func (l *Ledger) Planned(now int64) (Side, bool) {
	ps := l.state.Proposals()
	if plan, ok := l.state.Plan(); ok && l.state.Phase() == session.PhasePlanned && len(ps) > 0 && plan.Until+plannedStay > now {
		return Side(ps[0].Side), true
	}
	return Side{}, false
}

// CheckPlan says whether a plan may start a log on this node. A plan carries every side's chain and is checked by the rules;
// but the rules only know what the plan says. Here it is held against what this node knows: its own side must be named with
// its own true delegation key and node, and every other side must be one with a verified link whose pinned keys are the
// plan's: the node's, and the delegation's, whose hash is the side's id. Otherwise a peer could seat a stranger under a name that
// people here trust.
func (h Host) CheckPlan(p act.Plan) error {
	own := false
	for _, s := range p.Sides {
		if len(s.ID) != act.IDSize {
			return problem.New(problem.PlanInvalid, "field", "sides")
		}
		if d, err := ident.Decode[ident.DelegationKey](s.Delegation); err != nil || ident.SideID(d) != Side(s.ID) {
			return problem.New(problem.PlanInvalid, "field", "delegation")
		}
		key, err := planNode(s)
		if err != nil {
			return err
		}
		if Side(s.ID) == h.Own {
			if !bytes.Equal(s.Delegation, h.Delegation) || !bytes.Equal(key, h.Key) {
				return problem.New(problem.PlanInvalid, "field", "own-side")
			}
			own = true
			continue
		}
		switch pinned, verified := h.Known(Side(s.ID)); {
		case pinned == nil:
			return problem.New(problem.LinkUnknownKey, "side", hex.EncodeToString(s.ID))
		case !bytes.Equal(pinned, key):
			return problem.New(problem.LinkSwappedKey, "side", hex.EncodeToString(s.ID))
		case !verified:
			return problem.New(problem.LinkNotVerified, "side", hex.EncodeToString(s.ID))
		}
	}
	if !own {
		return problem.New(problem.PlanInvalid, "field", "own-side")
	}
	return nil
}

// planNode is the node key in a plan side's certificate. The delegation's signature over it is the rules' to check.
func planNode(s act.PlanSide) ([]byte, error) {
	cert, _, err := ident.Open[ident.NodeCert](s.Node)
	if err != nil || !bytes.Equal(cert.Side, s.ID) {
		return nil, problem.New(problem.PlanInvalid, "field", "node")
	}
	return cert.Key, nil
}

// planOf reads the plan that could start a scope: from an act, or from entry 0.
func planOf(signed []byte) (parsed, act.Plan, error) {
	var plan act.Plan
	p, err := parse(signed)
	if err != nil {
		return p, plan, err
	}
	if p.Kind != act.KindPlan {
		return p, plan, problem.New(problem.UnknownSession)
	}
	if canon.Decode(p.Body, &plan) != nil {
		return p, plan, problem.New(problem.PlanInvalid)
	}
	return p, plan, nil
}
