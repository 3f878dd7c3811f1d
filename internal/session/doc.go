// Package session is the rules of a session: a pure engine that checks each entry of the log, applies it, and says who is in
// the room, who may do what, and which keys belong to whom.
//
// It runs on every node and, written again in TypeScript (web/src/engine/session), in every client. Both replay the same
// transcripts (testdata/transcripts) and must agree byte for byte, because a node that could make a client see another
// state than its peer sees could add people or hide them.
//
// The order of an entry's life:
//
//	Checks   who says it, may they, and which signatures must be verified (no state changes, no cryptography)
//	         the caller verifies the signatures (Verify; in the browser WebCrypto) and the heads (HeadChecks)
//	Apply    the same rules again, then the new state; on an error nothing has changed
//
// Two states live side by side. The ordered state is a function of the log alone and is the only one that decides about
// entries. The effective state is the ordered state with the outbox items on top that are not yet ordered (Overlay); what people
// see and whose media is forwarded follows it. When all items are ordered the two are one.
//
// An outbox item is in effect on its node before it is ordered, so ordering must not fail because others were faster: an
// item whose act has lost its object (the track is gone, the session is closed) is ordered without effect ("void"). An item
// that its author was never allowed to write is refused.
package session
