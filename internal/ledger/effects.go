package ledger

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// Effect is one thing that the driver does, in the order given.
type Effect interface{ effect() }

// Persist asks for Records to be durable, whole or not at all; then the driver calls Persisted(Token), or Failed.
type Persist struct {
	Token   uint64
	Records Records
}

// ToPeer sends a frame over the link to a side. It may be lost.
type ToPeer struct {
	Side  Side
	Frame *linkpb.LinkFrame
}

// ToClients tells this node's own clients of this scope. Entries come in order without a gap and carry the sequencer's
// signature and this node's. Outbox is canonical act.SignedOutbox, in effect and not yet ordered. Votes are canonical
// act.Signed term acts of officers, for the one who will put them together.
type ToClients struct {
	Entries []Entry
	Outbox  [][]byte
	Heads   []HeadSig
	Votes   [][]byte
}

// Answer ends a Submit: Problem nil is success. Ordered false is a unilateral act, or a vote for a term, durable here.
type Answer struct {
	Act     act.ID
	Index   uint64
	Ordered bool
	Problem *problem.Error
}

// Alarm names what went wrong, or that it is over, to the people of this side and to its security log.
type Alarm struct {
	Kind AlarmKind
	Of   Side // the peer concerned
	At   int64
	Act  act.ID // of a held-back act; zero otherwise
}

// Wake asks for Tick no later than At (ms).
type Wake struct{ At int64 }

func (Persist) effect()   {}
func (ToPeer) effect()    {}
func (ToClients) effect() {}
func (Answer) effect()    {}
func (Alarm) effect()     {}
func (Wake) effect()      {}

// Frames.
func frameEntry(scope Scope, e Entry) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: scope[:], Entry: e.Bytes, Signatures: toPB(e.Sigs)}}}
}

func frameOutbox(scope Scope, it Item) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Outbox{Outbox: &linkpb.OutboxPush{Scope: scope[:], Item: it.Bytes}}}
}

func frameForward(scope Scope, signed []byte) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Forward{Forward: &linkpb.ForwardAct{Scope: scope[:], Act: signed}}}
}

func frameRefused(scope Scope, id act.ID, p *problem.Error) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Refused{Refused: &linkpb.RefusedAct{Scope: scope[:], ActId: id[:], Code: string(p.Code), Params: p.Params}}}
}

func frameCountersign(scope Scope, head, sig []byte) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Countersign{Countersign: &linkpb.Countersign{Scope: scope[:], Head: head, Signature: sig}}}
}

func frameFetch(scope Scope, entry, item uint64) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Fetch{Fetch: &linkpb.Fetch{Scope: scope[:], FromIndex: entry, FromOutbox: item}}}
}
