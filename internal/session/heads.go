package session

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
)

// HeadChecks names the node signatures over an entry's head that the caller must verify. The sequencer's must be among them;
// a client also asks for its own node's (HasSig), a node that is about to countersign does not. The entry must be the next one.
func (s *State) HeadChecks(entry []byte, sigs []act.NodeSig) ([]Check, error) {
	st, err := s.step(entry)
	if err != nil {
		return nil, err
	}
	if !HasSig(sigs, st.m.Sequencer) {
		return nil, problem.New(problem.BadSignature, "what", "no-sequencer")
	}
	return headChecks(st.m, HeadAfter(st.m.Scope, st.m.Term, st.m.Next-1, st.m.Hash), sigs, st.at)
}

// HeadAfter is the canonical head over an entry.
func HeadAfter(scope []byte, term, index uint64, hash []byte) []byte {
	return act.Encode(act.Head{Version: act.Version, Scope: scope, Term: term, Index: index, Hash: hash})
}

// HeadSigChecks names the checks of signatures that arrive later over a head of this log: canonical act.Head bytes. It does not
// say whether the head is one of this log; the keeper of the entries compares the hash.
func (s *State) HeadSigChecks(head []byte, sigs []act.NodeSig, at int64) ([]Check, error) {
	return headChecks(s.ordered, head, sigs, at)
}

func headChecks(m *model, head []byte, sigs []act.NodeSig, at int64) ([]Check, error) {
	if len(sigs) > MaxSides {
		return nil, problem.New(problem.TooMany, "what", "signatures")
	}
	var out []Check
	for i, sig := range sigs {
		sd := m.side(sig.Side)
		if sd == nil || len(sig.Sig) != 64 || HasSig(sigs[:i], sig.Side) {
			return nil, problem.New(problem.BadSignature, "what", "head")
		}
		if err := sd.nodeInForce(at); err != nil {
			return nil, err
		}
		st := step{}
		st.check(Ed25519, sd.Node, act.ContextHead, head, sig.Sig, "head", problem.BadSignature)
		out = append(out, st.checks...)
	}
	return out, nil
}

// HasSig says whether a side's signature is among sigs. It verifies nothing.
func HasSig(sigs []act.NodeSig, side []byte) bool {
	for _, s := range sigs {
		if bytes.Equal(s.Side, side) {
			return true
		}
	}
	return false
}
