package sim

import (
	"bytes"
	"flag"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

var (
	seeds   = flag.Int("sim.seeds", 250, "how many seeds TestSeeds runs")
	oneSeed = flag.Uint64("sim.seed", 0, "run this seed only, with a trace")
)

// TestSeeds lets everything go wrong at random for 25 s, then stops the faults and asks whether all is well.
func TestSeeds(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 60)
	}
	if *oneSeed != 0 {
		runSeed(t, *oneSeed, true)
		return
	}
	total := map[ledger.AlarmKind]int{}
	for seed := uint64(1); seed <= uint64(n); seed++ {
		for k, v := range runSeed(t, seed, false) {
			total[k] += v
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d seeds; alarms %v; %d starts from a snapshot", n, total, resumed)
	if n >= 20 && resumed == 0 {
		t.Error("no start from a snapshot: nothing was compared")
	}
}

func runSeed(t *testing.T, seed uint64, trace bool) map[ledger.AlarmKind]int {
	return runSeedOn(t, seed, trace, func(*sim) {})
}

func runSeedOn(t *testing.T, seed uint64, trace bool, prepare func(*sim)) map[ledger.AlarmKind]int {
	sides := 2
	if seed%4 == 0 {
		sides = 3
	}
	s := newSim(t, seed, sides, 2+int(seed*7%9))
	s.trace = trace
	prepare(s)
	for _, n := range s.nodes {
		n.skew = s.between(-600, 600) // clocks that are only a little off are no reason for anything
	}
	s.officers(int(seed % 2))
	s.plan(int(seed) % sides)
	for i, c := range s.people {
		c.late = i > 1 && s.chance(0.3)
		if !c.late {
			s.after(s.between(0, 1500), c.open)
		}
	}
	s.net.loss, s.net.dup = s.rng.Float64()*0.2, s.rng.Float64()*0.1
	s.net.delay = s.between(5, 120)
	revoked := s.faults(25_000)
	s.run(25_000)
	s.heal()
	s.run(3000) // what the last fault leads to
	took := s.runUntil(bound, func() bool { return s.settled(revoked) == "" })
	if s.broken == "" && took < 0 {
		s.fail("not settled %d ms after the faults: %s", bound, s.settled(revoked))
	}
	s.finish(revoked)
	if s.broken != "" {
		t.Errorf("seed %d: %s\n  run again: go test ./internal/sim -run TestSeeds -sim.seed=%d -v", seed, s.broken, seed)
	}
	s.log("settled after %d ms", took)
	return s.alarms
}

// bound is how long after the last fault everybody must be on one epoch, officers consenting.
const bound = 25_000

// faults schedules what goes wrong, and says who will be revoked.
func (s *sim) faults(until int64) map[string]bool {
	revoked := map[string]bool{}
	count := int(s.between(3, 12))
	for range count {
		at := s.between(1500, until-500)
		switch s.rng.IntN(9) {
		case 0, 1:
			a := s.rng.IntN(len(s.nodes))
			b := (a + 1) % len(s.nodes)
			s.after(at, func() { s.net.setCut(a, b, true) })
			s.after(at+s.between(100, 8000), func() { s.net.setCut(a, b, false) })
		case 2, 3:
			n := s.nodes[s.rng.IntN(len(s.nodes))]
			s.after(at, n.kill)
			s.after(at+s.between(50, 5000), func() {
				if !n.up {
					n.start()
				}
			})
		case 4, 5:
			c := s.people[s.rng.IntN(len(s.people))]
			s.after(at, func() {
				if c.on {
					c.reload()
				}
			})
		case 6:
			s.after(at, func() {
				s.log("everyone reloads")
				for _, c := range s.people {
					if c.on {
						c.reload()
					}
				}
			})
		case 7:
			c := s.people[s.rng.IntN(len(s.people))]
			if len(revoked) < len(s.people)/2 {
				revoked[c.person.ID] = true
				s.after(at, func() { s.revoke(c) })
			}
		case 8:
			n := s.nodes[s.rng.IntN(len(s.nodes))]
			s.after(at, func() { n.full = true })
			s.after(at+s.between(50, 1500), func() { n.full = false })
		}
	}
	for _, c := range s.people {
		if c.late {
			s.after(s.between(3000, until), c.open)
		}
	}
	return revoked
}

// revoke is tried until the own node has taken it, as an officer's client does.
func (s *sim) revoke(c *client) {
	r := canon.Encode(c.person.Side.Officers[1].SignBody(ident.ContextRevocation, ident.Revocation{
		Version: 1, Side: c.person.Side.ID, Person: c.person.ID, Reason: "device lost", At: s.now, By: c.person.Side.Officers[1].Public()}))
	signed := s.w.Officer(c.person.Side, 1, act.KindRevoke, act.Revoke{Revocation: r})
	s.send(c, signed)
}

func (s *sim) send(c *client, signed act.Signed) {
	again := func() { s.after(300, func() { s.send(c, signed) }) }
	if !c.n.up || c.n.state().Phase() == session.PhaseNone || c.n.state().Phase() == session.PhasePlanned {
		again()
		return
	}
	gen, done := c.n.gen, false
	c.n.submit(act.Encode(signed), act.IDOf(signed.Act), func(a ledger.Answer) {
		done = true
		if a.Problem != nil {
			s.log("revocation of %s refused: %v", c.person.ID, a.Problem)
			again()
			return
		}
		s.log("%s is revoked on its own node", c.person.ID)
		for _, m := range c.n.state().Present() {
			if m.Person == c.person.ID {
				s.fail("%s is revoked and still present on its own node", c.person.ID)
			}
		}
	})
	s.after(2000, func() {
		if !done && c.n.gen != gen {
			again()
		}
	})
}

func (s *sim) heal() {
	s.calm = true
	s.log("faults are over")
	s.net.loss, s.net.dup = 0, 0
	for a := range s.nodes {
		for b := range a {
			s.net.setCut(a, b, false)
		}
	}
	for _, n := range s.nodes {
		n.full = false
		if !n.up {
			n.start()
		}
	}
	for _, c := range s.people {
		if !c.on {
			c.open()
		}
	}
}

// settled says what is not yet well, or "".
func (s *sim) settled(revoked map[string]bool) string {
	first := s.nodes[0].state()
	_, next, hash := first.Head()
	for _, n := range s.nodes {
		if _, o, h := n.state().Head(); !n.up || o != next || h != hash {
			return "logs differ in length"
		}
		if n.state().Overlays() > 0 {
			return "outbox items are not ordered"
		}
	}
	if first.Phase() != session.PhaseAgreed {
		return "session is " + first.Phase()
	}
	if len(first.PendingAdds()) > 0 || len(first.PendingRemoves()) > 0 {
		return "adds or removes are pending"
	}
	g := first.Group()
	for _, c := range s.people {
		if revoked[c.person.ID] {
			continue
		}
		if c.over || !c.connected || c.out != nil {
			return c.person.ID + " is not there"
		}
		if !bytes.Equal(c.group, g.ID) || c.epoch != g.Epoch || len(g.ID) == 0 {
			return c.person.ID + " is not on the current epoch"
		}
	}
	return ""
}

// finish checks what must hold in the end.
func (s *sim) finish(revoked map[string]bool) {
	if s.broken != "" {
		return
	}
	want := s.nodes[0].state().Summary()
	for _, n := range s.nodes {
		if !bytes.Equal(n.state().Summary(), want) {
			s.fail("state of node %d differs", n.index)
		}
		n.kinds()
	}
	for _, c := range s.people {
		if !c.over && !bytes.Equal(c.st.Summary(), want) {
			s.fail("state of %s differs", c.person.ID)
		}
	}
	log := s.nodes[0].disk.Entries
	for id, i := range s.acked {
		if i >= uint64(len(log)) || !holds(log[i], id) {
			s.fail("acknowledged act %x is not at %d", id[:4], i)
		}
	}
	for id := range s.kept {
		if !s.nodes[0].state().Seen(id) {
			s.fail("acknowledged unilateral act %x is lost", id[:4])
		}
	}
	for _, leaf := range s.nodes[0].state().LeafRoster() {
		if m, _ := s.nodes[0].state().Member(leaf.Join); revoked[m.Person] && leaf.Leaf >= 0 {
			s.fail("%s is revoked and holds leaf %d", m.Person, leaf.Leaf)
		}
	}
}

func holds(e ledger.Entry, id act.ID) bool {
	for _, a := range actsIn(e.Bytes) {
		if act.IDOf(a.Act) == id {
			return true
		}
	}
	return false
}

// TestQuiet is a meeting in which nothing goes wrong: how long things take, and that no alarm sounds.
func TestQuiet(t *testing.T) {
	s := newSim(t, 1, 2, 6)
	s.officers(0)
	s.plan(1)
	for _, c := range s.people {
		c.open()
	}
	took := s.runUntil(5000, func() bool { return s.settled(nil) == "" })
	s.run(20_000)
	s.finish(nil)
	if s.broken != "" || took < 0 || len(s.alarms) != 0 {
		t.Fatalf("took %d: %s %s %v", took, s.broken, s.settled(nil), s.alarms)
	}
	t.Logf("plan to everybody on one epoch: %d ms; %v", took, s.nodes[0].kinds())
	_ = sessiontest.Start
}
