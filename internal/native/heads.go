package native

import (
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// countersignWithin is how long a node may keep its countersignature back before removals are not waited for any more (keys.md).
const countersignWithin = 3 * time.Second

// held is what is kept of an entry that was applied: what a second one at its place is compared with, and since when nodes owe a signature.
type held struct {
	hash [32]byte
	came time.Time
}

// keep notes an entry that was just applied.
func (l *Log) keep(entry []byte, sigs []act.NodeSig) {
	l.held = append(l.held, held{act.Hash(entry), time.Now()})
	for _, s := range sigs {
		l.countersigned(s.Side, uint64(len(l.held)))
	}
}

// countersigned notes how many entries a side's node has signed.
func (l *Log) countersigned(side []byte, entries uint64) {
	if l.signed == nil {
		l.signed = map[string]uint64{}
	}
	l.signed[string(side)] = max(l.signed[string(side)], entries)
}

// again takes an entry at a known place: the known one, with more signatures perhaps, or the proof that its signer shows two logs.
func (l *Log) again(raw act.Entry, entry []byte, sigs []act.NodeSig) error {
	hash := act.Hash(entry)
	scope := l.State.Scope()
	if err := l.verifyHead(session.HeadAfter(scope[:], raw.Term, raw.Index, hash[:]), sigs, raw.At); err != nil {
		return err
	}
	switch {
	case len(sigs) == 0:
		return problem.New(problem.BadSignature, "what", "head")
	case hash != l.held[raw.Index].hash:
		return problem.New(problem.Forked)
	}
	for _, s := range sigs {
		l.countersigned(s.Side, raw.Index+1)
	}
	return nil
}

// Heads takes countersignatures that came after their entries.
func (l *Log) Heads(heads []*signalpb.Head) error {
	scope := l.State.Scope()
	for _, x := range heads {
		var h act.Head
		if canon.Decode(x.Head, &h) != nil || string(h.Scope) != string(scope[:]) || len(h.Hash) != act.IDSize {
			return problem.New(problem.Malformed, "what", "head")
		}
		if err := l.verifyHead(x.Head, []act.NodeSig{{Side: x.Side, Sig: x.Signature}}, l.State.Time()); err != nil {
			return err
		}
		if h.Index >= l.Next() {
			continue // its entry will come with its own signatures
		}
		if [32]byte(h.Hash) != l.held[h.Index].hash {
			return problem.New(problem.Forked)
		}
		l.countersigned(x.Side, h.Index+1)
	}
	return nil
}

func (l *Log) verifyHead(head []byte, sigs []act.NodeSig, at int64) error {
	checks, err := l.State.HeadSigChecks(head, sigs, at)
	if err != nil {
		return err
	}
	return session.Verify(checks)
}

// unsigned says whether a node of the plan keeps its countersignature back.
func (l *Log) unsigned(now time.Time) bool {
	plan, ok := l.State.Plan()
	if !ok {
		return false
	}
	for _, sd := range plan.Sides {
		if n := l.signed[string(sd.ID)]; n < uint64(len(l.held)) && now.Sub(l.held[n].came) >= countersignWithin {
			return true
		}
	}
	return false
}
