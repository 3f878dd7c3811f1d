// Package act holds the words of the ordered log: what an act, a log entry, an outbox item and a head are, and their bytes.
//
// Every byte form is canonical CBOR (package canon). Every signature is Ed25519 over a context string, a zero byte and the
// bytes (see Message), so that no signature made for one purpose can be shown for another.
package act

import (
	"crypto/sha256"
	"errors"

	"parley.link/parley/internal/canon"
)

// Version is the version of every structure in this package. A peer that names another is refused by name.
const Version = 1

// Signature contexts.
const (
	ContextAct    = "parley act v1"
	ContextEntry  = "parley entry v1" // hash context of an entry; heads sign the hash
	ContextHead   = "parley head v1"
	ContextOutbox = "parley outbox v1"
)

// Sizes, in bytes.
const (
	ScopeSize = 32
	IDSize    = 32
	KeySize   = 32
	NonceSize = 16
	MaxAct    = 768 << 10
)

// ErrBounds is returned for a structure whose fields have a wrong length or number.
var ErrBounds = errors.New("act: field out of bounds")

// Kind names what an act does.
type Kind string

const (
	KindPlan     Kind = "plan"      // officer: proposes the session; entry 0 of a log
	KindConsent  Kind = "consent"   // officer: agrees to a proposal (plan, admit, resume, close, extend) by its act id
	KindAdmit    Kind = "admit"     // officer, joint: names one more person for the format
	KindJoin     Kind = "join"      // person: accreditation, session key, KeyPackage
	KindLeave    Kind = "leave"     // person, unilateral
	KindLost     Kind = "lost"      // node, unilateral: a device of its own side has gone without leaving
	KindPublish  Kind = "publish"   // person: announces a track
	KindWithdraw Kind = "withdraw"  // person, unilateral
	KindMute     Kind = "mute"      // person, unilateral
	KindUnmute   Kind = "unmute"    // person
	KindSuspend  Kind = "suspend"   // officer or node, unilateral
	KindResume   Kind = "resume"    // officer, joint
	KindClose    Kind = "close"     // officer, joint
	KindExtend   Kind = "extend"    // officer, joint: a later end of the plan's time
	KindRevoke   Kind = "revoke"    // officer, unilateral: ends one of its own side's accreditations
	KindGroupNew Kind = "group-new" // person: founds a group when no live member holds one
	KindCommit   Kind = "commit"    // person: an MLS commit
	KindTerm     Kind = "term"      // officers of every side: a new sequencer
)

// Act is what a device or a node signs.
type Act struct {
	Version int    `cbor:"v"`
	Scope   []byte `cbor:"scope"`
	Kind    Kind   `cbor:"kind"`
	Side    []byte `cbor:"side"`  // id of the author's side
	Key     []byte `cbor:"key"`   // Ed25519 public key of the signing device or node
	At      int64  `cbor:"at"`    // author's clock, ms since the epoch; informative
	Nonce   []byte `cbor:"nonce"` // makes every act id unique, so that a replay is seen
	Body    []byte `cbor:"body"`  // canonical bytes of the body that Kind names
}

// Signed is an act as it travels and is kept.
type Signed struct {
	Act []byte `cbor:"act"`
	Sig []byte `cbor:"sig"`
}

// ID is the SHA-256 of an act's bytes.
type ID [IDSize]byte

// IDOf names an act by its bytes.
func IDOf(actBytes []byte) ID { return sha256.Sum256(actBytes) }

// Message is what a signature in the given context covers.
func Message(context string, b []byte) []byte { return canon.Message(context, b) }

// Item kinds of an entry.
const (
	ItemAct    = "act"    // Item is canonical Signed
	ItemOutbox = "outbox" // Item is canonical SignedOutbox
)

// Entry is one place in a scope's log. Its hash chains to the entry before it.
type Entry struct {
	Version int    `cbor:"v"`
	Scope   []byte `cbor:"scope"`
	Term    uint64 `cbor:"term"`
	Index   uint64 `cbor:"index"`
	Prev    []byte `cbor:"prev"` // 32 zero bytes at index 0
	At      int64  `cbor:"at"`   // sequencer's clock, ms; never before the previous entry's
	From    string `cbor:"from"`
	Item    []byte `cbor:"item"`
}

// Hash is the entry's place in the chain.
func Hash(entryBytes []byte) [32]byte { return sha256.Sum256(Message(ContextEntry, entryBytes)) }

// Head states how far a node has checked a log. The sequencer signs it to order, every other node to countersign.
type Head struct {
	Version int    `cbor:"v"`
	Scope   []byte `cbor:"scope"`
	Term    uint64 `cbor:"term"`
	Index   uint64 `cbor:"index"`
	Hash    []byte `cbor:"hash"`
}

// Outbox is one unilateral act on its own node's chain, in effect on that node before it is ordered.
type Outbox struct {
	Version int    `cbor:"v"`
	Scope   []byte `cbor:"scope"`
	Side    []byte `cbor:"side"`
	Seq     uint64 `cbor:"seq"`
	Prev    []byte `cbor:"prev"` // SHA-256 of the previous item's bytes, zero at seq 0
	At      int64  `cbor:"at"`   // node's clock, ms
	Act     []byte `cbor:"act"`  // canonical Signed
}

// SignedOutbox carries the node's signature over the item.
type SignedOutbox struct {
	Item []byte `cbor:"item"`
	Sig  []byte `cbor:"sig"`
}

// NodeSig is one node's signature over a head.
type NodeSig struct {
	Side []byte `cbor:"side"`
	Sig  []byte `cbor:"sig"`
}

// Encode is the canonical form of any structure of this package.
func Encode(v any) []byte { return canon.Encode(v) }
