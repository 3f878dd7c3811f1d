package link

import (
	"sync/atomic"

	"parley.link/parley/internal/udp"
)

// Verdict says what became of a datagram, a media packet, a frame or a carrier. Every one has a counter, none has a log line.
type Verdict uint8

const (
	// On the way in.
	ToControl       Verdict = iota // handed to quic-go
	ControlOverflow                // quic-go did not read fast enough; QUIC sends it again
	NotOurs                        // neither QUIC nor RTP version 2
	UnknownAddress                 // media from an address no carrier has
	UnknownStream                  // an SSRC nobody announced, and no room to park it
	Parked                         // waits for its TrackOpen; counted again when it comes out
	ParkedTooLong                  // its TrackOpen never came
	TooShort                       // cannot be what it says
	NotAuthentic                   // does not open with the key of its SSRC
	Replayed                       // opened, or was seen, before
	BadHeader                      // opened, but a header extension or padding is wrong
	Delivered                      // handed to the track stream
	ReportDelivered                // RTCP, handed over
	ReportForeign                  // RTCP about, or from, an SSRC that is not ours or theirs

	// On the way out.
	Sent         // given to the kernel
	QueueFull    // the writer is behind
	SendFailed   // the kernel refused it
	SealFailed   // its keys did not take it
	NotUp        // no carrier, so no keys
	TooLarge     // would not fit a datagram
	StreamClosed // written after the stream was closed

	// On request.
	KeyFrameCoalesced // asked again within the interval

	// Frames of the control plane.
	FrameSent      // written to its lane
	FrameDropped   // its carrier went away under it
	FrameReceived  // handed to the node, or taken by the link itself
	FrameUnknown   // of a younger protocol; ignored
	FrameMisplaced // a greeting after the greeting, or the wrong lane; ends the carrier
	FrameMalformed // not a frame, or too large; ends the carrier
	FrameOverQuota // more than a peer may send; ends the carrier

	// Carriers.
	Adopted         // the link came up, or was re-keyed
	DuplicateDial   // both dialled; this one had to go
	GreetingRefused // by either side, with a problem
	GreetingFailed  // without a word
	NameRefused     // asked for by a name that is not ours
	KeyRefused      // not a pinned key
	ClassicalRefused
	Crowded // more handshakes at once than strangers, or a peer, may have

	numVerdicts
)

var verdictNames = [numVerdicts]string{
	"to-control", "control-overflow", "not-ours", "unknown-address", "unknown-stream", "parked", "parked-too-long", "too-short",
	"not-authentic", "replayed", "bad-header", "delivered", "report-delivered", "report-foreign",
	"sent", "queue-full", "send-failed", "seal-failed", "not-up", "too-large", "stream-closed",
	"key-frame-coalesced",
	"frame-sent", "frame-dropped", "frame-received", "frame-unknown", "frame-misplaced", "frame-malformed", "frame-over-quota",
	"adopted", "duplicate-dial", "greeting-refused", "greeting-failed", "name-refused", "key-refused", "classical-refused", "crowded",
}

// String is the name of the counter.
func (v Verdict) String() string {
	if v >= numVerdicts {
		return "unknown"
	}
	return verdictNames[v]
}

// Verdicts lists every verdict, for metrics.
func Verdicts() []Verdict {
	all := make([]Verdict, numVerdicts)
	for i := range all {
		all[i] = Verdict(i)
	}
	return all
}

// Counters holds one counter per verdict. Safe for concurrent use.
type Counters struct {
	n   [numVerdicts]atomic.Uint64
	out *udp.Counters // of media on its way out; nil: there is none
}

func (c *Counters) add(v Verdict) { c.n[v].Add(1) }

// Get tells how many datagrams or packets had this verdict.
func (c *Counters) Get(v Verdict) uint64 {
	if v >= numVerdicts {
		return 0
	}
	n := c.n[v].Load()
	if c.out == nil {
		return n
	}
	switch v {
	case Sent:
		n += c.out.Sent.Load()
	case QueueFull:
		n += c.out.QueueFull.Load()
	case SendFailed:
		n += c.out.SendFailed.Load()
	}
	return n
}
