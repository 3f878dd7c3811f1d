// Package sframe seals and opens media frames (RFC 9605, AES_256_GCM_SHA512_128) with keys from an MLS exporter.
//
// It is the same profile as web/src/seal, read against the same vectors: the KID holds context, leaf and epoch residue,
// one counter runs per (context, epoch) from 0, and a receiver tries exactly the key that the KID names.
package sframe

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// MaxHeader is the longest header: configuration, 8 bytes of KID, 8 of CTR.
const MaxHeader = 17

// ErrHeader is returned for bytes that no encoder makes.
var ErrHeader = errors.New("sframe: malformed header")

// Header is an SFrame header (RFC 9605 §4.3).
type Header struct {
	KID, CTR uint64
	Size     int // encoded bytes
}

// AppendHeader appends the encoding: values under 8 stand in the first byte, others follow in the fewest bytes.
func AppendHeader(dst []byte, kid, ctr uint64) []byte {
	var config byte
	if kid < 8 {
		config = byte(kid) << 4
	} else {
		config = 0x80 | byte(size(kid)-1)<<4
	}
	if ctr < 8 {
		config |= byte(ctr)
	} else {
		config |= 0x08 | byte(size(ctr)-1)
	}
	dst = append(dst, config)
	return appendValue(appendValue(dst, kid), ctr)
}

// ParseHeader reads the header at the start of b. A value in more bytes than it needs is refused.
func ParseHeader(b []byte) (Header, error) {
	if len(b) == 0 {
		return Header{}, ErrHeader
	}
	config := b[0]
	at := 1
	kid, at, ok := readValue(b, at, config>>4)
	if !ok {
		return Header{}, ErrHeader
	}
	ctr, at, ok := readValue(b, at, config&0x0f)
	if !ok {
		return Header{}, ErrHeader
	}
	return Header{KID: kid, CTR: ctr, Size: at}, nil
}

// readValue reads one value whose four configuration bits are x (flag, then value or length-1).
func readValue(b []byte, at int, x byte) (uint64, int, bool) {
	if x&8 == 0 {
		return uint64(x), at, true
	}
	n := int(x&7) + 1
	if len(b) < at+n {
		return 0, 0, false
	}
	var v uint64
	for _, c := range b[at : at+n] {
		v = v<<8 | uint64(c)
	}
	return v, at + n, v >= 8 && size(v) == n
}

func size(v uint64) int { return max(1, (bits.Len64(v)+7)/8) }

func appendValue(dst []byte, v uint64) []byte {
	if v < 8 {
		return dst
	}
	var full [8]byte
	binary.BigEndian.PutUint64(full[:], v)
	return append(dst, full[8-size(v):]...)
}
