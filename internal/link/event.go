package link

import (
	"time"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// Event is what an Endpoint tells its node: Up, Down, Frame, Refused or Opened, in the order in which it happened per peer.
// Whoever reads must keep reading: a full queue stops the peer's frames, by flow control, not the link.
type Event interface{ isEvent() }

// Up says that the peer's HELLO was answered and ours was. It comes a second time without a Down when both nodes dialled and what was sent
// since the first may be lost.
type Up struct {
	Side     [32]byte
	Protocol uint32
	Build    string // as the peer says; not for a browser
	Boot     uint64
	Skew     time.Duration // the peer's clock minus ours, give or take the path

	Introduction []byte // what the peer says of its side, unchecked: canonical act.PlanSide, or empty
}

// Down says that no carrier is left. What was queued is gone.
type Down struct {
	Side   [32]byte
	Reason Reason
	Err    error
}

// Frame is one frame of a peer, HELLO and HELLO_ACK and TrackOpen apart.
type Frame struct {
	Side  [32]byte
	Frame *linkpb.LinkFrame
}

// Refused says whom the link did not let in, or who did not let us in. At most five a second are told.
type Refused struct {
	Side    [32]byte // zero: a stranger
	Address string   // unverified where the handshake did not end; for the node's operators only
	Theirs  bool     // the peer refused us
	Problem *problem.Error
}

// Opened says that a track that was subscribed to is about to come. It comes again when the peer has another source for the track: its node or
// its publisher began anew. Then the one before is closed.
type Opened struct {
	Side   [32]byte
	Stream *UpStream
}

func (Up) isEvent()      {}
func (Down) isEvent()    {}
func (Frame) isEvent()   {}
func (Refused) isEvent() {}
func (Opened) isEvent()  {}

// Reason of a Down, stable, for logs and for the page.
type Reason string

const (
	ReasonIdle      Reason = "idle"       // nothing heard for 5 s
	ReasonReset     Reason = "reset"      // the peer came back without memory of the carrier
	ReasonRestarted Reason = "restarted"  // the peer came back and dialled
	ReasonBye       Reason = "bye"        // the peer stopped in good order
	ReasonMalformed Reason = "malformed"  // somebody sent bytes that have no place here
	ReasonQuota     Reason = "quota"      // somebody sent more than allowed
	ReasonRemoved   Reason = "removed"    // no longer in the configuration
	ReasonStopping  Reason = "stopping"   // this node stops
	ReasonTransport Reason = "transport"  // anything else QUIC said
	ReasonNotWanted Reason = "not-wanted" // the peer has removed us
)
