package forward

import "sync/atomic"

// Verdict says what became of a packet. Every packet gets one on its way in, one per receiver on its way out, and one per
// retransmission asked for; each has a counter, none has a log line.
type Verdict uint8

const (
	// On the way in.
	Accepted   Verdict = iota // kept and fanned out
	Recovered                 // the same, after its place had been missed (late, or retransmitted)
	Duplicate                 // its number was seen before
	TooOld                    // older than the history
	Stray                     // far from the source's numbers; a second one in line makes it the new place
	Malformed                 // cannot be what it says
	TooLarge                  // over MaxPayload
	WrongCodec                // a payload type the track was not announced with
	Refused                   // the session does not let this track through
	Closed                    // the track has ended

	// On the way out, per receiver.
	Sent        // rewritten and taken by the sink
	Paused      // the receiver does not want it now
	OtherLayer  // its layer is not the receiver's
	BeforeStart // older than the first packet this receiver got
	SinkFailed  // the sink did not take it

	// Retransmissions, per packet asked for.
	Resent           // sent again
	NotKept          // no longer, or never, in the history
	TooSoon          // sent again less than a round trip ago
	TooOften         // sent again too many times
	OverBudget       // the receiver had its share
	NoRetransmission // the receiver negotiated no retransmission stream

	numVerdicts
)

var verdictNames = [numVerdicts]string{
	"accepted", "recovered", "duplicate", "too-old", "stray", "malformed", "too-large", "wrong-codec", "refused", "closed",
	"sent", "paused", "other-layer", "before-start", "sink-failed",
	"resent", "not-kept", "too-soon", "too-often", "over-budget", "no-retransmission",
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
	n [numVerdicts]atomic.Uint64
}

func (c *Counters) add(v Verdict) Verdict {
	c.n[v].Add(1)
	return v
}

// Get tells how many packets had this verdict.
func (c *Counters) Get(v Verdict) uint64 {
	if v >= numVerdicts {
		return 0
	}
	return c.n[v].Load()
}
