// Package forward carries sealed media from one source to many receivers: it rewrites RTP headers, keeps what may have to be
// sent again, asks for key frames no more often than a source can bear, and gives every packet a verdict. It never opens, changes
// or looks into a frame: payload bytes leave as they came.
//
// # The life of a packet, in the order of the code
//
//  1. The driver (rtc, link) reads a packet, checks and opens SRTP, and calls UpTrack.Write or UpTrack.WriteRTX with its own clock.
//  2. Bounds: empty, oversized and foreign packets end here (Malformed, TooLarge).
//  3. Unwrapper turns the 16-bit sequence number into a counter that never wraps; a source that jumped is followed, not fought.
//  4. History: a number seen before ends here (Duplicate), one older than the ring too (TooOld); all others are copied in once, for
//     all receivers. NackGenerator notes what is missing.
//  5. Refused: a track that the session does not let through is counted and goes no further.
//  6. Frame start and key frame are read from the clear descriptor (frame.go), which answers pending key-frame requests.
//  7. Each DownTrack leaves out what is of a layer that its receiver does not want (below), rewrites SSRC, payload type and sequence number (not timestamp, not payload) and hands the packet to its Sink:
//     a peer connection of an own person, or a link to another node. There is no third kind of receiver.
//
// The way back: DownTrack.HandleNACK finds packets in the source's history, passes them by the round-trip gate and the receiver's
// Budget, and sends them on the retransmission SSRC. UpTrack.RequestKeyFrame passes KeyFrameThrottle and reaches the source.
//
// # Why no number is ever sent twice
//
// SRTP's nonce is made of SSRC and packet index (RFC 7714 §8.1). Sending another packet, or the same one with another header
// extension, under a number already used repeats a nonce and gives the authentication key away. So duplicates die in step 4,
// packets from before a restart of the numbering die in step 7, and a retransmission always has an SSRC and numbers of its own
// (RFC 4588); a receiver that did not negotiate one gets no retransmission.
//
// # Layers
//
// A receiver for which DownTrack.SetLayers was called gets a part of what a layered source sends; every other receiver gets all of it,
// and nothing is done for that. The source's Dependency Descriptors are read once per packet, for all receivers (uplayer.go);
// LayerSelector decides for each receiver and frame; Renumber closes the numbers up, so that what is left out leaves no hole and
// a packet that was late, lost or is asked for again keeps its place. Payload, descriptor, timestamp and frame number leave as they came:
// the descriptor allows frames to be absent, and differences between frame numbers must stay true. Only the marker moves, to the last
// packet that this receiver gets of a picture. Batches are made behind the sinks, where the socket is (package udp).
//
// Time always comes in as an argument; nothing here owns a goroutine, a socket, a timer or a logger.
package forward
