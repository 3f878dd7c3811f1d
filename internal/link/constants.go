package link

import (
	"time"

	"parley.link/parley/internal/udp"
)

// What both ends must agree on. Changing one of these is a new ALPN or a new protocol number.
const (
	// ALPN names the framing of the control plane up to and including HELLO. What follows is negotiated by HELLO.
	ALPN = "parley-link/1"

	// ProtocolMin and ProtocolMax are the protocol numbers this code speaks.
	ProtocolMin = 1
	ProtocolMax = 1

	// maxFrame bounds one frame, in bytes after the length: an entry of 1 MiB and what surrounds it.
	maxFrame = 1<<20 + 64<<10

	sniContext       = "parley link sni v1"
	secretContext    = "parley link secret v1"
	exporterClient   = "EXPORTER-parley-link-media-client" // keys what the dialling node sends
	exporterServer   = "EXPORTER-parley-link-media-server" // keys what the accepting node sends
	payloadTypeMedia = 96
	payloadTypeAgain = 97
	extDescriptor    = 1 // header extension id of the Dependency Descriptor on every link
)

// Application error codes of a closed carrier. They say why to the peer; nothing else is decided by them.
const (
	codeBye        = 0 // the node stops
	codeSuperseded = 1 // a younger carrier took over
	codeDuplicate  = 2 // both dialled, the other one stays
	codeRefused    = 3 // HELLO was refused; the HELLO_ACK before says with which problem
	codeMalformed  = 4 // bytes that are no frame, or a frame that has no place here
	codeQuota      = 5 // more than the peer may send
	codeTimeout    = 6 // no HELLO in time
	codeNotWanted  = 7 // the peer is no longer in the configuration
)

// Our own choices.
const (
	keepAlive        = time.Second
	idleTimeout      = 5 * time.Second
	handshakeTimeout = 4 * time.Second
	handshakeBusy    = 1500 * time.Millisecond // while a session runs: QUIC backs off within a handshake, a new one does not
	helloTimeout     = 4 * time.Second
	defaultRekey     = 6 * time.Hour
	drainTime        = 5 * time.Second        // how long a superseded carrier's media keys still open packets
	handoverWait     = time.Second            // how long a younger carrier's frames wait for the end of the older one's
	quotaPenalty     = 10 * time.Second       // during which a peer that exceeded its quota is not let in again
	higherWaits      = 150 * time.Millisecond // the higher node id lets the lower one dial first

	redialFirst   = 100 * time.Millisecond
	redialMax     = 30 * time.Second
	redialMaxBusy = time.Second // while a session runs over the link

	maxStrangers       = 24 // handshakes at once from addresses where no peer was found yet
	maxFriends         = 16 // and from the others
	maxFamiliar        = 256
	retryAbove         = 8 // handshakes; from here on whoever comes must first show that the address is theirs (RFC 9000 §8.1.2)
	maxCarriersPerPeer = 4
	connectionIDLength = 8
	eventQueue         = 1024
	refusalsPerSecond  = 5
	refusalBurst       = 20
	quicQueue          = 512 // datagrams waiting for quic-go
	maxDatagram        = udp.MaxDatagram
	reportInterval     = time.Second
	feedbackInterval   = 10 * time.Millisecond
	maxStreamsPerPeer  = 512 // track streams of a peer, each way
	maxParked          = 128 // packets whose TrackOpen is still on its way
	parkedFor          = time.Second
	replayWindow       = 2048
	maxTrackName       = 128
	maxRTCPPerPacket   = 32
	firstSequence      = 1 // of every link-local stream: a known start lets the far end ask for the very first packet
	refusalLinger      = 250 * time.Millisecond
	keepHandles        = 30 * time.Second // a peer that is back within this time finds its track streams as they were
)
