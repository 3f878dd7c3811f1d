package session

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
)

// Phases of a session.
const (
	PhaseNone      = "none" // no entry yet
	PhasePlanned   = "planned"
	PhaseAgreed    = "agreed"
	PhaseSuspended = "suspended"
	PhaseClosed    = "closed"
)

// States of a member.
const (
	Live     = "live"
	Lost     = "lost" // the device has gone without leaving
	Left     = "left"
	Revoked  = "revoked"
	Replaced = "replaced" // the same person joined again
)

// model is one whole state. Records are replaced, never changed in place below their first level, so that a copy of the
// slices is a copy of the model. Its canonical bytes are the same in Go and TypeScript.
type model struct {
	Version     int          `cbor:"v"`
	Scope       []byte       `cbor:"scope"`
	Term        uint64       `cbor:"term"`
	Next        uint64       `cbor:"next"` // index of the next entry
	Hash        []byte       `cbor:"hash"` // of the last entry, 32 zero bytes before entry 0
	At          int64        `cbor:"at"`   // of the last entry, ms
	Plan        []byte       `cbor:"plan"` // canonical act.Plan
	Format      string       `cbor:"format"`
	Agreed      bool         `cbor:"agreed"`
	Closed      bool         `cbor:"closed"`
	Sequencer   []byte       `cbor:"sequencer"`
	Until       int64        `cbor:"until"` // ms; of the plan, or as every side has extended it
	Sides       []side       `cbor:"sides"`
	Seats       []act.Seat   `cbor:"seats"`
	Proposals   []Proposal   `cbor:"proposals"`
	Suspensions []Suspension `cbor:"suspensions"`
	Revocations []revoked    `cbor:"revocations"`
	Members     []Member     `cbor:"members"`
	Tracks      []Track      `cbor:"tracks"`
	Group       GroupView    `cbor:"group"`
	Groups      [][]byte     `cbor:"groups"` // ids of every group ever founded
}

type side struct {
	ID       []byte    `cbor:"id"`
	Node     []byte    `cbor:"node"` // node key
	From     int64     `cbor:"from"` // of the node's certificate
	Until    int64     `cbor:"until"`
	Officers []officer `cbor:"officers"`
	OutSeq   uint64    `cbor:"outseq"`  // next outbox item to be ordered
	OutPrev  []byte    `cbor:"outprev"` // hash of the last one
	Acts     int       `cbor:"acts"`    // ordered, by this side
	Groups   int       `cbor:"groups"`  // founded by this side
}

type officer struct {
	Person string `cbor:"person"`
	Name   string `cbor:"name"`
	Device []byte `cbor:"device"`
	From   int64  `cbor:"from"`
	Until  int64  `cbor:"until"`
}

type revoked struct {
	Side   []byte `cbor:"side"`
	Person string `cbor:"person"`
	Device []byte `cbor:"device"` // empty: all of the person's
	At     int64  `cbor:"at"`
}

// Proposal is a joint act on its way to be in effect.
type Proposal struct {
	ID       []byte   `cbor:"id"` // act id
	Kind     act.Kind `cbor:"kind"`
	Side     []byte   `cbor:"side"`
	Key      []byte   `cbor:"key"` // the officer's device
	Index    uint64   `cbor:"index"`
	At       int64    `cbor:"at"`
	Consents [][]byte `cbor:"consents"` // side ids in order of consent; the author's is first
	Seat     act.Seat `cbor:"seat"`     // of an admit
	Until    int64    `cbor:"until"`    // of an extend
	Done     bool     `cbor:"done"`     // in effect, or overtaken
}

// Suspension is one reason for which the session stands still.
type Suspension struct {
	ID     []byte `cbor:"id"` // act id
	Side   []byte `cbor:"side"`
	Key    []byte `cbor:"key"` // officer's device or node
	Node   bool   `cbor:"node"`
	Reason string `cbor:"reason"`
	Of     []byte `cbor:"of"`
	Index  uint64 `cbor:"index"`
	At     int64  `cbor:"at"`
}

// Member is one join of one person on one device.
type Member struct {
	Join       []byte            `cbor:"join"` // act id
	Side       []byte            `cbor:"side"`
	Person     string            `cbor:"person"`
	Role       string            `cbor:"role"`
	Name       map[string]string `cbor:"name"`
	Office     map[string]string `cbor:"office"`
	Verified   string            `cbor:"verified"` // how the officer verified the person
	VerifiedAt int64             `cbor:"verifiedat"`
	By         []byte            `cbor:"by"` // the officer's device
	Device     []byte            `cbor:"device"`
	Key        []byte            `cbor:"key"`        // session signature key: the MLS leaf key
	KeyPackage []byte            `cbor:"keypackage"` // until the member is in a group or gone
	Index      uint64            `cbor:"index"`      // entry of the join
	At         int64             `cbor:"at"`
	State      string            `cbor:"state"`
	Since      uint64            `cbor:"since"` // epoch of the group in which the member's leaf began
}

// Track is one announced source of one member.
type Track struct {
	ID     string `cbor:"id"`
	Join   []byte `cbor:"join"`
	Source string `cbor:"source"`
	Codec  string `cbor:"codec"`
	Muted  bool   `cbor:"muted"`
	Gone   bool   `cbor:"gone"` // withdrawn; kept so that its id is never another's
	At     int64  `cbor:"at"`   // when it was announced
}

// GroupView is the MLS group as the log tells it. An empty ID means that there is none.
type GroupView struct {
	ID      []byte   `cbor:"id"`
	Epoch   uint64   `cbor:"epoch"`
	Founder []byte   `cbor:"founder"` // join id
	Leaves  [][]byte `cbor:"leaves"`  // leaf index → join id, empty if blank; no blank at the end
}

func newModel(scope [32]byte) *model {
	return &model{Version: 1, Scope: scope[:], Term: FirstTerm, Hash: make([]byte, 32)}
}

func (m *model) clone() *model {
	c := *m
	c.Sides = slices.Clone(m.Sides)
	c.Seats = slices.Clone(m.Seats)
	c.Proposals = slices.Clone(m.Proposals)
	c.Suspensions = slices.Clone(m.Suspensions)
	c.Revocations = slices.Clone(m.Revocations)
	c.Members = slices.Clone(m.Members)
	c.Tracks = slices.Clone(m.Tracks)
	c.Groups = slices.Clone(m.Groups)
	c.Group.Leaves = slices.Clone(m.Group.Leaves)
	return &c
}

func (m *model) phase() string {
	switch {
	case m.Next == 0:
		return PhaseNone
	case m.Closed:
		return PhaseClosed
	case !m.Agreed:
		return PhasePlanned
	case len(m.Suspensions) > 0:
		return PhaseSuspended
	}
	return PhaseAgreed
}

// count counts what a side has of something.
func count[T any](list []T, owner func(T) []byte, side []byte) int {
	n := 0
	for _, x := range list {
		if bytes.Equal(owner(x), side) {
			n++
		}
	}
	return n
}

// over says that the agreed time has ended. Whoever is in the room goes on; nobody new comes in before every side has extended it.
func (m *model) over(at int64) bool { return at >= m.Until }

// lapsed says that a proposal can no longer come into effect.
func (m *model) lapsed(p Proposal, at int64) bool {
	switch p.Kind {
	case act.KindPlan:
		return m.over(at)
	case act.KindAdmit:
		return m.over(at) || at-p.At > ProposalStands
	case act.KindExtend:
		return at >= p.Until || at-p.At > ProposalStands
	}
	return at-p.At > ProposalStands
}

func (m *model) linkLost() bool {
	return slices.ContainsFunc(m.Suspensions, func(s Suspension) bool { return s.Reason == act.ReasonLinkLost })
}

func (m *model) side(id []byte) *side {
	for i := range m.Sides {
		if bytes.Equal(m.Sides[i].ID, id) {
			return &m.Sides[i]
		}
	}
	return nil
}

func (s *side) officer(device []byte) *officer {
	for i := range s.Officers {
		if bytes.Equal(s.Officers[i].Device, device) {
			return &s.Officers[i]
		}
	}
	return nil
}

func (m *model) member(join []byte) *Member {
	for i := range m.Members {
		if bytes.Equal(m.Members[i].Join, join) {
			return &m.Members[i]
		}
	}
	return nil
}

// liveDevice finds the live join of a device; there is at most one.
func (m *model) liveDevice(device []byte) *Member {
	for i := range m.Members {
		if m.Members[i].State == Live && bytes.Equal(m.Members[i].Device, device) {
			return &m.Members[i]
		}
	}
	return nil
}

func (m *model) seat(sideID []byte, person string) *act.Seat {
	for i := range m.Seats {
		if bytes.Equal(m.Seats[i].Side, sideID) && m.Seats[i].Person == person {
			return &m.Seats[i]
		}
	}
	return nil
}

func (m *model) track(id string) *Track {
	for i := range m.Tracks {
		if m.Tracks[i].ID == id {
			return &m.Tracks[i]
		}
	}
	return nil
}

// leaf is the leaf index of a join in the current group, or -1.
func (m *model) leaf(join []byte) int {
	return slices.IndexFunc(m.Group.Leaves, func(j []byte) bool { return bytes.Equal(j, join) })
}

// end ends a member's presence: its tracks are gone and its leaf, if any, is to be removed.
func (m *model) end(j *Member, state string) {
	j.State = state
	j.KeyPackage = nil
	for i := range m.Tracks {
		if bytes.Equal(m.Tracks[i].Join, j.Join) {
			m.Tracks[i].Gone = true
		}
	}
}
