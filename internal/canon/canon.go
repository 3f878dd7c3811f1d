// Package canon is the one byte form that everything signed or hashed in Parley has: deterministic CBOR
// (RFC 8949 §4.2.1) narrowed to text-keyed maps, arrays, text, bytes, booleans and 64-bit integers.
//
// A signature covers bytes, not meanings. If one meaning had two byte forms, a hostile node could re-encode an act and
// make two peers hold different hashes of "the same" act. So decoding refuses whatever encoding would not have written.
package canon

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// MaxBytes bounds any one canonical value (an act with a Welcome for a full format is the largest).
const MaxBytes = 1 << 20

var (
	// ErrNotCanonical is returned for bytes that decode, but are not the one form that Encode writes.
	ErrNotCanonical = errors.New("canon: not the canonical form")
	// ErrTooLarge is returned for input above MaxBytes.
	ErrTooLarge = errors.New("canon: too large")
)

var (
	enc = must(cbor.EncOptions{
		Sort:          cbor.SortBytewiseLexical,
		IndefLength:   cbor.IndefLengthForbidden,
		TagsMd:        cbor.TagsForbidden,
		NilContainers: cbor.NilContainerAsEmpty,
	}.EncMode())
	dec = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		IntDec:            cbor.IntDecConvertSigned,
		MaxNestedLevels:   12,
		MaxArrayElements:  4096,
		MaxMapPairs:       256,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode writes the canonical form of v. It panics only for types this project never declares (floats, functions).
func Encode(v any) []byte { return must(enc.Marshal(v)) }

// Message is what a signature or hash for one purpose covers: the context string, a zero byte, the bytes. No context holds
// a zero byte, so no message of one purpose is a message of another.
func Message(context string, b []byte) []byte {
	m := make([]byte, 0, len(context)+1+len(b))
	m = append(m, context...)
	m = append(m, 0)
	return append(m, b...)
}

// Decode reads exactly one canonical value into v. Unknown fields, duplicate keys, trailing bytes and any non-canonical
// form are refused: v must re-encode to the very same bytes.
func Decode(b []byte, v any) error { return DecodeUpTo(b, v, MaxBytes) }

// DecodeUpTo is Decode with a bound of its own, for what a node wrote itself (a snapshot).
func DecodeUpTo(b []byte, v any, max int) error {
	if len(b) > max {
		return ErrTooLarge
	}
	if err := dec.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decode canonical bytes: %w", err)
	}
	again, err := enc.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		return ErrNotCanonical
	}
	return nil
}
