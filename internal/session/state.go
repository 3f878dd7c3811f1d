package session

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
)

// State is the state of one scope's log. It is owned by one goroutine; Clone for another.
type State struct {
	ordered   *model
	effective *model // == ordered without overlays
	seen      map[act.ID]bool
	order     []byte // the seen act ids in the order of the log
	overlays  []overlay
}

// New is the state before entry 0.
func New(scope [32]byte) *State {
	m := newModel(scope)
	return &State{ordered: m, effective: m, seen: map[act.ID]bool{}}
}

// Clone is an independent copy, overlays included.
func (s *State) Clone() *State {
	c := &State{ordered: s.ordered.clone(), seen: make(map[act.ID]bool, len(s.seen)), order: slices.Clone(s.order), overlays: slices.Clone(s.overlays)}
	for id := range s.seen {
		c.seen[id] = true
	}
	c.settle()
	return c
}

// Checks says whether an entry may be the next one, and which signatures must hold for that. The state does not change.
func (s *State) Checks(entry []byte) ([]Check, error) {
	st, err := s.step(entry)
	if err != nil {
		return nil, err
	}
	return st.checks, nil
}

// Apply makes an entry part of the state. The caller has verified what Checks and HeadChecks named. On an error nothing has
// changed.
func (s *State) Apply(entry []byte) ([]Effect, error) {
	st, err := s.step(entry)
	if err != nil {
		return nil, err
	}
	s.ordered = st.m
	for _, id := range st.ids {
		s.seen[id] = true
		s.order = append(s.order, id[:]...)
	}
	early := s.dropOverlays(st.ids)
	s.settle()
	for i := range st.effects {
		st.effects[i].Early = early
	}
	return st.effects, nil
}

// step runs the rules for an entry on a copy of the ordered state.
func (s *State) step(entry []byte) (*step, error) {
	e, err := decodeEntry(entry)
	if err != nil {
		return nil, err
	}
	m := s.ordered
	if err := chain(m, e); err != nil {
		return nil, err
	}
	st := &step{m: m.clone(), seen: s.seen, at: e.At, term: e.Term}
	switch e.From {
	case act.ItemAct:
		err = st.direct(e.Item)
	case act.ItemOutbox:
		err = st.outbox(e.Item)
	default:
		err = problem.New(problem.Malformed, "field", "from")
	}
	if err != nil {
		return nil, err
	}
	if st.m.Term != e.Term {
		return nil, problem.New(problem.OutOfOrder, "field", "term")
	}
	hash := act.Hash(entry)
	st.m.Next, st.m.Hash, st.m.At = e.Index+1, hash[:], e.At
	return st, nil
}

// chain checks an entry's place: right scope, next index, hash of the entry before, a time not before it.
func chain(m *model, e act.Entry) error {
	switch {
	case !bytes.Equal(e.Scope, m.Scope):
		return problem.New(problem.UnknownSession)
	case e.Index > m.Next:
		return problem.New(problem.Gap)
	case e.Index < m.Next:
		return problem.New(problem.OutOfOrder, "field", "index")
	case !bytes.Equal(e.Prev, m.Hash):
		return problem.New(problem.Forked)
	case e.At < m.At:
		return problem.New(problem.ClockOff)
	}
	return nil
}

// Refuse says whether an act would be refused if it were ordered at the given time (ms); nil is fine. Sequencers ask it
// before they write an entry, nodes before they put a unilateral act in their outbox, clients before they send. It looks at the
// effective state, except for the group, which follows the ordered state only.
func (s *State) Refuse(signed act.Signed, at int64) error {
	a, err := decodeSigned(act.Encode(signed))
	if err != nil {
		return err
	}
	m := s.effective
	if a.Kind == act.KindCommit || a.Kind == act.KindGroupNew {
		if s.effective.phase() == PhaseSuspended && s.ordered.phase() != PhaseSuspended {
			return problem.New(problem.SessionSuspended)
		}
		m = s.ordered
	}
	seen := s.seen
	if len(s.overlays) > 0 {
		for _, o := range s.overlays {
			if o.id == a.id {
				return problem.New(problem.Replayed)
			}
		}
	}
	st := &step{m: m.clone(), seen: seen, at: max(at, m.At), term: m.Term}
	if a.Kind == act.KindTerm {
		st.term = m.Term + 1
	}
	if err := st.quota(a); err != nil {
		return err
	}
	return st.run(a)
}

// snapshot is what Snapshot writes.
type snapshot struct {
	Version int    `cbor:"v"`
	State   model  `cbor:"state"`
	Seen    []byte `cbor:"seen"`
}

// Snapshot is the canonical ordered state. Overlays are not in it: whoever restores puts the items of the outboxes that
// are not ordered on top again.
func (s *State) Snapshot() []byte {
	return canon.Encode(snapshot{Version: 1, State: *s.ordered, Seen: s.order})
}

// Restore reads a snapshot that this node wrote itself.
func Restore(b []byte) (*State, error) {
	var snap snapshot
	if err := canon.DecodeUpTo(b, &snap, MaxSnapshot); err != nil {
		return nil, err
	}
	if snap.Version != 1 || snap.State.Version != 1 || len(snap.Seen)%act.IDSize != 0 || len(snap.State.Scope) != act.ScopeSize {
		return nil, problem.New(problem.WrongVersion, "what", "snapshot")
	}
	s := &State{ordered: &snap.State, seen: map[act.ID]bool{}, order: snap.Seen}
	for i := 0; i < len(snap.Seen); i += act.IDSize {
		s.seen[act.ID(snap.Seen[i:i+act.IDSize])] = true
	}
	s.settle()
	return s, nil
}

// summary is what Summary writes.
type summary struct {
	Ordered   []byte `cbor:"ordered"`   // canonical model
	Effective []byte `cbor:"effective"` // canonical model, empty without overlays
	Seen      []byte `cbor:"seen"`      // SHA-256 of the seen act ids in order
}

// Summary is the canonical whole of the state, for comparing two engines.
func (s *State) Summary() []byte {
	seen := sha256.Sum256(s.order)
	sum := summary{Ordered: canon.Encode(*s.ordered), Seen: seen[:]}
	if len(s.overlays) > 0 {
		sum.Effective = canon.Encode(*s.effective)
	}
	return canon.Encode(sum)
}
