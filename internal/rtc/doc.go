// Package rtc holds the peer connections of a side's own people, and is the only user of pion/webrtc. A participant has two: up (the
// client offers and sends) and down (the node offers and sends). Between them stands package forward; this package carries
// packets to it and from it, negotiates, and keeps bounds on what a client may ask for.
//
// All people share one UDP port (ICE-lite, told apart by the ICE user name) and one TCP port for networks that let no UDP through.
//
// What a hop shows to somebody on the wire is kept small: SRTP is AES-GCM where the client can do it, the audio-level extension is
// never negotiated (it would tell in clear who is speaking), and Opus is asked for at a constant rate without pauses.
//
// Client is the other end for native participants and tests: the same two peer connections, whole sealed frames in and out.
package rtc
