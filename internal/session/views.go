package session

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
)

// Views are of the effective state, except those about the group and the log (Group, PendingAdds, PendingRemoves, LeafRoster,
// Head, Sequencer), which are of the ordered state. Slices inside a view are shared and must not be changed.

// Phase is PhaseNone, PhasePlanned, PhaseAgreed, PhaseSuspended or PhaseClosed.
func (s *State) Phase() string { return s.effective.phase() }

// Suspensions are the reasons for which the session stands still, oldest first.
func (s *State) Suspensions() []Suspension { return slices.Clone(s.effective.Suspensions) }

// Plan is the plan, and whether there is one yet.
func (s *State) Plan() (act.Plan, bool) {
	var p act.Plan
	if s.ordered.Next == 0 {
		return p, false
	}
	return p, canon.Decode(s.ordered.Plan, &p) == nil
}

// Until is the end of the session's time, ms: the plan's, or as every side has extended it.
func (s *State) Until() int64 { return s.effective.Until }

// Lapsed says that a proposal can no longer come into effect at a time (ms).
func (s *State) Lapsed(p Proposal, at int64) bool { return s.effective.lapsed(p, at) }

// Seats are the seats of the plan and of the admits in effect.
func (s *State) Seats() []act.Seat { return slices.Clone(s.effective.Seats) }

// Roster is every join in the order of the log, also those that ended.
func (s *State) Roster() []Member { return slices.Clone(s.effective.Members) }

// Present is the live part of the roster.
func (s *State) Present() []Member {
	return slices.DeleteFunc(s.Roster(), func(m Member) bool { return m.State != Live })
}

// Member is the join with this act id.
func (s *State) Member(join []byte) (Member, bool) {
	if j := s.effective.member(join); j != nil {
		return *j, true
	}
	return Member{}, false
}

// MemberOfDevice is the live join of a device.
func (s *State) MemberOfDevice(device []byte) (Member, bool) {
	if j := s.effective.liveDevice(device); j != nil {
		return *j, true
	}
	return Member{}, false
}

// Tracks are the announced tracks that are not withdrawn.
func (s *State) Tracks() []Track {
	return slices.DeleteFunc(slices.Clone(s.effective.Tracks), func(t Track) bool { return t.Gone })
}

// Proposals are all proposals, open and done.
func (s *State) Proposals() []Proposal { return slices.Clone(s.effective.Proposals) }

// Group is the current group; its ID is empty if there is none.
func (s *State) Group() GroupView {
	g := s.ordered.Group
	g.Leaves = slices.Clone(g.Leaves)
	return g
}

// PendingAdds are the live joins that are not in the group, in the order of the log.
func (s *State) PendingAdds() []Member {
	var out []Member
	for _, j := range s.ordered.Members {
		if j.State == Live && s.ordered.leaf(j.Join) < 0 {
			out = append(out, j)
		}
	}
	return out
}

// PendingRemoves are the leaves whose member is gone, ascending.
func (s *State) PendingRemoves() []PendingRemove { return s.ordered.pendingRemoves() }

// LeafEntry is who may hold a leaf of the group.
type LeafEntry struct {
	Join     []byte
	Identity []byte // canonical ident.Leaf: the identity of the basic credential (RFC 9420 §5.3)
	Key      []byte // the leaf's signature key
	State    string // of the member: only live members may be added
	Leaf     int    // index in the current group, -1 if not in it
}

// LeafRoster is the only source of who may be in the group: live members, and members gone whose leaf is not yet removed.
func (s *State) LeafRoster() []LeafEntry {
	var out []LeafEntry
	for _, j := range s.ordered.Members {
		leaf := s.ordered.leaf(j.Join)
		if j.State != Live && leaf < 0 {
			continue
		}
		out = append(out, LeafEntry{Join: j.Join, Identity: LeafIdentity(s.ordered.Scope, j), Key: j.Key, State: j.State, Leaf: leaf})
	}
	return out
}

// LeafIdentity is the canonical ident.Leaf of a member.
func LeafIdentity(scope []byte, j Member) []byte {
	return canon.Encode(ident.Leaf{Version: ident.Version, Scope: scope, Side: j.Side, Person: j.Person, Device: j.Device})
}

// SideOf is the side whose node, officer or member has the key, nil if none has.
func (s *State) SideOf(key []byte) []byte {
	if sd := s.effective.sideOf(key); sd != nil {
		return sd.ID
	}
	return nil
}

// SideIDs are the sides in the order of the plan.
func (s *State) SideIDs() [][]byte {
	var out [][]byte
	for _, sd := range s.ordered.Sides {
		out = append(out, sd.ID)
	}
	return out
}

// NodeKey is the node key of a side, nil for an unknown side.
func (s *State) NodeKey(side []byte) []byte {
	if sd := s.ordered.side(side); sd != nil {
		return sd.Node
	}
	return nil
}

// IsOfficer says whether a device is one of a side's officers'.
func (s *State) IsOfficer(side, device []byte) bool {
	sd := s.ordered.side(side)
	return sd != nil && sd.officer(device) != nil
}

// Sequencer is the side whose node orders in the current term.
func (s *State) Sequencer() []byte { return s.ordered.Sequencer }

// Outbox is the next sequence number of a side's outbox that is not ordered yet, and the hash of the item before it.
func (s *State) Outbox(side []byte) (seq uint64, prev []byte) {
	if sd := s.ordered.side(side); sd != nil {
		return sd.OutSeq, sd.OutPrev
	}
	return 0, make([]byte, 32)
}

// Overlays is the number of items in effect that are not ordered.
func (s *State) Overlays() int { return len(s.overlays) }

// Head is the point the log has reached: the term, the index of the next entry, the hash of the last.
func (s *State) Head() (term, next uint64, hash [32]byte) {
	return s.ordered.Term, s.ordered.Next, [32]byte(s.ordered.Hash)
}

// Time is the time of the last entry, ms.
func (s *State) Time() int64 { return s.ordered.At }

// Scope is the scope of the log.
func (s *State) Scope() [32]byte { return [32]byte(s.ordered.Scope) }

// Seen says whether an act is in the log.
func (s *State) Seen(id act.ID) bool { return s.seen[id] }

// MayPublish says whether media of a track may come from a device now: session running, member live, track its own,
// present and not muted.
func (s *State) MayPublish(device []byte, track string) bool {
	m := s.effective
	if m.phase() != PhaseAgreed {
		return false
	}
	t, j := m.track(track), m.liveDevice(device)
	return t != nil && j != nil && !t.Gone && !t.Muted && bytes.Equal(t.Join, j.Join)
}

// MayHear says whether media may go to a device now: session running and member live.
func (s *State) MayHear(device []byte) bool {
	return s.effective.phase() == PhaseAgreed && s.effective.liveDevice(device) != nil
}
