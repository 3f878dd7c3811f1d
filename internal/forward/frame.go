package forward

// Frame is what the clear part of a video packet says about the frame it belongs to.
type Frame uint8

const (
	NotStart   Frame = iota // not the first packet of a frame, or nothing can be read
	DeltaFrame              // starts a frame that needs earlier ones
	KeyFrame                // starts a frame that stands alone
)

// frameReader reads a payload's frame type. Only the descriptor in front of the sealed bytes is read (VP8: and the first byte, which
// the seal leaves clear and authenticates); whatever it says, it can only cause or save a key-frame request.
type frameReader func(payload []byte) Frame

func frameReaderFor(mimeType string) frameReader {
	switch mimeType {
	case "video/VP8":
		return readVP8
	case "video/VP9":
		return readVP9
	case "video/AV1":
		return readAV1
	default:
		return readNothing
	}
}

func readNothing([]byte) Frame { return NotStart }

// readVP8 reads RFC 7741 §4.2 and the first byte of RFC 6386 §9.1: bit 0 clear is a key frame.
func readVP8(b []byte) Frame {
	if len(b) < 1 || b[0]&0x10 == 0 || b[0]&0x07 != 0 { // S, PID
		return NotStart
	}
	at := 1
	if b[0]&0x80 != 0 { // X
		if len(b) < 2 {
			return NotStart
		}
		x := b[1]
		at = 2
		if x&0x80 != 0 { // I: 7 or 15 bits
			if len(b) <= at {
				return NotStart
			}
			if b[at]&0x80 != 0 {
				at++
			}
			at++
		}
		if x&0x40 != 0 { // L
			at++
		}
		if x&0x30 != 0 { // T or K
			at++
		}
	}
	if len(b) <= at {
		return NotStart
	}
	if b[at]&0x01 == 0 {
		return KeyFrame
	}
	return DeltaFrame
}

// readVP9 reads RFC 9628 §4.2: B starts a frame, P says it needs another picture, the layer index must be the lowest spatial layer.
func readVP9(b []byte) Frame {
	const i, p, l, b0 = 0x80, 0x40, 0x20, 0x08
	if len(b) < 1 || b[0]&b0 == 0 {
		return NotStart
	}
	if b[0]&p != 0 {
		return DeltaFrame
	}
	at := 1
	if b[0]&i != 0 {
		if len(b) <= at {
			return NotStart
		}
		if b[at]&0x80 != 0 {
			at++
		}
		at++
	}
	if b[0]&l != 0 {
		if len(b) <= at {
			return NotStart
		}
		if b[at]>>1&0x07 != 0 { // SID: an upper layer of a key picture is not a place to start
			return DeltaFrame
		}
	}
	return KeyFrame
}

// readAV1 reads the aggregation header of the AV1 RTP specification §4.4: N starts a coded video sequence, Z continues an OBU.
func readAV1(b []byte) Frame {
	switch {
	case len(b) < 1 || b[0]&0x80 != 0:
		return NotStart
	case b[0]&0x08 != 0:
		return KeyFrame
	default:
		return DeltaFrame
	}
}
