package sim

import (
	"bytes"
	"slices"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

// meeting is a session in which everybody is on one epoch.
func meeting(t *testing.T, sides, people int) *sim {
	t.Helper()
	s := newSim(t, 11, sides, people)
	s.trace = testing.Verbose()
	s.plan(0)
	s.officers(0)
	for _, c := range s.people {
		c.open()
	}
	s.must(t, "meet", 5000, nil)
	return s
}

func (s *sim) must(t *testing.T, what string, ms int64, revoked map[string]bool) int64 {
	t.Helper()
	took := s.runUntil(ms, func() bool { return s.settled(revoked) == "" })
	if s.broken != "" || took < 0 {
		t.Fatalf("%s: %s %s", what, s.broken, s.settled(revoked))
	}
	return took
}

func (s *sim) done(t *testing.T, revoked map[string]bool) {
	t.Helper()
	s.finish(revoked)
	if s.broken != "" {
		t.Fatal(s.broken)
	}
}

func (s *sim) suspendedFor(n *node, reason string) bool {
	return slices.ContainsFunc(n.state().Suspensions(), func(x session.Suspension) bool { return x.Reason == reason })
}

// TestLinkDownWhileRevoked: the link is down for a minute, one side revokes a person meanwhile. Both nodes stop by themselves
// within 2 s; the revocation is in effect on its own node at once; after the link is back and the officers agree, the person
// has no leaf on either side.
//
// A whole minute passes here, in virtual time; once with either side: the one that orders the log has nobody to ask.
func TestLinkDownWhileRevoked(t *testing.T) {
	for side := range 2 {
		t.Run([]string{"the side that orders", "the side that does not"}[side], func(t *testing.T) { linkDownWhileRevoked(t, side) })
	}
}

func linkDownWhileRevoked(t *testing.T, side int) {
	s := meeting(t, 2, 6)
	epoch := s.nodes[0].state().Group().Epoch
	s.net.setCut(0, 1, true)
	if s.runUntil(2000, func() bool {
		return s.nodes[0].state().Phase() == session.PhaseSuspended && s.nodes[1].state().Phase() == session.PhaseSuspended
	}) < 0 {
		t.Fatal("not suspended on both nodes")
	}
	gone := s.people[2+side]
	own, other := s.nodes[side], s.nodes[1-side]
	if gone.n != own {
		t.Fatal("of the wrong side")
	}
	s.revoke(gone)
	s.run(100)
	present := func(n *node) bool {
		return slices.ContainsFunc(n.state().Present(), func(m session.Member) bool { return m.Person == gone.person.ID })
	}
	if present(own) {
		t.Fatal("still present on the own node")
	}
	own.kill()
	s.run(200)
	own.start()
	if present(own) {
		t.Fatal("present again on the own node after its restart")
	}
	s.run(60_000)
	for i, n := range []*node{own, other} {
		if e := n.state().Group().Epoch; e != epoch || n.state().Phase() != session.PhaseSuspended {
			t.Fatalf("node %d of two: epoch %d of %d, %v while the link was lost", i, e, epoch, n.state().Phase())
		}
	}
	if !present(other) {
		t.Fatal("the other side cannot know of it yet: it must not be told by anything but the log")
	}
	s.net.setCut(0, 1, false)
	took := s.must(t, "go on", 5000, map[string]bool{gone.person.ID: true})
	s.done(t, map[string]bool{gone.person.ID: true})
	if present(own) || present(other) {
		t.Fatal("present after the link is back")
	}
	t.Logf("back and rid of %s %d ms after the link", gone.person.ID, took)
}

// TestKillEitherNode: kill -9; the node's people are back within 5 s of its restart, the other side's keep what they have.
func TestKillEitherNode(t *testing.T) {
	for victim := range 2 {
		s := meeting(t, 2, 6)
		s.nodes[victim].kill()
		s.run(400)
		s.nodes[victim].start() // sooner than link lost: nobody is suspended
		took := s.must(t, "short", 5000, nil)
		if s.alarms[ledger.AlarmLinkLost] != 0 {
			t.Fatal("a short restart is no loss of the link")
		}
		s.nodes[victim].kill()
		s.run(3000)
		for _, c := range s.people {
			if c.n.index != victim && !c.connected {
				t.Fatal("the other side lost its people")
			}
		}
		s.nodes[victim].start()
		long := s.must(t, "long", 5000, nil)
		s.done(t, nil)
		t.Logf("node %d: %d ms, %d ms after the restart", victim, took, long)
	}
}

// TestEveryoneReloads: nobody holds the group, the log names a founder.
func TestEveryoneReloads(t *testing.T) {
	s := meeting(t, 2, 8)
	for _, c := range s.people {
		c.reload()
	}
	s.run(50)
	took := s.must(t, "again", 6000, nil)
	s.done(t, nil)
	if k := s.nodes[0].kinds(); k[act.KindGroupNew] < 2 {
		t.Fatal(k)
	}
	t.Logf("everybody on one epoch %d ms after", took)
}

// TestOfficersDeviceLost: the first officer's device is gone in the middle of it; the second one's agrees.
func TestOfficersDeviceLost(t *testing.T) {
	s := newSim(t, 12, 2, 4)
	s.plan(0)
	s.officers(1) // officer 0 made the plan and is never seen again
	for _, c := range s.people {
		c.open()
	}
	s.must(t, "agree", 5000, nil)
	s.net.setCut(0, 1, true)
	s.run(4000)
	s.net.setCut(0, 1, false)
	s.must(t, "resume", 5000, nil)
	s.done(t, nil)
}

// TestSamePersonOnTwoDevices: the newer one is in, the older one is told and stops.
func TestSamePersonOnTwoDevices(t *testing.T) {
	s := meeting(t, 2, 4)
	old := s.people[1]
	second := newClient(old.n, old.n.side.PersonOn("p1", "adviser", "second device"), 99)
	s.people = append(s.people, second)
	second.open()
	s.run(3000)
	if !old.over || !bytes.Equal(second.group, s.nodes[0].state().Group().ID) || second.epoch != s.nodes[0].state().Group().Epoch {
		t.Fatalf("old over %v, new epoch %d of %d", old.over, second.epoch, s.nodes[0].state().Group().Epoch)
	}
	if n := len(s.nodes[0].state().Present()); n != 4 {
		t.Fatalf("%d present", n)
	}
}

// TestLateJoin and reload in mid-commit.
func TestLateJoin(t *testing.T) {
	s := newSim(t, 13, 2, 5)
	s.plan(0)
	s.officers(0)
	for i, c := range s.people {
		if c.late = i == 4; !c.late {
			c.open()
		}
	}
	s.run(4000)
	late := s.people[4]
	late.open()
	committer := s.people[0]
	for i := 0; committer.out == nil || committer.out.kind != act.KindCommit; i++ {
		if i > 3000 {
			t.Fatal("no commit under way")
		}
		s.run(1)
	}
	committer.reload() // the page that made the commit is gone before it is ordered
	s.must(t, "join", 5000, nil)
	s.done(t, nil)
}

// TestClockTenMinutesOff: named on both nodes, no joint act passes, nothing is taken from the future; right again, it goes on.
func TestClockTenMinutesOff(t *testing.T) {
	for victim := range 2 {
		for _, skew := range []int64{600_000, -600_000} {
			s := meeting(t, 2, 4)
			n := s.nodes[victim]
			n.kill() // a node's time is its clock at the start and what passed since: only a start brings another
			n.skew = skew
			n.start()
			s.run(4000)
			if s.alarms[ledger.AlarmClock] < 2 || !s.suspendedFor(s.nodes[0], act.ReasonClock) && !s.suspendedFor(s.nodes[1], act.ReasonClock) {
				t.Fatalf("victim %d skew %d: alarms %v", victim, skew, s.alarms)
			}
			n.kill()
			n.skew = 0
			n.start()
			s.must(t, "right again", 8000, nil)
			s.done(t, nil)
		}
	}
}

// TestHeldBack: the sequencer drops one person's acts while its heartbeats flow. The own node names it after 3 s, keeps the
// evidence, and stops the session after 6 s.
func TestHeldBack(t *testing.T) {
	s := meeting(t, 2, 4)
	s.nodes[1].tamper = func(_ *node, f *linkpb.LinkFrame) *linkpb.LinkFrame {
		if f.GetForward() != nil {
			return nil
		}
		return f
	}
	c := s.people[1]
	start := s.now
	c.send(act.KindPublish, act.Publish{Track: sessiontest.TrackID("x"), Source: act.SourceMicrophone, Codec: "opus"})
	took := s.runUntil(5000, func() bool { return s.alarms[ledger.AlarmHeldBack] > 0 })
	if took < 2500 || took > 3600 {
		t.Fatalf("named after %d ms", took)
	}
	if s.runUntil(5000, func() bool { return s.suspendedFor(s.nodes[0], act.ReasonHeldBack) }) < 0 {
		t.Fatal("the suspension did not reach the sequencer's side: outbox items need no goodwill to be signed")
	}
	ev := s.nodes[1].disk.Evidence
	if len(ev) == 0 || ev[0].Kind != ledger.AlarmHeldBack || ev[0].Of != s.nodes[0].id {
		t.Fatal("no evidence", ev)
	}
	t.Logf("named after %d ms, stopped after %d ms", took, s.now-start)
}

// TestReplayed: an act recorded on the link and sent again is in the log once; changed, it is refused.
func TestReplayed(t *testing.T) {
	s := meeting(t, 2, 4)
	var seen []*linkpb.LinkFrame
	s.nodes[1].tamper = func(_ *node, f *linkpb.LinkFrame) *linkpb.LinkFrame {
		if f.GetForward() != nil || f.GetOutbox() != nil {
			seen = append(seen, f)
		}
		return f
	}
	c := s.people[1]
	c.send(act.KindPublish, act.Publish{Track: sessiontest.TrackID("x"), Source: act.SourceMicrophone, Codec: "opus"})
	s.run(500)
	c.send(act.KindMute, act.Mute{Track: sessiontest.TrackID("x")})
	s.run(500)
	if len(seen) < 2 {
		t.Fatal(len(seen))
	}
	before := len(s.nodes[0].disk.Entries)
	for range 5 {
		for _, f := range seen {
			s.nodes[0].do(s.nodes[0].book.Peer(s.nodes[1].id, s.scope, f, s.now))
		}
		s.run(100)
	}
	if len(s.nodes[0].disk.Entries) != before {
		t.Fatal("ordered again")
	}
	s.done(t, nil)
}

// TestFork: the sequencer's node is a liar with the true key: it signs two entries for one place. The follower keeps the first,
// keeps both as evidence, stops, and shows its people why. It countersigns nothing more of that term.
func TestFork(t *testing.T) {
	s := meeting(t, 2, 4)
	liar, honest := s.nodes[0], s.nodes[1]
	last := honest.disk.Entries[len(honest.disk.Entries)-1]
	var e act.Entry
	if err := canon.Decode(last.Bytes, &e); err != nil {
		t.Fatal(err)
	}
	e.At++
	b := act.Encode(e)
	hash := act.Hash(b)
	sig := liar.side.Node.Sign(act.ContextHead, session.HeadAfter(s.scope[:], e.Term, e.Index, hash[:]))
	push := &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: s.scope[:], Entry: b, Signatures: sigPB(liar.side.ID, sig)}}}
	honest.do(honest.book.Peer(liar.id, s.scope, push, s.now))
	s.run(500)
	if !s.suspendedFor(honest, act.ReasonFork) || s.alarms[ledger.AlarmFork] == 0 {
		t.Fatal("not stopped", s.alarms)
	}
	if ev := honest.ledger().Evidence(); len(ev) != 1 || ev[0].Of != liar.id || !bytes.Contains(ev[0].A, b[:64]) || len(ev[0].B) == 0 {
		t.Fatal("evidence", len(ev))
	}
	// The evidence survives a restart, and so does the distrust.
	honest.kill()
	honest.start()
	next := len(honest.disk.Entries)
	s.run(3000)
	if len(honest.disk.Entries) != next {
		t.Fatal("follows the liar again")
	}
	// A forged one, signed by another key, is not believed.
	other := s.nodes[1].side.Node.Sign(act.ContextHead, session.HeadAfter(s.scope[:], e.Term, e.Index, hash[:]))
	push.GetEntry().Signatures = sigPB(liar.side.ID, other)
	honest.do(honest.book.Peer(liar.id, s.scope, push, s.now))
	if n := len(honest.ledger().Evidence()); n != 1 {
		t.Fatal("believed a forgery", n)
	}
}

// TestRulesBroken: the sequencer orders what the rules refuse (a ghost's join). The follower accuses and stops.
func TestRulesBroken(t *testing.T) {
	s := meeting(t, 2, 4)
	liar, honest := s.nodes[0], s.nodes[1]
	ghost := liar.side.Person("ghost", "adviser")
	st := honest.state()
	s.w.Now = s.now
	entry := s.w.Entry(st, s.w.Join(ghost, "ghost leaf"))
	term, next, _ := st.Head()
	sig := s.w.HeadSig(liar.side, term, next, entry)
	push := &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: s.scope[:], Entry: entry, Signatures: sigPB(sig.Side, sig.Sig)}}}
	honest.do(honest.book.Peer(liar.id, s.scope, push, s.now))
	s.run(300)
	if s.alarms[ledger.AlarmRules] != 1 || !s.suspendedFor(honest, act.ReasonFork) || honest.state().Seen(act.IDOf(nil)) {
		t.Fatal(s.alarms)
	}
	if len(honest.state().Present()) != 4 {
		t.Fatal("the ghost is in")
	}
}

// TestDiskFull: those who wait are told; nothing of the turn is anywhere; with room again it goes on.
func TestDiskFull(t *testing.T) {
	s := meeting(t, 2, 4)
	n := s.nodes[1]
	n.full = true
	var got []ledger.Answer
	signed := s.w.Officer(n.side, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer})
	n.submit(act.Encode(signed), act.IDOf(signed.Act), func(a ledger.Answer) { got = append(got, a) })
	s.run(100)
	if len(got) != 1 || got[0].Problem == nil || got[0].Problem.Code != problem.DiskFull {
		t.Fatal(got)
	}
	if n.state().Phase() != session.PhaseAgreed {
		t.Fatal("in effect without being durable")
	}
	n.full = false
	s.must(t, "room again", 8000, nil)
	s.done(t, nil)
}

// TestJointAfterOutbox: a joint act waits for the items that a peer's heartbeat has told of, so that nobody consents over a
// suspension that is still on its way.
func TestJointAfterOutbox(t *testing.T) {
	s := meeting(t, 2, 4)
	lossy := true
	s.nodes[1].tamper = func(_ *node, f *linkpb.LinkFrame) *linkpb.LinkFrame {
		if lossy && f.GetOutbox() != nil {
			return nil
		}
		return f
	}
	s.stop(s.nodes[1])
	s.run(300) // heartbeats tell of the item, the item does not come
	start := len(s.nodes[0].disk.Entries)
	signed := s.w.Officer(s.nodes[0].side, 0, act.KindClose, act.Close{})
	s.nodes[0].submit(act.Encode(signed), act.IDOf(signed.Act), func(ledger.Answer) {})
	s.run(1000)
	if len(s.nodes[0].disk.Entries) != start {
		t.Fatal("ordered before the peer's item")
	}
	lossy = false
	s.run(1000)
	if k := kindAt(s.nodes[0], start); k != act.KindSuspend {
		t.Fatalf("%s came first", k)
	}
	if !s.nodes[0].state().Seen(act.IDOf(signed.Act)) {
		t.Fatal("and then the joint act")
	}
}

func kindAt(n *node, i int) act.Kind {
	if i >= len(n.disk.Entries) {
		return ""
	}
	var a act.Act
	for _, signed := range actsIn(n.disk.Entries[i].Bytes) {
		_ = canon.Decode(signed.Act, &a)
	}
	return a.Kind
}

// TestDiskOfYesterday: the sequencer's file is restored from a backup. It takes back from its peer what it signed since, and
// only then orders: no fork.
func TestDiskOfYesterday(t *testing.T) {
	s := meeting(t, 2, 4)
	n := s.nodes[0]
	old := ledger.Saved{Scope: n.disk.Scope, Entries: slices.Clone(n.disk.Entries), Items: slices.Clone(n.disk.Items), Heads: slices.Clone(n.disk.Heads)}
	s.people[0].reload()
	s.run(30)
	s.must(t, "reload", 5000, nil)
	if len(old.Entries) == len(n.disk.Entries) {
		t.Fatal("nothing happened since yesterday")
	}
	n.kill()
	n.disk = old
	s.run(100)
	n.start()
	c := s.people[2] // a person of its own side is there at once, before the peer's first heartbeat
	c.shut()
	c.open()
	s.run(30)
	s.must(t, "go on", 6000, nil)
	if s.alarms[ledger.AlarmFork] != 0 {
		t.Fatal("a fork in good faith")
	}
	s.done(t, nil)
}

// TestForgedEntry: the next entry, sound by the rules, but not signed by the sequencer's node. It is not taken, and nobody is
// accused for it.
func TestForgedEntry(t *testing.T) {
	s := meeting(t, 3, 3)
	honest, carrier := s.nodes[1], s.nodes[2]
	st := honest.state()
	s.w.Now = s.now
	entry := s.w.Entry(st, s.w.Officer(carrier.side, 0, act.KindClose, act.Close{}))
	term, next, _ := st.Head()
	forged := s.w.HeadSig(carrier.side, term, next, entry)
	for _, claimed := range [][]byte{s.nodes[0].side.ID, carrier.side.ID} {
		push := &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: s.scope[:], Entry: entry, Signatures: sigPB(claimed, forged.Sig)}}}
		honest.do(honest.book.Peer(carrier.id, s.scope, push, s.now))
	}
	s.run(200)
	if n := uint64(len(honest.disk.Entries)); n != next || len(honest.ledger().Evidence()) != 0 {
		t.Fatalf("%d entries, %d pieces of evidence", n, len(honest.ledger().Evidence()))
	}
}
