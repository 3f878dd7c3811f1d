//go:build linux

// Package light is the far end of an SFU for measuring it: a WebRTC end that sends and receives RTP and does nothing else. It has one
// candidate, real ICE checks, real DTLS and SRTP, and no jitter buffer, no retransmission, no decoder.
//
// # Why not a peer connection of pion/webrtc
//
// A receiver must cost so little that two hundred of them on one core are not what is measured. So all ends of a process are served by one
// thread (Loop) which sweeps their sockets with recvmmsg every two milliseconds. It never waits on a socket: a server does not pay for waking
// receivers, which a network would not make it pay either. It does not matter that packets wait to be read, since each carries the
// time at which the kernel took it (SO_TIMESTAMPNS), and the payload the time at which it was sent; both are CLOCK_REALTIME of one machine.
//
// SSRC, sequence number and length are in clear; every seventh packet is opened (it proves that keys and payload are right, and gives a
// latency). Seven has no factor in common with the six packets of a frame, so all positions in a run are sampled alike.
//
// What a browser would say back is said: receiver reports and REMB once a second, transport-wide feedback every 100 ms where it was
// negotiated, sender reports, key frames on request. Nothing lost is asked for again: loss is a figure here.
//
// The far end's certificate is not compared with its fingerprint: both ends are on one machine and nothing secret is sent.
package light
