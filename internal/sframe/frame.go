package sframe

import "errors"

// Codec of a frame, as in act.Publish.
type Codec string

// Codecs that can be sealed. H.264 cannot: its packetizer needs NAL units in the clear.
const (
	Opus Codec = "opus"
	VP9  Codec = "vp9"
	VP8  Codec = "vp8"
	AV1  Codec = "av1"
)

// ErrFrame is returned for a frame that the codec's framing does not know.
var ErrFrame = errors.New("sframe: malformed frame")

const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrame             = 6
)

// Split parts a frame into bytes that stay clear (and are authenticated as metadata) and the secret rest. VP8's payload
// header must stay readable: 10 bytes on key frames, 3 on others (RFC 6386 §9.1).
func Split(c Codec, frame []byte) (clearPart, secret []byte, err error) {
	switch c {
	case Opus, VP9, AV1:
		return nil, frame, nil
	case VP8:
		n, err := vp8Header(frame)
		if err != nil {
			return nil, nil, err
		}
		return frame[:n], frame[n:], nil
	}
	return nil, nil, ErrFrame
}

// Wrap makes the frame that goes to the packetizer; the same bytes as web/src/seal/frames.ts.
func Wrap(c Codec, keyFrame bool, clearPart, sealed []byte) []byte {
	var first []byte
	switch {
	case c == VP8:
		first = clearPart
	case c == AV1 && keyFrame:
		first = []byte{obuSequenceHeader << 3}
	case c == AV1:
		first = []byte{obuFrame << 3}
	}
	return append(append(make([]byte, 0, len(first)+len(sealed)), first...), sealed...)
}

// Unwrap is the inverse of Wrap at a receiver.
func Unwrap(c Codec, frame []byte) (clearPart, sealed []byte, err error) {
	switch c {
	case AV1:
		sealed, err = unwrapOBU(frame)
		return nil, sealed, err
	default:
		return Split(c, frame)
	}
}

func vp8Header(frame []byte) (int, error) {
	if len(frame) == 0 {
		return 0, ErrFrame
	}
	n := 3
	if frame[0]&1 == 0 {
		n = 10
	}
	if len(frame) < n {
		return 0, ErrFrame
	}
	return n, nil
}

// unwrapOBU strips one OBU header, with or without a size field, after an optional temporal delimiter.
func unwrapOBU(b []byte) ([]byte, error) {
	if len(b) >= 2 && b[0] == obuTemporalDelimiter<<3|2 && b[1] == 0 {
		b = b[2:]
	}
	if len(b) == 0 || b[0]&0x85 != 0 {
		return nil, ErrFrame
	}
	if t := b[0] >> 3; t != obuFrame && t != obuSequenceHeader {
		return nil, ErrFrame
	}
	sized := b[0]&2 != 0
	b = b[1:]
	if !sized {
		return b, nil
	}
	n := 0
	for i := range 4 {
		if i >= len(b) {
			return nil, ErrFrame
		}
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if len(b)-i-1 != n {
				return nil, ErrFrame
			}
			return b[i+1:], nil
		}
	}
	return nil, ErrFrame
}
