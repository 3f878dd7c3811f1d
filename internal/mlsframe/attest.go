package mlsframe

import (
	"crypto/ed25519"
	"fmt"

	"parley.link/parley/internal/canon"
)

// ContextAttestation is the signature context of attestations.
const ContextAttestation = "parley attestation v1"

// Attested is what a member says its group is after an epoch's commit. Two valid signatures over the same group and epoch
// with different hashes prove a fork.
type Attested struct {
	Version    uint   `cbor:"v"` // 1
	Scope      []byte `cbor:"scope"`
	Group      []byte `cbor:"group"`
	Epoch      uint64 `cbor:"epoch"`
	Transcript []byte `cbor:"transcript"` // confirmed transcript hash
	Tree       []byte `cbor:"tree"`       // tree hash
}

// Bytes is the canonical form, without the context; web/src/keys/attest.ts writes the same.
func (a Attested) Bytes() []byte {
	a.Version = 1
	return canon.Encode(a)
}

// VerifyAttestation checks a member's signature, by its MLS signature key.
func VerifyAttestation(key ed25519.PublicKey, a Attested, signature []byte) error {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, canon.Message(ContextAttestation, a.Bytes()), signature) {
		return fmt.Errorf("%w: attestation", ErrSignature)
	}
	return nil
}
