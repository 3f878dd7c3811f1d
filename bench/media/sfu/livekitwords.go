//go:build linux

package sfu

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of LiveKit's published schema (livekit_rtc.proto and livekit_models.proto of the livekit/protocol repository): the few that
// joining, publishing and receiving need. They never change within a protocol buffer schema; a dependency on the whole of it would be
// heavier than all else here.
const (
	reqOffer, reqAnswer, reqAddTrack, reqPing                                        = 1, 2, 4, 16
	respJoin, respAnswer, respOffer, respTrickle, respPublished, respLeave           = 1, 2, 3, 4, 6, 8
	joinServer, serverVersion                                                        = 12, 2
	descriptionType, descriptionSDP, descriptionID                                   = 1, 2, 3
	trickleCandidate, trickleTarget, targetPublisher                                 = 1, 2, 0
	trackCID, trackName, trackType, trackWidth, trackHeight, trackSource, trackNoRED = 1, 2, 3, 4, 5, 8, 13
	typeVideo, sourceCamera, sourceMicrophone, pingTimestamp                         = 1, 1, 2, 1
)

func text(b []byte, n protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func varint(b []byte, n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

// message wraps a body into the oneof of a SignalRequest.
func message(n protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), body)
}

func description(kind, sdp string, id uint64) []byte {
	return varint(text(text(nil, descriptionType, kind), descriptionSDP, sdp), descriptionID, id)
}

func addTrack(cid string, video bool) []byte {
	b := text(text(nil, trackCID, cid), trackName, cid)
	if video {
		b = varint(b, trackType, typeVideo)
		b = varint(varint(b, trackWidth, 1280), trackHeight, 720)
		b = varint(b, trackSource, sourceCamera)
	} else {
		b = varint(b, trackSource, sourceMicrophone)
	}
	return message(reqAddTrack, varint(b, trackNoRED, 1))
}

func ping(ms int64) []byte { return message(reqPing, varint(nil, pingTimestamp, uint64(ms))) }

// each walks over the fields of a message until f says to stop; bytes that are no message end it.
func each(b []byte, f func(n protowire.Number, varint uint64, bytes []byte) bool) {
	for len(b) > 0 {
		n, kind, l := protowire.ConsumeTag(b)
		if l < 0 {
			return
		}
		b = b[l:]
		var v uint64
		var s []byte
		switch kind {
		case protowire.VarintType:
			v, l = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			s, l = protowire.ConsumeBytes(b)
			if s == nil {
				s = []byte{}
			}
		default:
			l = protowire.ConsumeFieldValue(n, kind, b)
		}
		if l < 0 || !f(n, v, s) {
			return
		}
		b = b[l:]
	}
}

// field is the first bytes field of that number, nil if there is none.
func field(b []byte, want protowire.Number) (found []byte) {
	each(b, func(n protowire.Number, _ uint64, s []byte) bool {
		if n == want {
			found = s
		}
		return found == nil
	})
	return found
}

// number is the first varint of that number, 0 if there is none.
func number(b []byte, want protowire.Number) (found uint64) {
	each(b, func(n protowire.Number, v uint64, s []byte) bool {
		if n == want && s == nil {
			found = v
			return false
		}
		return true
	})
	return found
}
