package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/wire/linkpb"
)

var (
	// ErrFrame is returned for bytes that are no frame.
	ErrFrame = errors.New("link: not a frame")
	// ErrFrameTooLarge is returned for a frame above 1 MiB + 64 KiB.
	ErrFrameTooLarge = errors.New("link: frame too large")
)

// A frame on a lane:
//
//	0        4
//	+--------+-----------------+
//	| length | LinkFrame       |   length: uint32, big endian, 1..maxFrame; LinkFrame: protobuf
//	+--------+-----------------+
const frameHeader = 4

var frameOptions = proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: 16}

// A node that came back after a crash answers the first packet of the old carrier with a stateless reset, unless that packet is small
// enough to be a reset itself (RFC 9000 §10.3.3: two such nodes would go on for ever). quic-go answers nothing of 42 bytes or less,
// and a short frame in its packet has 39. So short frames are made longer, by a field that no LinkFrame has: whatever is sent,
// the peer's crash is noticed a round trip later, not five seconds.
const (
	minFrame     = 20  // header and body; with 28 bytes of QUIC around it at least 48 bytes
	paddingField = 100 // reserved in link.proto
)

// encodeFrame writes length and body.
func encodeFrame(f *linkpb.LinkFrame) ([]byte, error) {
	n := proto.Size(f)
	if n > maxFrame {
		return nil, ErrFrameTooLarge
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: empty", ErrFrame)
	}
	b := make([]byte, frameHeader, max(frameHeader+n, minFrame+3))
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, f)
	if err != nil {
		return nil, fmt.Errorf("encode link frame: %w", err)
	}
	if short := minFrame - len(b); short > 0 {
		b = protowire.AppendTag(b, paddingField, protowire.BytesType) // two bytes, and one for the length
		b = protowire.AppendBytes(b, make([]byte, max(short-3, 0)))
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-frameHeader))
	return b, nil
}

// decodeBody reads what follows the length.
func decodeBody(b []byte) (*linkpb.LinkFrame, error) {
	f := &linkpb.LinkFrame{}
	if err := frameOptions.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return f, nil
}

// frameReader reads frames of one lane. Its buffer grows with what really comes, not with what a length promises: a peer that
// announces 1 MiB and sends nothing costs nothing.
type frameReader struct {
	r   io.Reader
	buf []byte
}

// next returns a frame and its size on the wire. charge is asked before the body is read and may end the lane. A frame whose
// body is of a kind that this protocol number does not know has a nil Body.
func (r *frameReader) next(charge func(n int) error) (*linkpb.LinkFrame, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	switch {
	case n == 0:
		return nil, fmt.Errorf("%w: empty", ErrFrame)
	case n > maxFrame:
		return nil, ErrFrameTooLarge
	}
	if err := charge(frameHeader + n); err != nil {
		return nil, err
	}
	const step = 64 << 10
	r.buf = r.buf[:0]
	for len(r.buf) < n {
		have := len(r.buf)
		want := min(n-have, step)
		r.buf = append(r.buf, make([]byte, want)...)
		if _, err := io.ReadFull(r.r, r.buf[have:]); err != nil {
			return nil, fmt.Errorf("read link frame: %w", err)
		}
	}
	f, err := decodeBody(r.buf)
	if cap(r.buf) > step {
		r.buf = nil // do not keep a mebibyte per lane for the one large frame of a session
	}
	return f, err
}
