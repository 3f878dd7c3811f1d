package mlsframe

import (
	"encoding/binary"
	"fmt"
)

// reader takes the presentation language of RFC 9420 §2.1 apart. The first error stays; values after it are zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("too short")
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// opaque reads a vector with a variable-size length (RFC 9420 §2.1.2). A length in more bytes than it needs is refused: two
// byte forms of one message would have two hashes.
func (r *reader) opaque(most int) []byte {
	if len(r.b) == 0 {
		r.fail("too short")
		return nil
	}
	prefix := r.b[0] >> 6
	if prefix == 3 {
		r.fail("length")
		return nil
	}
	size := 1 << prefix
	head := r.take(size)
	if head == nil {
		return nil
	}
	n := int(head[0] & 0x3f)
	for _, c := range head[1:] {
		n = n<<8 | int(c)
	}
	if size == 2 && n < 1<<6 || size == 4 && n < 1<<14 {
		r.fail("length is not the shortest")
		return nil
	}
	if n > most {
		r.fail("too long")
		return nil
	}
	return r.take(n)
}

// vector reads a vector and parses its content with item until it is used up.
func (r *reader) vector(most, items int, item func(*reader)) {
	sub := &reader{b: r.opaque(most)}
	for n := 0; len(sub.b) > 0 && r.err == nil; n++ {
		if n == items {
			r.fail("too many items")
			return
		}
		item(sub)
		if sub.err != nil {
			r.err = sub.err
			r.b = nil
		}
	}
}

// end fails unless everything was read.
func (r *reader) end() error {
	if r.err == nil && len(r.b) != 0 {
		r.fail("trailing bytes")
	}
	return r.err
}

// appendOpaque writes a vector with its length.
func appendOpaque(dst, b []byte) []byte {
	switch n := len(b); {
	case n < 1<<6:
		dst = append(dst, byte(n))
	case n < 1<<14:
		dst = append(dst, 0x40|byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x80|byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, b...)
}
