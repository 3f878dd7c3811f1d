package ident

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"filippo.io/mldsa"

	"parley.link/parley/internal/canon"
)

const redacted = "redacted"

// Key is an Ed25519 private key of a node, a device or one session. It has no printable form.
type Key struct{ ed ed25519.PrivateKey }

// GenerateKey makes a key from 32 bytes of r (crypto/rand.Reader outside of tests).
func GenerateKey(r io.Reader) (Key, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(r, seed); err != nil {
		return Key{}, fmt.Errorf("read key seed: %w", err)
	}
	return KeyFromSeed(seed)
}

// KeyFromSeed makes the key of a 32-byte seed (RFC 8032 §5.1.5).
func KeyFromSeed(seed []byte) (Key, error) {
	if len(seed) != ed25519.SeedSize {
		return Key{}, ErrBounds
	}
	return Key{ed25519.NewKeyFromSeed(seed)}, nil
}

// Seed is the secret to keep in a file.
func (k Key) Seed() []byte { return k.ed.Seed() }

// IsZero says whether k holds no key.
func (k Key) IsZero() bool { return len(k.ed) == 0 }

// Public is the 32-byte public key.
func (k Key) Public() []byte { return append([]byte(nil), k.ed[32:]...) }

// Signer is the standard library's key, for TLS certificates only.
func (k Key) Signer() ed25519.PrivateKey { return k.ed }

// Sign signs bytes in a context.
func (k Key) Sign(context string, b []byte) []byte {
	return ed25519.Sign(k.ed, canon.Message(context, b))
}

// SignBody signs one structure of this package (accreditation, revocation, session certificate, link card).
func (k Key) SignBody(context string, body Body) Signed {
	b := canon.Encode(body)
	return Signed{Body: b, Ed25519: k.Sign(context, b)}
}

func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Key) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }

// DelegationSeedSize is the size of a delegation key's secret: an Ed25519 seed and an ML-DSA-65 seed (FIPS 204 §5.1).
const DelegationSeedSize = ed25519.SeedSize + mldsa.PrivateKeySize

// Delegation is a side's root private key. It lives on an offline machine and has no printable form.
type Delegation struct {
	ed Key
	ml *mldsa.PrivateKey
}

// GenerateDelegation makes a delegation key from 64 bytes of r.
func GenerateDelegation(r io.Reader) (Delegation, error) {
	seed := make([]byte, DelegationSeedSize)
	if _, err := io.ReadFull(r, seed); err != nil {
		return Delegation{}, fmt.Errorf("read delegation seed: %w", err)
	}
	return DelegationFromSeed(seed)
}

// DelegationFromSeed makes the delegation key of a 64-byte seed.
func DelegationFromSeed(seed []byte) (Delegation, error) {
	if len(seed) != DelegationSeedSize {
		return Delegation{}, ErrBounds
	}
	ed, err := KeyFromSeed(seed[:ed25519.SeedSize])
	if err != nil {
		return Delegation{}, err
	}
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), seed[ed25519.SeedSize:])
	if err != nil {
		return Delegation{}, fmt.Errorf("make ML-DSA-65 key: %w", err)
	}
	return Delegation{ed: ed, ml: ml}, nil
}

// Seed is the 64-byte secret to keep offline.
func (d Delegation) Seed() []byte { return append(d.ed.Seed(), d.ml.Bytes()...) }

// Public is the side's root public key.
func (d Delegation) Public() DelegationKey {
	return DelegationKey{Version: Version, Ed25519: d.ed.Public(), MLDSA65: d.ml.PublicKey().Bytes()}
}

// Side is the id of the side.
func (d Delegation) Side() [32]byte { return SideID(d.Public()) }

// SignNode certifies a node key.
func (d Delegation) SignNode(c NodeCert) (Signed, error) { return d.sign(ContextNode, c) }

// SignOfficer certifies an officer's device.
func (d Delegation) SignOfficer(c OfficerCert) (Signed, error) { return d.sign(ContextOfficer, c) }

// sign makes both signatures. ML-DSA signs deterministically (FIPS 204 §3.4): an offline machine may have a poor source of
// randomness, and the same certificate is then the same bytes.
func (d Delegation) sign(context string, body Body) (Signed, error) {
	s := d.ed.SignBody(context, body)
	sig, err := d.ml.SignDeterministic(canon.Message(context, s.Body), nil)
	if err != nil {
		return Signed{}, fmt.Errorf("sign with ML-DSA-65: %w", err)
	}
	s.MLDSA65 = sig
	return s, nil
}

func (Delegation) String() string               { return redacted }
func (Delegation) GoString() string             { return redacted }
func (Delegation) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Delegation) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }
func (Delegation) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Delegation) LogValue() slog.Value         { return slog.StringValue(redacted) }
