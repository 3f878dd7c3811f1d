// Package group is the policy of a member for the MLS group (RFC 9420): who founds it, who commits, what, and when. It holds no
// key and makes no commit; it is asked after every change and whenever a wait is over, and answers with one Action. The log
// decides: two members that act at once are harmless, because the second commit of an epoch is refused as stale and made anew.
//
// The same policy exists in TypeScript (web/src/engine/group.ts); both pass testdata/group.
//
// Rank is the order of the log: the earliest join of a live member has rank 0. Whoever has rank r acts r seconds after the need
// arose or the epoch began, so that a silent committer costs one second, not the session.
package group

import (
	"bytes"
	"encoding/hex"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/session"
)

// Times in ms (keys.md "Profile").
const (
	RankStep    = 1000
	AddBatch    = 100            // after an epoch began joins wait so long for each other; a lone one does not wait
	LostGrace   = 3000           // a device that is back sooner keeps its leaf
	LostState   = 2000           // a leaf without its state for so long means: join anew
	UpdateEvery = 30 * 60 * 1000 // path update of each member
	UpdateSpan  = 10 * 60 * 1000 // spread around it
)

// MaxAdds bounds one commit: a Welcome for 32 is about 100 kB (measured), far under session.MaxCommit.
const MaxAdds = 32

// Member is one join in the order of the log.
type Member struct {
	Join []byte
	Live bool
	Lost bool // gone without leaving
}

// Remove is a leaf whose member is gone.
type Remove struct {
	Leaf uint32
	Join []byte
	Must bool // revoked, left or replaced: every commit has it
}

// View is what the policy needs of the session.
type View struct {
	Phase    string // session.Phase…
	LinkLost bool   // one of the suspensions is link lost
	Members  []Member
	Group    []byte // empty: none
	Epoch    uint64
	Leaves   [][]byte // leaf index → join, empty if blank
	Adds     [][]byte // joins that are live and in no leaf
	Removes  []Remove
}

// Own is the member that asks.
type Own struct {
	Join        []byte // of the newest own join; empty: not joined
	Group       []byte // of its MLS state; empty: none
	Epoch       uint64
	Outstanding bool  // a group-new, commit or join of ours is neither ordered nor refused yet
	UpdatedAt   int64 // when its own leaf last got a fresh key, ms
}

// Action kinds.
const (
	Nothing = "nothing"
	Found   = "found"
	Commit  = "commit"
	Wait    = "wait"   // ask again at Until, or earlier after a change
	Rejoin  = "rejoin" // the state is lost: join anew with a fresh KeyPackage
)

// Action is what the member does next.
type Action struct {
	Kind    string
	Adds    [][]byte
	Removes []uint32
	Until   int64
}

// Policy remembers since when each need stands: the log does not say when a member went, and a client's own clock is the
// only one it may wait by. The zero Policy is ready.
type Policy struct {
	seen    map[string]int64 // need → since when
	group   []byte
	epoch   uint64
	epochAt int64
}

// ViewOf reads a session.
func ViewOf(s *session.State) View {
	v := View{Phase: s.Phase()}
	for _, x := range s.Suspensions() {
		v.LinkLost = v.LinkLost || x.Reason == act.ReasonLinkLost
	}
	for _, m := range s.Roster() {
		v.Members = append(v.Members, Member{Join: m.Join, Live: m.State == session.Live, Lost: m.State == session.Lost})
	}
	g := s.Group()
	v.Group, v.Epoch, v.Leaves = g.ID, g.Epoch, g.Leaves
	for _, m := range s.PendingAdds() {
		v.Adds = append(v.Adds, m.Join)
	}
	for _, r := range s.PendingRemoves() {
		v.Removes = append(v.Removes, Remove{Leaf: r.Leaf, Join: r.Join, Must: r.Must})
	}
	return v
}

// Next says what to do now.
func (p *Policy) Next(v View, own Own, now int64) Action {
	p.observe(v, own, now)
	switch me, ok := v.member(own.Join); {
	case own.Outstanding, v.LinkLost, v.Phase != session.PhaseAgreed && v.Phase != session.PhaseSuspended:
		return Action{Kind: Nothing}
	case ok && me.Lost:
		return Action{Kind: Rejoin} // the node took us for gone; we are not
	case !ok || !me.Live:
		return Action{Kind: Nothing}
	}
	if v.liveLeaves() == 0 {
		return p.found(v, own, now)
	}
	if v.leaf(own.Join) < 0 {
		return Action{Kind: Nothing} // to be added
	}
	if !bytes.Equal(own.Group, v.Group) || own.Epoch != v.Epoch {
		return after(p.seen[needState]+LostState, now, Action{Kind: Rejoin})
	}
	return p.commit(v, own, now)
}

// Needs that are not a join's.
const (
	needState  = "state"
	needFound  = "found"
	needAdd    = "add "
	needRemove = "remove "
)

// observe notes since when each need stands and forgets those that passed.
func (p *Policy) observe(v View, own Own, now int64) {
	if p.epochAt == 0 || !bytes.Equal(p.group, v.Group) || p.epoch != v.Epoch {
		p.group, p.epoch, p.epochAt = bytes.Clone(v.Group), v.Epoch, now
	}
	needs := map[string]int64{}
	need := func(name string) {
		if since, ok := p.seen[name]; ok {
			needs[name] = since
		} else {
			needs[name] = now
		}
	}
	if v.liveLeaves() == 0 {
		need(needFound)
	}
	if v.leaf(own.Join) >= 0 && (!bytes.Equal(own.Group, v.Group) || own.Epoch != v.Epoch) {
		need(needState)
	}
	for _, j := range v.Adds {
		need(needAdd + hex.EncodeToString(j))
	}
	for _, r := range v.Removes {
		need(needRemove + hex.EncodeToString(r.Join))
	}
	p.seen = needs
}

// found makes the lowest-ranked live person found a group when no live member holds one.
func (p *Policy) found(v View, own Own, now int64) Action {
	if v.Phase != session.PhaseAgreed {
		return Action{Kind: Nothing}
	}
	rank := 0
	for _, m := range v.Members {
		if bytes.Equal(m.Join, own.Join) {
			break
		}
		if m.Live {
			rank++
		}
	}
	return after(p.seen[needFound]+int64(rank)*RankStep, now, Action{Kind: Found})
}

// commit adds and removes whoever is due, or refreshes the own leaf.
func (p *Policy) commit(v View, own Own, now int64) Action {
	rank := int64(v.rank(own.Join))
	update := own.UpdatedAt + UpdateEvery - UpdateSpan/2 + jitter(own.Join)
	due := update
	if at, ok := p.due(v); ok {
		if rank > 0 {
			at = max(at, p.epochAt) // whoever came first has just committed and gets its time again
		}
		due = min(update, at+rank*RankStep)
	}
	if now < due {
		return Action{Kind: Wait, Until: due}
	}
	a := Action{Kind: Commit}
	for _, r := range v.Removes {
		if r.Must || p.seen[needRemove+hex.EncodeToString(r.Join)]+LostGrace <= now {
			a.Removes = append(a.Removes, r.Leaf)
		}
	}
	if v.Phase == session.PhaseAgreed {
		a.Adds = v.Adds[:min(len(v.Adds), MaxAdds)]
	}
	return a
}

// due is when the first of the needs is to be met.
func (p *Policy) due(v View) (at int64, ok bool) {
	meet := func(t int64) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	for _, r := range v.Removes {
		grace := int64(LostGrace)
		if r.Must {
			grace = 0
		}
		meet(p.seen[needRemove+hex.EncodeToString(r.Join)] + grace)
	}
	if v.Phase == session.PhaseAgreed { // a suspended session admits nobody to its keys
		for _, j := range v.Adds {
			meet(max(p.seen[needAdd+hex.EncodeToString(j)], p.epochAt+AddBatch))
		}
	}
	return at, ok
}

func after(at, now int64, a Action) Action {
	if now < at {
		return Action{Kind: Wait, Until: at}
	}
	return a
}

// jitter spreads path updates by the member's join id, which is a hash.
func jitter(join []byte) int64 {
	if len(join) < 4 {
		return 0
	}
	n := int64(join[0])<<24 | int64(join[1])<<16 | int64(join[2])<<8 | int64(join[3])
	return n % UpdateSpan
}

func (v View) member(join []byte) (Member, bool) {
	for _, m := range v.Members {
		if len(join) > 0 && bytes.Equal(m.Join, join) {
			return m, true
		}
	}
	return Member{}, false
}

func (v View) leaf(join []byte) int {
	for i, l := range v.Leaves {
		if len(join) > 0 && bytes.Equal(l, join) {
			return i
		}
	}
	return -1
}

func (v View) liveLeaves() int {
	n := 0
	for _, l := range v.Leaves {
		if m, ok := v.member(l); ok && m.Live {
			n++
		}
	}
	return n
}

// rank counts the live members with a leaf that joined before.
func (v View) rank(join []byte) int {
	r := 0
	for _, m := range v.Members {
		if bytes.Equal(m.Join, join) {
			break
		}
		if m.Live && v.leaf(m.Join) >= 0 {
			r++
		}
	}
	return r
}
