// Package link is the standing, verified bond of two nodes: one UDP port, two planes.
//
//   - Control: one QUIC connection at a time (a carrier), TLS 1.3 with both node keys pinned, three lanes of frames.
//   - Media: SRTP and SRTCP on the same port, keyed from the carrier's TLS exporter.
//
// It is the only user of quic-go and pion/srtp. It carries frames and packets and judges neither: order is the ledger's, tracks
// are the forwarder's. docs/protocol-link.md has the byte layouts and the flows; constants.go has the numbers.
//
// # The peer is hostile by assumption
//
// A peer that holds a pinned node key may still send anything. Whatever it can make grow has a bound here: streams, bytes and
// frames per second, frame size, track streams, parked packets, reports of refusals. Whoever does not hold a pinned key gets no further than
// the TLS handshake, and not even to our certificate without knowing whom to ask for.
//
// # The life of a datagram
//
//	socket.go    one read loop per port, a run in one call; demux.go looks at the first byte
//	  01xxxxxx, 11xxxxxx   QUIC  → a bounded queue that quic-go reads as a net.PacketConn
//	  10xxxxxx             media → media.go: address → peer, SSRC → stream, keys.go: open SRTP, up.go or feedback.go: hand over
//	  00xxxxxx             nobody's
//	batch.go     one batched writer per port for media (package udp); quic-go writes its own
//
// Every datagram and every media packet ends in exactly one verdict (verdict.go).
//
// # The life of a carrier
//
// dialled or accepted → TLS (both keys pinned) → HELLO, HELLO_ACK both ways → adopted, the link is up → superseded by a
// younger one (re-key) or dead. adopt.go holds the one rule of which of two carriers stays.
package link
