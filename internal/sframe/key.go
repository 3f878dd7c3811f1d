package sframe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const (
	// BaseKeySize is the length of the MLS exporter's output (RFC 9605 §5.2), bytes.
	BaseKeySize = 32
	suiteID     = 5 // AES_256_GCM_SHA512_128
	keySize     = 32
	nonceSize   = 12
	tagSize     = 16
)

// Overhead is what sealing adds at most, bytes.
const Overhead = MaxHeader + tagSize

// ErrForged is returned for a frame whose tag does not verify.
var ErrForged = errors.New("sframe: forged frame")

// BaseKey is the key of an epoch from MLS-Exporter("SFrame 1.0 Base Key", "", 32). It has no printable form.
type BaseKey struct {
	redacted
	// A function: fmt calls no method on unexported fields of a struct that holds a BaseKey and follows pointers under
	// some verbs; of a function it prints the address.
	b func() *[BaseKeySize]byte
}

// NewBaseKey copies the exporter's output and zeroes the argument.
func NewBaseKey(b []byte) (BaseKey, error) {
	var k BaseKey
	if len(b) != BaseKeySize {
		return k, fmt.Errorf("sframe: base key of %d bytes, want %d", len(b), BaseKeySize)
	}
	own := [BaseKeySize]byte(b)
	k.b = func() *[BaseKeySize]byte { return &own }
	clear(b)
	return k, nil
}

// Equal tells whether two members came to the same key. For tests and self-checks; keys of one epoch are no oracle.
func (k BaseKey) Equal(o BaseKey) bool { return k.b != nil && o.b != nil && *k.b() == *o.b() }

// Derive makes the key and salt of one KID (RFC 9605 §4.4.2).
func (k BaseKey) Derive(kid uint64) (*FrameKey, error) {
	if k.b == nil {
		return nil, errors.New("sframe: no base key")
	}
	return derive(k.b()[:], kid)
}

func derive(base []byte, kid uint64) (*FrameKey, error) {
	secret, err := hkdf.Extract(sha512.New, base, nil)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	key, err := hkdf.Expand(sha512.New, secret, label("key", kid, suiteID), keySize)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive key: %w", err)
	}
	salt, err := hkdf.Expand(sha512.New, secret, label("salt", kid, suiteID), nonceSize)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive salt: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("sframe: derive: %w", err)
	}
	f := &FrameKey{kid: kid, aead: aead}
	copy(f.salt[:], salt)
	return f, nil
}

// label is the info of HKDF-Expand (RFC 9605 §4.4.2).
func label(what string, kid uint64, suite uint16) string {
	b := append([]byte("SFrame 1.0 Secret "), what...)
	b = append(b, ' ')
	b = binary.BigEndian.AppendUint64(b, kid)
	return string(binary.BigEndian.AppendUint16(b, suite))
}

// FrameKey seals or opens the frames of one KID. It has no printable form and may be used by several goroutines.
type FrameKey struct {
	redacted
	kid  uint64
	aead cipher.AEAD
	salt [nonceSize]byte
}

// Seal appends header, ciphertext and tag to dst. A counter must never be given twice: nonces would repeat.
func (k *FrameKey) Seal(dst []byte, ctr uint64, metadata, plaintext []byte) []byte {
	start := len(dst)
	dst = AppendHeader(dst, k.kid, ctr)
	aad := append(append([]byte(nil), dst[start:]...), metadata...)
	n := nonce(k.salt, ctr)
	return k.aead.Seal(dst, n[:], plaintext, aad)
}

// Open appends the plaintext of sealed, whose header is h, to dst.
func (k *FrameKey) Open(dst []byte, h Header, metadata, sealed []byte) ([]byte, error) {
	aad := append(append([]byte(nil), sealed[:h.Size]...), metadata...)
	n := nonce(k.salt, h.CTR)
	out, err := k.aead.Open(dst, n[:], sealed[h.Size:], aad)
	if err != nil {
		return nil, ErrForged
	}
	return out, nil
}

func nonce(salt [nonceSize]byte, ctr uint64) [nonceSize]byte {
	var c [8]byte
	binary.BigEndian.PutUint64(c[:], ctr)
	for i, b := range c {
		salt[nonceSize-8+i] ^= b
	}
	return salt
}

// redacted gives the type that embeds it no printable form.
type redacted struct{}

const word = "redacted"

func (redacted) String() string               { return word }
func (redacted) GoString() string             { return word }
func (redacted) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, word) }
func (redacted) MarshalJSON() ([]byte, error) { return json.Marshal(word) }
func (redacted) MarshalText() ([]byte, error) { return []byte(word), nil }
func (redacted) LogValue() slog.Value         { return slog.StringValue(word) }
func (redacted) UnmarshalJSON(_ []byte) error {
	return errors.New("sframe: keys are not read from JSON")
}
func (redacted) GobEncode() ([]byte, error) { return nil, errors.New("sframe: keys are not written") }
func (redacted) MarshalBinary() ([]byte, error) {
	return nil, errors.New("sframe: keys are not written")
}
