package session

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

// Algorithms of a check.
const (
	Ed25519 = "ed25519"
	MLDSA65 = "mldsa65"
)

// Check is one signature that the caller must verify before Apply. Message holds the context string already.
type Check struct {
	Alg       string
	Key       []byte
	Message   []byte
	Signature []byte
	What      string       // for evidence: "act", "outbox", "accreditation", "node-cert", "head", …
	Code      problem.Code // the problem if it does not verify
}

// Verify verifies every check; the error is a problem with the code of the first that fails.
func Verify(checks []Check) error {
	for _, c := range checks {
		if err := ident.VerifyMessage(c.Alg, c.Key, c.Message, c.Signature); err != nil {
			return problem.New(c.Code, "what", c.What)
		}
	}
	return nil
}

// Effect kinds.
const (
	EffectProposed  = "proposed"
	EffectConsented = "consented"
	EffectAgreed    = "agreed" // the plan is in force
	EffectAdmitted  = "admitted"
	EffectJoined    = "joined"
	EffectReplaced  = "replaced"
	EffectLeft      = "left"
	EffectLost      = "lost"
	EffectRevoked   = "revoked"
	EffectPublished = "published"
	EffectWithdrawn = "withdrawn"
	EffectMuted     = "muted"
	EffectUnmuted   = "unmuted"
	EffectSuspended = "suspended"
	EffectResumed   = "resumed"
	EffectClosed    = "closed"
	EffectExtended  = "extended"
	EffectGroup     = "group"
	EffectEpoch     = "epoch"
	EffectTerm      = "term"
	EffectVoid      = "void" // an outbox item ordered without effect; Code says why
)

// Effect is one thing that an entry did.
type Effect struct {
	Kind  string
	Act   act.ID
	Side  []byte       // author's, or the affected person's
	Join  []byte       // where a member is concerned
	Track string       // where a track is concerned
	Code  problem.Code // of a void
	Early bool         // it was in effect here before, through Overlay
}
