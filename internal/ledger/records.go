package ledger

import "parley.link/parley/internal/act"

// Side is a side's id (ident.SideID).
type Side = [32]byte

// Scope names a log.
type Scope = [act.ScopeSize]byte

// Entry is one entry as it is kept and pushed: canonical act.Entry, and the signatures over its head that this node
// knew when it stored it (the sequencer's first, then its own).
type Entry struct {
	Index uint64
	Term  uint64
	Hash  [32]byte // act.Hash(Bytes)
	Bytes []byte
	Sigs  []act.NodeSig
}

// Item is one place of a side's outbox chain.
type Item struct {
	Side  Side
	Seq   uint64
	Hash  [32]byte // SHA-256 of act.SignedOutbox.Item, what the next item's Prev holds
	Bytes []byte   // canonical act.SignedOutbox
}

// HeadSig is the newest head that a side's node signed for this log.
type HeadSig struct {
	Side  Side
	Index uint64
	Head  []byte // canonical act.Head
	Sig   []byte
}

// Evidence is what cannot be explained by loss, delay or a crash, kept for both sides to look at. A and B are the two
// things that cannot both be true (or the one thing that cannot be true, in A), as they were received.
type Evidence struct {
	Kind AlarmKind
	Of   Side   // the side whose node is accused
	Term uint64 // of this node's log then: a new term is a new trust
	At   int64
	A, B []byte
}

// Promise is this node's word, given with its own officer's signature under a term act, not to extend the log beyond After
// in any term before Term. It must survive a crash: a forgotten promise is a fork between two honest nodes.
type Promise struct {
	Term  uint64
	After uint64
	Vote  []byte // canonical act.Signed, this side's officer's term act
}

// Records is what one turn of a ledger wants durable, whole or not at all.
type Records struct {
	Entries  []Entry
	Items    []Item // own and peers'
	Heads    []HeadSig
	Evidence []Evidence
	Promise  *Promise // nil: unchanged; Term 0: none any more
}

// Empty reports whether there is nothing to write.
func (r *Records) Empty() bool {
	return len(r.Entries) == 0 && len(r.Items) == 0 && len(r.Heads) == 0 && len(r.Evidence) == 0 && r.Promise == nil
}

// Saved is everything a store holds of one scope. Items hold the whole own outbox, and of peers' outboxes what no entry
// contains yet.
type Saved struct {
	Scope    Scope
	Entries  []Entry
	Items    []Item
	Heads    []HeadSig
	Evidence []Evidence
	Promise  *Promise
	Snapshot *Snapshot // nil: none
}

// AlarmKind names what a node has seen go wrong.
type AlarmKind string

// Alarms. Each has a row in docs/states.md.
const (
	AlarmLinkLost     AlarmKind = "link-lost"     // 1.5 s without a heartbeat
	AlarmLinkBack     AlarmKind = "link-back"     // heartbeats again
	AlarmHeldBack     AlarmKind = "held-back"     // neither ordered nor refused for 3 s while heartbeats flow
	AlarmFork         AlarmKind = "fork"          // two signed things that cannot both be true
	AlarmRules        AlarmKind = "rules"         // the sequencer signed an entry that the rules refuse
	AlarmGap          AlarmKind = "gap"           // the peer says it holds what it does not deliver for 3 s
	AlarmClock        AlarmKind = "clock"         // a node's clock is more than 2 s off
	AlarmClockBack    AlarmKind = "clock-back"    // and is right again
	AlarmNotCountered AlarmKind = "not-countered" // a countersignature missing for 3 s: membership frozen
	AlarmCountered    AlarmKind = "countered"     // and there again
	AlarmTerm         AlarmKind = "term"          // a new term began
)
