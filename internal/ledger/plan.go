package ledger

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
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

// maxPlanned bounds the sessions that one side has planned here and nobody agreed to yet.
const maxPlanned = 16

// CheckPlan says whether a plan may start a log on this node. A plan carries every side's chain and is checked by the rules;
// but the rules only know what the plan says. Here it is held against what this node knows: its own side must be named with
// its own true delegation key and node, and every other side must be one with a verified link whose pinned node key is
// the plan's. Otherwise a peer could seat a stranger under a name that people here trust.
func (h Host) CheckPlan(p act.Plan) error {
	own := false
	for _, s := range p.Sides {
		if len(s.ID) != act.IDSize {
			return problem.New(problem.PlanInvalid, "field", "sides")
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
			return problem.New(problem.LinkUnknownKey)
		case !bytes.Equal(pinned, key):
			return problem.New(problem.LinkSwappedKey)
		case !verified:
			return problem.New(problem.LinkNotVerified)
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
