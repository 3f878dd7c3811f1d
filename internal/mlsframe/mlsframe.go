// Package mlsframe reads MLS handshake messages (RFC 9420) for a node that holds no group secret.
//
// A node orders commits, so it must know what one says before it countersigns it: version, group, epoch, sender, what is
// added and removed, and that every KeyPackage and leaf is signed by the key it shows. It cannot check the commit's own
// signature or tags (they cover secrets it does not have); members do. Whatever lies outside the profile of
// docs/decisions/0002-mls-library.md is refused, so that a hostile peer's node cannot make ours carry it.
package mlsframe

import "errors"

// Errors, each wrapped with what was found.
var (
	ErrMalformed = errors.New("mlsframe: malformed")
	ErrTooLarge  = errors.New("mlsframe: too large")
	ErrVersion   = errors.New("mlsframe: not MLS 1.0")
	ErrSuite     = errors.New("mlsframe: wrong cipher suite")
	ErrProfile   = errors.New("mlsframe: outside the profile")
	ErrSignature = errors.New("mlsframe: signature does not verify")
	ErrGroup     = errors.New("mlsframe: another group")
	ErrEpoch     = errors.New("mlsframe: another epoch")
	ErrLeaf      = errors.New("mlsframe: wrong leaf")
	ErrIdentity  = errors.New("mlsframe: identity or signature key of a leaf changed")
	ErrLifetime  = errors.New("mlsframe: KeyPackage lifetime")
)

// Of RFC 9420.
const (
	versionMLS10          = 1
	wirePublicMessage     = 1
	wireWelcome           = 3
	senderMember          = 1
	contentCommit         = 3
	proposalOrRefProposal = 1
	proposalAdd           = 1
	proposalRemove        = 3
	credentialBasic       = 1
	sourceKeyPackage      = 1
	sourceUpdate          = 2
	sourceCommit          = 3
)

// Suite is MLS_256_XWING_AES256GCM_SHA512_Ed25519, ts-mls's private-use number.
const Suite = 83

// Our bounds; web/src/keys/profile.ts has the same.
const (
	MaxMembers    = 128
	MaxLeaf       = 1023
	MaxCommit     = 1 << 20
	MaxWelcome    = 2 << 20
	MaxKeyPackage = 8 << 10
	MaxIdentity   = 256
	MaxGroupID    = 64
	// Seconds.
	KeyPackageLifetime = 24 * 3600
	ClockSkew          = 3600

	hpkeKeySize    = 1216 // X-Wing
	kemOutputSize  = 1120
	maxList        = 64
	maxCiphertexts = 2 * MaxMembers
	maxPathNodes   = 32
)
