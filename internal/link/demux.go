package link

// plane is whose datagram it is.
type plane uint8

const (
	planeNone plane = iota
	planeQUIC
	planeMedia
)

// classify tells QUIC from RTP and RTCP by the two highest bits of the first byte.
//
//	11 QUIC long header    header form 1, fixed bit 1  (RFC 9000 §17.2)
//	01 QUIC short header   header form 0, fixed bit 1  (RFC 9000 §17.3); stateless resets look the same (§10.3)
//	10 RTP and RTCP        version 2                   (RFC 3550 §5.1, §6.4.1; cryptex does not touch it, RFC 9335 §5)
//	00 nothing             STUN (RFC 8489 §5), DTLS (20..63) and ZRTP live here; the link speaks none of them
//
// RFC 9443 splits 64..127 and 192..255 further (TURN channels at 64..79); this port has no TURN, so both quarters are QUIC's whole.
// It holds only while QUIC's fixed bit is always set: quic-go neither sends nor offers grease_quic_bit (RFC 9287), and a peer
// that clears the bit without our offer only makes its own packets be media that no key opens.
func classify(datagram []byte) plane {
	if len(datagram) == 0 {
		return planeNone
	}
	switch datagram[0] >> 6 {
	case 0b01, 0b11:
		return planeQUIC
	case 0b10:
		return planeMedia
	default:
		return planeNone
	}
}

// isReport tells RTCP from RTP by the second byte (RFC 5761 §4): packet types 192..223. The link's payload types are 96 and 97, which
// with the marker are 224 and 225.
func isReport(datagram []byte) bool {
	return len(datagram) > 1 && datagram[1] >= 192 && datagram[1] <= 223
}
