// Package sim runs whole nodes, their clients and officers, and the network between them, in virtual time from a seed: the
// real ledger, session and group engines with real Ed25519 signatures; MLS is reduced to epoch numbers and leaf sets. It has
// nothing but tests. A failure prints its seed; `go test ./internal/sim -run TestSeeds -sim.seed=N -v` runs that one again.
package sim

import (
	"container/heap"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/linkpb"
)

// sim is one run.
type sim struct {
	t       testing.TB
	seed    uint64
	rng     *rand.Rand
	now     int64
	events  events
	seq     int
	w       sessiontest.World
	scope   ledger.Scope
	nodes   []*node
	people  []*client
	net     network
	truth   map[uint64][32]byte // index → hash, of every entry that was ever durable on an honest node
	acked   map[act.ID]uint64   // ordered acks → index
	ackedBy map[act.ID]ack      // the same, of honest nodes
	liar    *liar               // nil: all are honest
	kept    map[act.ID]bool     // acks of unilateral acts
	did     map[act.ID]act.Kind
	alarms  map[ledger.AlarmKind]int
	checked map[[2][32]byte]bool // entry, node
	calm    bool                 // faults are over
	trace   bool
	broken  string
}

type event struct {
	at  int64
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// pristine worlds are made once: ML-DSA keys are slow, and the same for every seed.
var pristine = map[int]*sessiontest.World{}

func newSim(t testing.TB, seed uint64, sides, people int) *sim {
	if pristine[sides] == nil {
		pristine[sides] = sessiontest.New(sides)
	}
	s := &sim{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), now: sessiontest.Start, w: *pristine[sides],
		truth: map[uint64][32]byte{}, acked: map[act.ID]uint64{}, ackedBy: map[act.ID]ack{}, kept: map[act.ID]bool{}, alarms: map[ledger.AlarmKind]int{},
		did: map[act.ID]act.Kind{}, checked: map[[2][32]byte]bool{},
	}
	s.scope = s.w.Scope
	s.net = network{s: s, cut: map[[2]int]bool{}, delay: 20}
	for i, side := range s.w.Sides {
		s.nodes = append(s.nodes, newNode(s, i, side))
	}
	for i := range people {
		n := s.nodes[i%sides]
		s.people = append(s.people, newClient(n, n.side.Person(fmt.Sprint("p", i), "adviser"), i))
	}
	for _, n := range s.nodes {
		n.start()
	}
	return s
}

// after schedules f.
func (s *sim) after(ms int64, f func()) {
	s.seq++
	heap.Push(&s.events, event{s.now + max(ms, 0), s.seq, f})
}

// run lets virtual time pass.
func (s *sim) run(ms int64) {
	until := s.now + ms
	for len(s.events) > 0 && s.events[0].at <= until && s.broken == "" {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
	s.now = until
}

// runUntil runs until ok, at most ms; it reports how long it took, or -1.
func (s *sim) runUntil(ms int64, ok func() bool) int64 {
	start := s.now
	for s.now-start < ms && s.broken == "" {
		if ok() {
			return s.now - start
		}
		s.run(50)
	}
	if ok() {
		return s.now - start
	}
	return -1
}

func (s *sim) between(lo, hi int64) int64 { return lo + s.rng.Int64N(hi-lo+1) }
func (s *sim) chance(p float64) bool      { return s.rng.Float64() < p }

func (s *sim) log(format string, args ...any) {
	if s.trace {
		s.t.Logf("%7d "+format, append([]any{s.now - sessiontest.Start}, args...)...)
	}
}

// fail stops the run; the first reason counts.
func (s *sim) fail(format string, args ...any) {
	if s.broken == "" {
		s.broken = fmt.Sprintf(format, args...)
	}
}

// verified remembers signatures that really verified, because every node and client checks the same ones.
var verified = map[[32]byte]bool{}

func verify(checks []session.Check) error {
	for _, c := range checks {
		h := sha256.New()
		for _, b := range [][]byte{[]byte(c.Alg), c.Key, c.Message, c.Signature} {
			fmt.Fprintf(h, "%d ", len(b))
			h.Write(b)
		}
		k := [32]byte(h.Sum(nil))
		if verified[k] {
			continue
		}
		if err := session.Verify([]session.Check{c}); err != nil {
			return err
		}
		verified[k] = true
	}
	return nil
}

// network carries frames between nodes. Nothing survives a restart or a cut of the connection it was on.
type network struct {
	s     *sim
	cut   map[[2]int]bool
	epoch int // of the connections: a cut kills what is on its way
	loss  float64
	dup   float64
	delay int64 // ms, at most
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// carry calls deliver at the far end, perhaps never, perhaps twice.
func (w *network) carry(from, to *node, deliver func()) {
	copies := 1
	if w.s.chance(w.loss) {
		copies = 0
	}
	if w.s.chance(w.dup) {
		copies++
	}
	fg, tg, key := from.gen, to.gen, pair(from.index, to.index)
	if w.cut[key] || !to.up {
		return
	}
	for range copies {
		w.s.after(w.s.between(1, w.delay), func() {
			if from.gen == fg && to.gen == tg && to.up && !w.cut[key] {
				deliver()
			}
		})
	}
}

func (w *network) setCut(a, b int, cut bool) {
	if w.cut[pair(a, b)] == cut {
		return
	}
	w.cut[pair(a, b)] = cut
	w.s.log("link %d-%d cut=%v", a, b, cut)
	if !cut {
		for _, p := range [][2]int{{a, b}, {b, a}} {
			n, o := w.s.nodes[p[0]], w.s.nodes[p[1]]
			if n.up {
				n.do(n.book.LinkUp(o.id, n.clock()))
			}
		}
	}
}

func (w *network) frame(from *node, to ledger.Side, f *linkpb.LinkFrame) {
	for _, n := range w.s.nodes {
		if n.id == to {
			if w.s.trace {
				w.s.log("frame %d>%d %T", from.index, n.index, f.Body)
			}
			w.carry(from, n, func() {
				if from.tamper != nil {
					if f = from.tamper(n, f); f == nil {
						return
					}
				}
				n.do(n.book.Peer(from.id, w.s.scope, f, n.clock()))
			})
		}
	}
}

func signer(k ident.Key) func(string, []byte) []byte { return k.Sign }
