package session_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

// crowd writes random acts: anybody's key, in anybody's name, about anybody's things.
type crowd struct {
	*sessiontest.World
	r      *rand.Rand
	st     *session.State
	people []*sessiontest.Person
	keys   []ident.Key
	made   int
}

func newCrowd(t testing.TB, seed uint64) *crowd {
	w := sessiontest.New(2)
	c := &crowd{World: w, r: rand.New(rand.NewPCG(seed, 1)), st: session.New(w.Scope)}
	for _, s := range w.Sides {
		for i, role := range []string{"principal", "interpreter", "adviser"} {
			c.people = append(c.people, s.Person(fmt.Sprint("p", i), role))
		}
		c.keys = append(c.keys, s.Node, s.Officers[0], s.Officers[1])
	}
	for _, p := range c.people {
		c.keys = append(c.keys, p.Device)
	}
	plan := w.Officer(w.Sides[0], 0, act.KindPlan, w.Plan(c.people...))
	for _, signed := range []act.Signed{plan, w.Officer(w.Sides[1], 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(plan)})} {
		if _, err := offer(c.st, w.Entry(c.st, signed)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (c *crowd) join() []byte {
	if all := c.st.Roster(); len(all) > 0 && c.r.IntN(8) > 0 {
		return pick(c.r, all).Join
	}
	return sessiontest.GroupID("nobody")
}

func (c *crowd) track() string {
	if all := c.st.Tracks(); len(all) > 0 && c.r.IntN(8) > 0 {
		return pick(c.r, all).ID
	}
	return sessiontest.TrackID(fmt.Sprint(c.r.IntN(50)))
}

// honest returns the key and side that fit together; a hostile author takes any.
func (c *crowd) author() (*sessiontest.Side, ident.Key) {
	if c.r.IntN(3) == 0 {
		return pick(c.r, c.Sides), pick(c.r, c.keys)
	}
	if c.r.IntN(3) == 0 {
		s := pick(c.r, c.Sides)
		return s, pick(c.r, []ident.Key{s.Node, s.Officers[0], s.Officers[1]})
	}
	p := pick(c.r, c.people)
	return p.Side, p.Device
}

func (c *crowd) act() act.Signed {
	side, key := c.author()
	c.made++
	switch c.r.IntN(16) {
	case 0, 1, 2:
		p := pick(c.r, c.people)
		if c.r.IntN(6) == 0 { // in another's name
			p = pick(c.r, c.people)
			q := *p
			q.Device = key
			return c.Join(&q, fmt.Sprint("session ", c.made))
		}
		return c.Join(p, fmt.Sprint("session ", c.made))
	case 3:
		return c.Act(side, key, act.KindLeave, act.Leave{Join: c.join()})
	case 4:
		return c.Act(side, key, act.KindLost, act.Lost{Join: c.join()})
	case 5, 6:
		return c.Act(side, key, act.KindPublish, act.Publish{Track: sessiontest.TrackID(fmt.Sprint(c.r.IntN(50))), Codec: pick(c.r, []string{"opus", "vp9"}),
			Source: pick(c.r, []string{"microphone", "camera", "screen"})})
	case 7:
		return c.Act(side, key, act.KindWithdraw, act.Withdraw{Track: c.track()})
	case 8:
		return c.Act(side, key, act.KindMute, act.Mute{Track: c.track()})
	case 9:
		return c.Act(side, key, act.KindUnmute, act.Unmute{Track: c.track()})
	case 10:
		return c.Act(side, key, act.KindSuspend, act.Suspend{Reason: pick(c.r, []string{"officer", "fork", "link-lost"})})
	case 11:
		if c.r.IntN(5) == 0 {
			return c.Act(side, key, act.KindExtend, act.Extend{Until: c.st.Until() + c.r.Int64N(sessiontest.Day) - sessiontest.Day/2})
		}
		return c.Act(side, key, pick(c.r, []act.Kind{act.KindResume, act.KindResume, act.KindResume, act.KindClose}), act.Resume{})
	case 12:
		if all := c.st.Proposals(); len(all) > 0 {
			return c.Act(side, key, act.KindConsent, act.Consent{To: pick(c.r, all).ID})
		}
		return c.Act(side, key, act.KindAdmit, act.Admit{Format: sessiontest.FormatID, Seat: act.Seat{Side: pick(c.r, c.Sides).ID, Person: "x", Role: "adviser"}})
	case 13:
		p := pick(c.r, c.people)
		r := ident.Revocation{Version: 1, Side: side.ID, Person: p.ID, Device: p.Device.Public(), At: c.r.Int64N(sessiontest.Start), By: key.Public()}
		return c.Act(side, key, act.KindRevoke, act.Revoke{Revocation: canon.Encode(key.SignBody(ident.ContextRevocation, r))})
	case 14:
		return c.Act(side, key, act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID(fmt.Sprint(c.made)), Join: c.join()})
	}
	g := c.st.Group()
	b := act.Commit{Group: g.ID, Epoch: g.Epoch, Message: []byte("m")}
	for _, j := range c.st.PendingAdds() {
		b.Adds, b.Welcome = append(b.Adds, j.Join), []byte("w")
	}
	for _, r := range c.st.PendingRemoves() {
		b.Removes = append(b.Removes, r.Leaf)
	}
	if c.r.IntN(4) == 0 {
		b.Removes = append(b.Removes, uint32(c.r.IntN(8)))
	}
	return c.Act(side, key, act.KindCommit, b)
}

// next is a random entry, by outbox if its act is unilateral (now and then by another side's), and the act in it.
func (c *crowd) next() (entry []byte, a act.Act, took func()) {
	signed := c.act()
	if err := canon.Decode(signed.Act, &a); err != nil {
		panic(err)
	}
	if !session.Unilateral(a.Kind) {
		return c.Entry(c.st, signed), a, func() {}
	}
	side := c.Sides[0]
	if bytes.Equal(a.Side, c.Sides[1].ID) != (c.r.IntN(8) == 0) {
		side = c.Sides[1]
	}
	it := c.Item(side, signed)
	return c.Entry(c.st, it), a, func() { side.Advance(it) }
}

// TestNobodyHasPowerOverAnother: whatever anybody writes, a side's people and tracks change by that side's doing only.
func TestNobodyHasPowerOverAnother(t *testing.T) {
	for seed := range uint64(6) {
		c := newCrowd(t, seed)
		accepted := map[act.Kind]int{}
		for range 350 {
			before := c.st.Clone()
			entry, a, took := c.next()
			sum := before.Summary()
			_, err := offer(c.st, entry)
			if err != nil {
				if problem.CodeOf(err) == problem.Internal {
					t.Fatalf("seed %d: a refusal without a code: %v", seed, err)
				}
				if !bytes.Equal(sum, c.st.Summary()) {
					t.Fatalf("seed %d: refused with %v, but the state changed", seed, err)
				}
				continue
			}
			took()
			accepted[a.Kind]++
			unharmed(t, seed, a, before, c.st)
			again := before.Clone()
			if _, err := again.Apply(entry); err != nil || !bytes.Equal(again.Summary(), c.st.Summary()) {
				t.Fatalf("seed %d: a clone goes another way: %v", seed, err)
			}
			if c.r.IntN(20) == 0 {
				if c.st, err = session.Restore(c.st.Snapshot()); err != nil || !bytes.Equal(again.Summary(), c.st.Summary()) {
					t.Fatalf("seed %d: a snapshot restores to another state: %v", seed, err)
				}
			}
			if c.st.Phase() == session.PhaseClosed {
				break
			}
		}
		if len(accepted) < 6 {
			t.Errorf("seed %d: only %v were accepted, the test tests little", seed, accepted)
		}
	}
}

// unharmed compares the states around an accepted act.
func unharmed(t *testing.T, seed uint64, a act.Act, before, after *session.State) {
	t.Helper()
	for _, m := range before.Roster() {
		now, ok := after.Member(m.Join)
		if !ok || now.Person != m.Person || !bytes.Equal(now.Side, m.Side) || !bytes.Equal(now.Device, m.Device) || !bytes.Equal(now.Key, m.Key) ||
			fmt.Sprint(now.Name) != fmt.Sprint(m.Name) || now.Role != m.Role {
			t.Fatalf("seed %d: %s renamed or moved %s", seed, a.Kind, m.Person)
		}
		if now.State != m.State && !bytes.Equal(a.Side, m.Side) {
			t.Fatalf("seed %d: %s of another side made %s %s", seed, a.Kind, m.Person, now.State)
		}
	}
	tracks := map[string]session.Track{}
	for _, x := range after.Tracks() {
		tracks[x.ID] = x
	}
	for _, x := range before.Tracks() {
		owner, _ := before.Member(x.Join)
		now, still := tracks[x.ID]
		ended, _ := after.Member(x.Join)
		own := bytes.Equal(a.Key, owner.Device)
		switch {
		case !still && ended.State == session.Live && !own:
			t.Fatalf("seed %d: %s withdrew another's track", seed, a.Kind)
		case still && now.Muted != x.Muted && !own:
			t.Fatalf("seed %d: %s muted or unmuted another's track", seed, a.Kind)
		case still && !bytes.Equal(now.Join, x.Join):
			t.Fatalf("seed %d: %s gave a track to another", seed, a.Kind)
		}
	}
	if len(after.Suspensions()) < len(before.Suspensions()) || before.Phase() != session.PhaseClosed && after.Phase() == session.PhaseClosed {
		for _, p := range after.Proposals() {
			if len(p.Consents) == len(after.SideIDs()) && p.Kind != act.KindPlan {
				return
			}
		}
		t.Fatalf("seed %d: %s is in effect without every side", seed, a.Kind)
	}
	leaves(t, seed, after)
}

// leaves: every leaf belongs to a join, no join has two, and no blank is at the end.
func leaves(t *testing.T, seed uint64, s *session.State) {
	t.Helper()
	held := map[string]bool{}
	g := s.Group()
	for i, j := range g.Leaves {
		if len(j) == 0 {
			if i == len(g.Leaves)-1 {
				t.Fatalf("seed %d: a blank at the end of the tree", seed)
			}
			continue
		}
		if _, ok := s.Member(j); !ok || held[string(j)] {
			t.Fatalf("seed %d: leaf %d belongs to nobody, or to somebody with two", seed, i)
		}
		held[string(j)] = true
	}
}

// TestOverlaysCommute replays one log on nodes that learned of the outbox items at any earlier moment, in any order of
// sides: once all are ordered, all are in the same state.
func TestOverlaysCommute(t *testing.T) {
	for seed := range uint64(5) {
		c := newCrowd(t, 100+seed)
		start := c.st.Clone()
		var entries [][]byte
		var items []act.SignedOutbox // in the order of the log
		var at []int                 // entry index of each
		for len(entries) < 90 && c.st.Phase() != session.PhaseClosed {
			entry, _, took := c.next()
			if _, err := offer(c.st, entry); err != nil {
				continue
			}
			took()
			var e act.Entry
			if err := canon.Decode(entry, &e); err != nil {
				t.Fatal(err)
			}
			if e.From == act.ItemOutbox {
				var it act.SignedOutbox
				if err := canon.Decode(e.Item, &it); err != nil {
					t.Fatal(err)
				}
				items, at = append(items, it), append(at, len(entries))
			}
			entries = append(entries, entry)
		}
		want := c.st.Summary()
		for node := range 4 {
			st := start.Clone()
			known := 0
			for i, entry := range entries {
				// Learn some of the coming items early. An item whose object is not there yet is refused, as its own node would.
				for known < len(items) && at[known] < i+c.r.IntN(6) {
					if err := st.Overlay(items[known]); err != nil {
						break
					}
					known++
				}
				if _, err := st.Apply(entry); err != nil {
					t.Fatalf("seed %d node %d entry %d: %v", seed, node, i, err)
				}
				for known < len(items) && at[known] <= i {
					known++
				}
			}
			if st.Overlays() != 0 || !bytes.Equal(st.Summary(), want) {
				t.Fatalf("seed %d node %d: another state", seed, node)
			}
		}
		// Both sides' chains, interleaved at random on top of the start: the same effective state whatever the order.
		var bySide [2][]act.SignedOutbox
		for _, it := range items {
			var o act.Outbox
			_ = canon.Decode(it.Item, &o)
			n := 0
			if bytes.Equal(o.Side, c.Sides[1].ID) {
				n = 1
			}
			bySide[n] = append(bySide[n], it)
		}
		var first []byte
		for range 5 {
			st := start.Clone()
			next := [2]int{}
			dead := [2]bool{}
			for (next[0] < len(bySide[0]) && !dead[0]) || (next[1] < len(bySide[1]) && !dead[1]) {
				n := c.r.IntN(2)
				if next[n] >= len(bySide[n]) || dead[n] {
					continue
				}
				if st.Overlay(bySide[n][next[n]]) != nil {
					dead[n] = true
					continue
				}
				next[n]++
			}
			if first == nil {
				first = st.Summary()
			}
			if !bytes.Equal(first, st.Summary()) {
				t.Fatalf("seed %d: outboxes do not commute", seed)
			}
		}
	}
}

func FuzzEntry(f *testing.F) {
	c := newCrowd(f, 7)
	for range 60 {
		entry, _, took := c.next()
		f.Add(entry)
		if _, err := offer(c.st, entry); err == nil {
			took()
		}
	}
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		st := c.st.Clone()
		sum := st.Summary()
		checks, err := st.Checks(b)
		if err != nil && problem.CodeOf(err) == problem.Internal {
			t.Error("a refusal without a code:", err)
		}
		for _, check := range checks {
			if check.What == "" || check.Code == "" {
				t.Error("a check without a name or a code")
			}
		}
		if _, err := st.Apply(b); err != nil && !bytes.Equal(sum, st.Summary()) {
			t.Error("refused, but the state changed")
		}
		_ = st.Overlay(act.SignedOutbox{Item: b, Sig: make([]byte, 64)})
		_ = st.Refuse(act.Signed{Act: b, Sig: make([]byte, 64)}, 0)
		_, _ = session.Restore(b)
	})
}
