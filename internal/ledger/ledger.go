package ledger

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// Config is what a ledger is given for its life.
type Config struct {
	Scope  Scope
	Own    Side
	Key    []byte                                // node key, Ed25519 public
	Sign   func(context string, b []byte) []byte // with the node key
	Verify func([]session.Check) error           // session.Verify
	Nonce  func() [act.NonceSize]byte            // for the node's own acts

	// Validate, if set, is what the node can say of an entry beyond the rules: the MLS bytes in it (package mlsframe). It is asked after
	// the rules and the signatures, before an entry is ordered and before one is countersigned, and must depend on nothing but its
	// arguments. A peer that ordered what it refuses is caught like one that broke a rule.
	Validate func(st *session.State, entry []byte) error

	// Build names the program. A snapshot of another build is not used: its rules may have been others.
	Build string
}

// Ledger is the order of one scope on one node. It is owned by one goroutine.
type Ledger struct {
	cfg      Config
	state    *session.State
	plan     *act.Plan // from entry 0, or the proposed one before there is an entry
	log      []Entry
	index    map[act.ID]uint64 // acts in the log
	chains   map[Side]*chain
	peers    map[Side]*peer
	pending  []*pending
	refused  refusals
	turns    turns
	evidence []Evidence
	halted   map[Side]bool // sides whose node was caught: their order is not followed any more
	promise  Promise
	votes    map[Side][]byte
	boot     int64    // when a sequencer came back from disk; 0: settled
	ticked   int64    // when Tick last ran
	proof    [32]byte // over all entries; see Snapshot
	resumed  uint64
	ignored  error
}

// New makes the ledger of a scope that has no entry yet.
func New(cfg Config) *Ledger {
	return &Ledger{
		cfg: cfg, state: session.New(cfg.Scope), index: map[act.ID]uint64{}, chains: map[Side]*chain{},
		peers: map[Side]*peer{}, halted: map[Side]bool{}, votes: map[Side][]byte{}, refused: refusals{codes: map[act.ID]*problem.Error{}},
	}
}

// Replay makes the ledger of a scope from what the store holds. Every entry, item and signature is checked again by the code
// that checked it when it was new; what does not hold is the problem StoreDamaged. Entries below a snapshot that this node
// sealed were checked then; a snapshot that is not sound, or does not lead on, is ignored (Resumed).
func Replay(cfg Config, s Saved, now int64) (*Ledger, error) {
	if s.Snapshot == nil {
		return replay(New(cfg), s, now)
	}
	l := New(cfg)
	err := l.resume(s, now)
	if err == nil {
		if l, err = replay(l, s, now); err == nil {
			return l, nil
		}
	}
	ignored := err
	if l, err = replay(New(cfg), s, now); err == nil {
		l.ignored = ignored
	}
	return l, err
}

func replay(l *Ledger, s Saved, now int64) (*Ledger, error) {
	for _, e := range s.Entries[l.resumed:] {
		if err := l.replayEntry(e, now); err != nil {
			return nil, problem.New(problem.StoreDamaged, "what", "entry", "why", string(problem.CodeOf(err)))
		}
	}
	if _, next, _ := l.state.Head(); s.Promise != nil && s.Promise.After+1 == next {
		l.promise = *s.Promise
		if p, err := parse(l.promise.Vote); err == nil {
			l.votes[l.cfg.Own] = p.bytes
		}
	}
	for _, it := range s.Items {
		if err := l.replayItem(it); err != nil {
			return nil, problem.New(problem.StoreDamaged, "what", "outbox", "why", string(problem.CodeOf(err)))
		}
	}
	for _, h := range s.Heads {
		if err := l.replayHead(h); err != nil {
			return nil, problem.New(problem.StoreDamaged, "what", "head", "why", string(problem.CodeOf(err)))
		}
	}
	for _, e := range s.Evidence {
		l.evidence = append(l.evidence, e)
		if term, _, _ := l.state.Head(); e.Term == term {
			l.halt(e)
		}
	}
	for _, p := range l.peers {
		p.heard = now
		if p.counter.Sig == nil || p.counter.Index+1 < uint64(len(l.log)) {
			p.behindSince = now
		}
	}
	l.restartWaits(now)
	if l.sequencing() && len(l.log) > 0 {
		l.boot = now
	}
	l.turns = turns{published: l.marks()}
	return l, nil
}

func (l *Ledger) replayEntry(e Entry, now int64) error {
	checks, err := l.state.Checks(e.Bytes)
	if err != nil {
		return err
	}
	heads, err := l.state.HeadChecks(e.Bytes, e.Sigs)
	if err != nil {
		return err
	}
	if err := l.cfg.Verify(append(checks, heads...)); err != nil {
		return err
	}
	if _, err := l.state.Apply(e.Bytes); err != nil {
		return err
	}
	l.remember(e, now)
	return nil
}

// remember does what every entry does to a ledger, new or replayed: chains advance, the plan names the sides.
func (l *Ledger) remember(e Entry, now int64) {
	l.log = append(l.log, e)
	l.prove(e)
	var entry act.Entry
	if canon.Decode(e.Bytes, &entry) != nil {
		return // it passed Checks: this cannot be
	}
	for _, id := range actsOf(entry) {
		l.index[id] = e.Index
	}
	if e.Index == 0 {
		if p, ok := l.state.Plan(); ok {
			l.setPlan(&p, now)
		}
	}
	if entry.From == act.ItemOutbox {
		if it, _, _, err := parseItem(entry.Item); err == nil {
			l.chain(it.Side).ordered(it)
		}
	}
	if l.promise.Term != 0 && l.promise.After < e.Index {
		l.dropPromise()
	}
}

// setPlan learns the sides. Links start as just heard, so that a start is not a loss.
func (l *Ledger) setPlan(p *act.Plan, now int64) {
	l.plan = p
	for _, s := range p.Sides {
		if side := Side(s.ID); side != l.cfg.Own && l.peers[side] == nil {
			l.peers[side] = &peer{heard: now}
		}
	}
}

// sides are the peers in a fixed order, so that a turn's effects do not depend on map order.
func (l *Ledger) sides() []Side {
	out := make([]Side, 0, len(l.peers))
	for s := range l.peers {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Side) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// sequencer is the side whose node orders now; ok is false before there is a plan.
func (l *Ledger) sequencer() (s Side, ok bool) {
	if seq := l.state.Sequencer(); len(seq) == len(s) {
		return Side(seq), true
	}
	if l.plan != nil && len(l.plan.Sequencer) == len(s) {
		return Side(l.plan.Sequencer), true
	}
	return s, false
}

func (l *Ledger) sequencing() bool {
	s, ok := l.sequencer()
	return ok && s == l.cfg.Own
}

// State is the session as this node sees it: its own outbox in effect. It is shared: read it, and only between inputs.
func (l *Ledger) State() *session.State { return l.state }

// Entries are the durable entries from an index on; the slice is shared.
func (l *Ledger) Entries(from uint64) []Entry {
	n := l.turns.published.next
	if from >= n {
		return nil
	}
	return l.log[from:n]
}

// Outbox is the own items in effect and not ordered: canonical act.SignedOutbox.
func (l *Ledger) Outbox() [][]byte {
	var out [][]byte
	for _, it := range l.chain(l.cfg.Own).waiting() {
		if it.Seq < l.turns.published.own {
			out = append(out, it.Bytes)
		}
	}
	return out
}

// Evidence is what was kept against peers.
func (l *Ledger) Evidence() []Evidence { return slices.Clone(l.evidence) }

// Votes are the term acts of officers seen for the next term.
func (l *Ledger) Votes() [][]byte {
	var out [][]byte
	for _, s := range append(l.sides(), l.cfg.Own) {
		if v := l.votes[s]; v != nil {
			out = append(out, v)
		}
	}
	return out
}
