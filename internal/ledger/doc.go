// Package ledger keeps the order of a scope's log on one node: sequencer, outboxes, countersignatures, terms, link lost and
// held back. It is a pure engine. A Ledger takes bytes and the time, and returns effects; it owns no goroutine, socket,
// timer or disk, so that two nodes and their network can be run as one simulation (internal/sim).
//
// # Durable, then published, then answered
//
// Each input is one turn. Whatever a turn wants kept is one Persist with a token. Everything the turn wants to say (to peers,
// to clients, to the submitter) is held until Persisted(token) comes back, and so is what later turns want to say, in order.
// So nobody has ever heard of an entry, an item, a countersignature or a promise that a crash could take back; and a heartbeat
// (Head) names only what is durable. If the write fails, Failed answers those who wait, and the driver builds the ledger anew
// from the store: replay runs the code of the happy path.
//
// # Who says what
//
// The sequencer orders: it asks the rules (package session), writes the entry, signs the head. Every other node asks the same
// rules again and countersigns, or refuses and suspends with the evidence. Unilateral acts go to the node's own chain, are in
// effect there at once, and are contained by the sequencer exactly once, because the rules want each side's chain without a
// gap or a repeat. All messages may be lost, doubled or reordered: entries and items are named by place and hash, acts by
// their id, and every heartbeat says what is held, so that the receiver fetches what it lacks.
//
// docs/states.md has the table of states and docs/decisions/0004-order-and-liveness.md the reasons.
package ledger

// Time. Every input takes now, ms since the epoch. It must not jump, because a jump would look like silence on the link: the driver gives
// the wall clock at its start and what passed since (monotonic). When it sets its clock anew it says so first (ClockSet).

// Times, in ms. The first three are the protocol's (design §2), the others our own choices.
const (
	HeartbeatEvery = 250
	LinkLostAfter  = 1500 // without a heartbeat
	HeldBackAfter  = 3000 // neither ordered nor refused, while heartbeats flow
	ClockOffBy     = 2000

	resendEvery     = 500
	fetchEvery      = 200
	answerFetchEach = 50
	introduceEvery  = 1000 // entry 0 to a peer that does not know the scope
	quietAfterClose = 10 * 60 * 1000
	suspendHeldBack = 2 * HeldBackAfter // named first, suspended when the resends did not help
	settleAfterBoot = 2500              // a sequencer that restarted waits so long for the peers' heads
	clockBeats      = 4                 // heartbeats in a row that must agree that a clock is off, or right
)

// Bounds. A peer is hostile by assumption.
const (
	maxPending    = 512 // own acts on their way to the sequencer
	maxRefused    = 4096
	maxEvidence   = 64
	maxAhead      = 4096 // items of a peer's outbox held and not ordered
	fetchEntries  = 256
	fetchBytes    = 2 << 20
	maxParamBytes = 64
)
