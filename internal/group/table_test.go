package group

import (
	"encoding/hex"
	"slices"
	"strings"
)

// The joins of the table. The first four bytes decide the jitter: a's is 0.
var (
	a = id("00000000")
	b = id("00000001")
	c = id("000927c0") // 600000 ≡ 0 of the span
	d = id("00001000")
	g = id("67")
	h = id("68")
)

func id(prefix string) string { return prefix + strings.Repeat("0", 64-len(prefix)) }

// world makes a view: members in the order of the log, those in the group with leaves in the same order.
type world struct{ v viewJSON }

func during(phase string) *world {
	return &world{viewJSON{Phase: phase, Members: []memberJSON{}, Leaves: []string{}, Adds: []string{}, Removes: []removeJSON{}}}
}

func (w *world) in(joins ...string) *world {
	w.v.Group = g
	for _, j := range joins {
		w.v.Members = append(w.v.Members, memberJSON{Join: j, Live: true})
		w.v.Leaves = append(w.v.Leaves, j)
	}
	return w
}

func (w *world) out(joins ...string) *world {
	for _, j := range joins {
		w.v.Members = append(w.v.Members, memberJSON{Join: j, Live: true})
		w.v.Adds = append(w.v.Adds, j)
	}
	return w
}

func (w *world) gone(join string, must bool) *world {
	for i := range w.v.Members {
		if w.v.Members[i].Join == join {
			w.v.Members[i].Live, w.v.Members[i].Lost = false, !must
		}
	}
	leaf := slices.Index(w.v.Leaves, join)
	if leaf >= 0 {
		w.v.Removes = append(w.v.Removes, removeJSON{Leaf: uint32(leaf), Join: join, Must: must})
	}
	return w
}

func (w *world) epoch(n uint64) *world { w.v.Epoch = n; return w }
func (w *world) linkLost() *world      { w.v.LinkLost = true; return w }

// at is a step of the member join that holds the view's group and epoch.
func (w *world) at(now int64, join string, want wantJSON) step {
	o := ownJSON{Join: join, Group: w.v.Group, Epoch: w.v.Epoch, UpdatedAt: 1000}
	return step{now, w.v, o, want}
}

func (s step) holding(group string, epoch uint64) step {
	s.Own.Group, s.Own.Epoch = group, epoch
	return s
}
func (s step) outstanding() step       { s.Own.Outstanding = true; return s }
func (s step) updatedAt(at int64) step { s.Own.UpdatedAt = at; return s }

func nothing() wantJSON { return wantJSON{Kind: Nothing, Adds: []string{}, Removes: []uint32{}} }
func found() wantJSON   { return wantJSON{Kind: Found, Adds: []string{}, Removes: []uint32{}} }
func rejoin() wantJSON  { return wantJSON{Kind: Rejoin, Adds: []string{}, Removes: []uint32{}} }
func wait(until int64) wantJSON {
	return wantJSON{Kind: Wait, Adds: []string{}, Removes: []uint32{}, Until: until}
}
func commit(x ...any) wantJSON {
	w := wantJSON{Kind: Commit, Adds: []string{}, Removes: []uint32{}}
	for _, y := range x {
		switch y := y.(type) {
		case string:
			w.Adds = append(w.Adds, y)
		case int:
			w.Removes = append(w.Removes, uint32(y))
		}
	}
	return w
}

func table() []vector {
	const agreed, suspended = "agreed", "suspended"
	const first = 1000 + UpdateEvery - UpdateSpan/2 // a's first own path update
	many := make([]string, 40)
	for i := range many {
		many[i] = id("0a" + hex.EncodeToString([]byte{byte(i)}))
	}
	return []vector{
		{"found", "No live member holds a group: the earliest join founds one at once, the next a second later.", []step{
			during(agreed).out(a, b).at(5000, a, found()).holding("", 0),
			during(agreed).out(a, b).at(5001, a, nothing()).holding("", 0).outstanding(),
		}},
		{"found-second", "The second waits for the first, then steps in.", []step{
			during(agreed).out(a, b, c).at(5000, b, wait(6000)).holding("", 0),
			during(agreed).out(a, b, c).at(5999, b, wait(6000)).holding("", 0),
			during(agreed).out(a, b, c).at(6000, b, found()).holding("", 0),
		}},
		{"found-after-reload", "Everyone reloaded: the old leaves are dead, the new joins found a group anew.", []step{
			during(agreed).in(a, b).gone(a, true).gone(b, true).out(c, d).at(5000, c, found()).holding("", 0),
			during(agreed).in(a, b).gone(a, true).gone(b, true).out(c, d).at(5000, d, wait(6000)).holding("", 0),
		}},
		{"not-yet", "Nothing before the plan is agreed, after the close, while suspended without a group, or without a join.", []step{
			during("planned").out(a).at(5000, a, nothing()).holding("", 0),
			during("closed").in(a).out(b).at(5000, a, nothing()),
			during(suspended).out(a, b).at(5000, a, nothing()).holding("", 0),
			during(agreed).out(a).at(5000, "", nothing()).holding("", 0),
			during(agreed).in(a, b).gone(b, true).at(5000, b, nothing()),
		}},
		{"lone-add", "Who joins alone, when the epoch is older than 100 ms, does not wait for others.", []step{
			during(agreed).in(a).at(5000, a, wait(first)),
			during(agreed).in(a).out(b).at(5200, a, commit(b)),
		}},
		{"adds-batched", "Joins within 100 ms go into one commit, in the order of the log.", []step{
			during(agreed).in(a).out(b).at(5000, a, wait(5100)),
			during(agreed).in(a).out(b, c).at(5060, a, wait(5100)),
			during(agreed).in(a).out(b, c).at(5100, a, commit(b, c)),
			during(agreed).in(a).out(b, c).at(5101, a, nothing()).outstanding(),
			during(agreed).in(a, b, c).epoch(1).at(5200, a, wait(first)),
		}},
		{"second-steps-in", "A silent committer costs a second.", []step{
			during(agreed).in(a, b).out(c).at(5000, b, wait(6100)),
			during(agreed).in(a, b).out(c).at(6099, b, wait(6100)),
			during(agreed).in(a, b).out(c).at(6100, b, commit(c)),
		}},
		{"second-waits-anew", "A new epoch gives the first committer its time again.", []step{
			during(agreed).in(a, b).out(c).at(5000, b, wait(6100)),
			during(agreed).in(a, b, c).epoch(1).out(d).at(5900, b, wait(7000)),
			during(agreed).in(a, b, c).epoch(1).out(d).at(7000, b, commit(d)),
		}},
		{"rank-of-the-living", "A dead leaf has no rank: the next one is first.", []step{
			during(agreed).in(a, b, c).gone(a, true).at(5000, b, commit(0)),
			during(agreed).in(a, b, c).gone(a, true).at(5000, c, wait(6000)),
		}},
		{"removed-at-once", "Revoked, left or replaced: at once, with whoever waits to be added.", []step{
			during(agreed).in(a, b, c).gone(b, true).at(5000, a, commit(1)),
			during(agreed).in(a, b, c).gone(c, true).out(d).at(5001, a, commit(2, d)),
		}},
		{"lost-has-grace", "A device that is lost keeps its leaf for three seconds.", []step{
			during(agreed).in(a, b).gone(b, false).at(5000, a, wait(8000)),
			during(agreed).in(a, b).gone(b, false).at(7999, a, wait(8000)),
			during(agreed).in(a, b).gone(b, false).at(8000, a, commit(1)),
		}},
		{"lost-rides-later", "A commit for another reason leaves the lost one its grace.", []step{
			during(agreed).in(a, b, c).gone(b, false).at(5000, a, wait(8000)),
			during(agreed).in(a, b, c).gone(b, false).gone(c, true).at(6000, a, commit(2)),
		}},
		{"lost-came-back", "Its grace begins anew when it is lost again.", []step{
			during(agreed).in(a, b).gone(b, false).at(5000, a, wait(8000)),
			during(agreed).in(a, b).at(6000, a, wait(first)),
			during(agreed).in(a, b).gone(b, false).at(7000, a, wait(10000)),
		}},
		{"taken-for-lost", "The node said that we are lost, and here we are: join anew.", []step{
			during(agreed).in(a, b).gone(b, false).at(5000, b, rejoin()),
			during(suspended).linkLost().in(a, b).gone(b, false).at(5001, b, nothing()),
		}},
		{"state-lost", "A leaf without its state for two seconds: join anew. A state that catches up in time is well.", []step{
			during(agreed).in(a, b).epoch(3).at(5000, b, wait(7000)).holding(g, 2),
			during(agreed).in(a, b).epoch(3).at(5500, b, wait(first+1)),
			during(agreed).in(a, b).epoch(4).at(6000, b, wait(8000)).holding(g, 3),
			during(agreed).in(a, b).epoch(4).at(8000, b, rejoin()).holding(g, 3),
		}},
		{"other-group", "The state of another group is no state.", []step{
			during(agreed).in(a, b).at(5000, b, wait(7000)).holding(h, 0),
			during(agreed).in(a, b).at(7000, b, rejoin()).holding(h, 0),
		}},
		{"to-be-added", "Without a leaf there is nothing to do but wait for those who have one.", []step{
			during(agreed).in(a).out(b).at(5000, b, nothing()).holding("", 0),
		}},
		{"link-lost", "While the link is lost no shared group makes an epoch; the need is met when it is back.", []step{
			during(suspended).linkLost().in(a, b).gone(b, true).at(5000, a, nothing()),
			during(suspended).in(a, b).gone(b, true).at(9000, a, commit(1)),
		}},
		{"suspended", "Suspended for another reason: out, yes; in, no.", []step{
			during(suspended).in(a, b).out(c).at(5000, a, wait(first)),
			during(suspended).in(a, b).gone(b, true).out(c).at(6000, a, commit(1)),
			during(agreed).in(a).out(c).at(7000, a, commit(c)),
		}},
		{"path-update", "Every member refreshes its leaf about every 30 minutes, spread by its join.", []step{
			during(agreed).in(a, d).at(first-1, a, wait(first)),
			during(agreed).in(a, d).at(first, a, commit()),
			during(agreed).in(a, d).epoch(1).at(first+1, a, wait(first+1+UpdateEvery-UpdateSpan/2)).updatedAt(first + 1),
			during(agreed).in(a, d).epoch(1).at(first+2, d, wait(first+0x1000)),
		}},
		{"many", "One commit adds at most 32.", []step{
			during(agreed).in(a).out(many...).at(5000, a, wait(5100)),
			during(agreed).in(a).out(many...).at(5100, a, commit(anys(many[:32])...)),
		}},
	}
}

func anys(list []string) []any {
	var out []any
	for _, s := range list {
		out = append(out, s)
	}
	return out
}
