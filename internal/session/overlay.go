package session

import (
	"bytes"
	"crypto/sha256"
	"sort"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
)

// overlay is an outbox item in effect before it is ordered.
type overlay struct {
	id   act.ID
	side []byte
	seq  uint64
	item []byte // canonical SignedOutbox
	hash [32]byte
	at   int64
}

// OverlayChecks says whether an item fits its node's chain and its author may write it, and which signatures must hold.
func (s *State) OverlayChecks(item act.SignedOutbox) ([]Check, error) {
	_, checks, err := s.overlay(item)
	return checks, err
}

// Overlay puts an outbox item in effect that is not yet ordered. Items of one side come in the order of their chain; those of
// several sides in any order, with the same result. An item that is ordered or overlaid already changes nothing. The plan must be
// there first: a client is given the log before the outbox.
func (s *State) Overlay(item act.SignedOutbox) error {
	o, _, err := s.overlay(item)
	if err != nil || o == nil {
		return err
	}
	s.overlays = append(s.overlays, *o)
	sort.SliceStable(s.overlays, func(i, j int) bool {
		a, b := s.overlays[i], s.overlays[j]
		if c := bytes.Compare(a.side, b.side); c != 0 {
			return c < 0
		}
		return a.seq < b.seq
	})
	s.settle()
	return nil
}

// overlay checks an item against the effective state and changes nothing; a nil overlay with a nil error is an item already known.
func (s *State) overlay(signed act.SignedOutbox) (*overlay, []Check, error) {
	raw := act.Encode(signed)
	o, _, err := decodeOutbox(raw)
	if err != nil {
		return nil, nil, err
	}
	hash := sha256.Sum256(signed.Item)
	if sd := s.ordered.side(o.Side); sd != nil && o.Seq < sd.OutSeq {
		return nil, nil, nil
	}
	for _, k := range s.overlays {
		if bytes.Equal(k.side, o.Side) && k.seq == o.Seq {
			if k.hash != hash {
				return nil, nil, problem.New(problem.Forked)
			}
			return nil, nil, nil
		}
	}
	st := &step{m: s.effective.clone(), seen: s.seen, at: max(o.At, s.effective.At), term: s.ordered.Term}
	if err := st.outbox(raw); err != nil {
		return nil, nil, err
	}
	a, err := decodeSigned(o.Act)
	if err != nil {
		return nil, nil, err
	}
	return &overlay{id: a.id, side: o.Side, seq: o.Seq, item: raw, hash: hash, at: o.At}, st.checks, nil
}

// settle makes the effective state anew: the ordered state and every overlay on top.
func (s *State) settle() {
	s.effective = s.ordered
	for _, o := range s.overlays {
		st := &step{m: s.effective.clone(), seen: s.seen, at: max(o.at, s.ordered.At), term: s.ordered.Term}
		if st.outbox(o.item) == nil {
			s.effective = st.m
		}
	}
}

// dropOverlays removes the overlays that are ordered now, and says whether the entry's act was one.
func (s *State) dropOverlays(ids []act.ID) bool {
	early := false
	kept := s.overlays[:0:0]
	for _, o := range s.overlays {
		sd := s.ordered.side(o.side)
		for _, id := range ids {
			early = early || o.id == id
		}
		if o.seq >= sd.OutSeq {
			kept = append(kept, o)
		}
	}
	s.overlays = kept
	return early
}
