package session

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
)

// The log orders MLS commits and keeps the leaf indices; it never parses MLS bytes (package mlsframe and the clients do) and
// never holds a key. Its claims about leaves are what every client enforces against the real commit.

// groupNew founds a group when no live member holds one.
func (s *step) groupNew(a decoded) error {
	b, err := body[act.GroupNew](a)
	if err != nil {
		return err
	}
	if err := s.running(); err != nil {
		return err
	}
	j, err := s.author(a)
	if err != nil {
		return err
	}
	switch {
	case len(b.Group) != 32:
		return problem.New(problem.Malformed, "what", "group")
	case !bytes.Equal(b.Join, j.Join):
		return problem.New(problem.NotYours)
	case s.m.liveLeaves() > 0:
		return problem.New(problem.AlreadyDone)
	case slices.ContainsFunc(s.m.Groups, func(id []byte) bool { return bytes.Equal(id, b.Group) }):
		return problem.New(problem.Replayed)
	case s.m.side(a.Side).Groups >= MaxGroups:
		return problem.New(problem.TooMany, "what", "groups")
	}
	s.m.Groups = append(s.m.Groups, b.Group)
	s.m.side(a.Side).Groups++
	s.m.Group = GroupView{ID: b.Group, Founder: j.Join, Leaves: [][]byte{j.Join}}
	j.KeyPackage, j.Since = nil, 0
	s.effect(Effect{Kind: EffectGroup, Act: a.id, Side: a.Side, Join: j.Join})
	return nil
}

// commit moves the group to its next epoch. It must remove everybody who has to go: a committer that left a removed person
// in would let that person read on.
func (s *step) commit(a decoded) error {
	b, err := body[act.Commit](a)
	if err != nil {
		return err
	}
	if err := s.inForce(); err != nil {
		return err
	}
	if s.m.linkLost() || s.m.phase() == PhaseSuspended && len(b.Adds) > 0 {
		return problem.New(problem.SessionSuspended)
	}
	j, err := s.author(a)
	if err != nil {
		return err
	}
	switch {
	case len(s.m.Group.ID) == 0, !bytes.Equal(b.Group, s.m.Group.ID), b.Epoch != s.m.Group.Epoch:
		return problem.New(problem.StaleEpoch)
	case s.m.leaf(j.Join) < 0:
		return problem.New(problem.NotCommitter)
	case len(b.Message) == 0, len(b.Message) > MaxCommit, len(b.Welcome) > MaxCommit, (len(b.Adds) > 0) != (len(b.Welcome) > 0):
		return problem.New(problem.CommitClaims)
	}
	if err := s.removeLeaves(b.Removes); err != nil {
		return err
	}
	if err := s.addLeaves(b.Adds); err != nil {
		return err
	}
	s.m.Group.Epoch++
	s.effect(Effect{Kind: EffectEpoch, Act: a.id, Side: a.Side, Join: j.Join})
	return nil
}

// removeLeaves blanks the removed leaves and truncates the tree (RFC 9420 §7.8, §12.1.3).
func (s *step) removeLeaves(removes []uint32) error {
	pending := s.m.pendingRemoves()
	given := map[uint32]bool{}
	for i, leaf := range removes {
		if i > 0 && leaf <= removes[i-1] {
			return problem.New(problem.CommitClaims, "what", "order")
		}
		if !slices.ContainsFunc(pending, func(p PendingRemove) bool { return p.Leaf == leaf }) {
			return problem.New(problem.CommitClaims, "what", "removes")
		}
		given[leaf] = true
	}
	for _, p := range pending {
		if p.Must && !given[p.Leaf] {
			return problem.New(problem.StaleEpoch, "what", "removes")
		}
	}
	for _, leaf := range removes {
		s.m.Group.Leaves[leaf] = nil
	}
	for n := len(s.m.Group.Leaves); n > 0 && len(s.m.Group.Leaves[n-1]) == 0; n-- {
		s.m.Group.Leaves = s.m.Group.Leaves[:n-1]
	}
	return nil
}

// addLeaves gives each added member the leftmost blank leaf, or a new one at the right (RFC 9420 §12.1.1, §7.7).
func (s *step) addLeaves(adds [][]byte) error {
	for _, join := range adds {
		j := s.m.member(join)
		if j == nil || j.State != Live || s.m.leaf(join) >= 0 {
			return problem.New(problem.CommitClaims, "what", "adds")
		}
		if i := slices.IndexFunc(s.m.Group.Leaves, func(l []byte) bool { return len(l) == 0 }); i >= 0 {
			s.m.Group.Leaves[i] = j.Join
		} else {
			s.m.Group.Leaves = append(s.m.Group.Leaves, j.Join)
		}
		j.KeyPackage, j.Since = nil, s.m.Group.Epoch+1
	}
	return nil
}

// liveLeaves counts the leaves whose member is live.
func (m *model) liveLeaves() int {
	n := 0
	for _, join := range m.Group.Leaves {
		if j := m.member(join); j != nil && j.State == Live {
			n++
		}
	}
	return n
}

// PendingRemove is a leaf whose member is gone.
type PendingRemove struct {
	Leaf uint32
	Join []byte
	Why  string // the member's state: lost, left, revoked, replaced
	Must bool   // every commit must remove it; a lost member's leaf may wait for its grace
}

func (m *model) pendingRemoves() []PendingRemove {
	var out []PendingRemove
	for i, join := range m.Group.Leaves {
		if j := m.member(join); j != nil && j.State != Live {
			out = append(out, PendingRemove{Leaf: uint32(i), Join: j.Join, Why: j.State, Must: j.State != Lost})
		}
	}
	return out
}
