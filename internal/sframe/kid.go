package sframe

import (
	"crypto/sha256"
	"fmt"
)

// The layout of a KID (RFC 9605 §5.2). web/src/seal/kid.ts has the same.
const (
	ContextBits = 12
	LeafBits    = 10
	EpochBits   = 8
)

// KID names a key: which counter of the sender (one per track), its leaf, its epoch modulo 256. Old keys live 10 s and no
// group makes 256 epochs in 10 s, so a residue is never reused while its old key lives.
type KID struct {
	Context uint16
	Leaf    uint16
	Residue uint8
}

// NewKID is the KID of a sender's track in an epoch.
func NewKID(context uint16, leaf uint32, epoch uint64) (KID, error) {
	if context >= 1<<ContextBits || leaf >= 1<<LeafBits {
		return KID{}, fmt.Errorf("sframe: KID out of range: context %d, leaf %d", context, leaf)
	}
	return KID{Context: context, Leaf: uint16(leaf), Residue: uint8(epoch)}, nil
}

// Uint64 is the KID's number.
func (k KID) Uint64() uint64 {
	return uint64(k.Context)<<(LeafBits+EpochBits) | uint64(k.Leaf)<<EpochBits | uint64(k.Residue)
}

// ParseKID reads a KID; false if it has bits outside the layout.
func ParseKID(v uint64) (KID, bool) {
	if v >= 1<<(ContextBits+LeafBits+EpochBits) {
		return KID{}, false
	}
	return KID{
		Context: uint16(v >> (LeafBits + EpochBits)),
		Leaf:    uint16(v>>EpochBits) & (1<<LeafBits - 1),
		Residue: uint8(v),
	}, true
}

// TrackContext is the context of a track: 12 bits of a hash of its id, so that a receiver knows it from the signed
// announcement and a node cannot pass one track of a person off as another. Tracks that collide share one counter.
func TrackContext(track string) uint16 {
	h := sha256.Sum256([]byte("parley track context v1\x00" + track))
	return uint16(h[0])<<4 | uint16(h[1])>>4
}
