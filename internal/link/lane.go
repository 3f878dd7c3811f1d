package link

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"parley.link/parley/internal/wire/linkpb"
)

// lane is one of the three bidirectional streams of a carrier. QUIC keeps order within a lane and none between lanes, so a
// commit of a mebibyte does not stand in the way of a heartbeat, and a relayed blob stands in nobody's.
type lane uint8

const (
	laneUrgent lane = iota // heartbeats and tracks
	laneOrder              // what keeps the log: acts, entries, countersignatures, fetches
	laneBulk               // what clients relay to each other
	lanes
)

var (
	// ErrQueueFull is returned when a lane has as much waiting as it may.
	ErrQueueFull = errors.New("link: lane full")
	// ErrDown is returned for frames to a side with which the link is not up.
	ErrDown = errors.New("link: down")
	// ErrNotSent is returned for frames that only the link itself sends.
	ErrNotSent = errors.New("link: not a frame to send")
)

// laneLimits: what a peer may send per lane, and how much may wait here. A sender keeps to half of the quota (see quota.half).
var laneLimits = [lanes]struct {
	quota
	waitFrames int
	waitBytes  int64
}{
	laneUrgent: {quota{frames: 500, frameBurst: 1000, bytes: 1 << 20, byteBurst: 4 << 20}, 1024, 4 << 20},
	laneOrder:  {quota{frames: 1000, frameBurst: 4000, bytes: 4 << 20, byteBurst: 16 << 20}, 4096, 32 << 20},
	laneBulk:   {quota{frames: 1000, frameBurst: 2000, bytes: 8 << 20, byteBurst: 16 << 20}, 1024, 16 << 20},
}

// laneOf says where a frame travels; ok is false for what has no lane: greetings, and bodies this code does not know.
func laneOf(f *linkpb.LinkFrame) (lane, bool) {
	switch f.GetBody().(type) {
	case *linkpb.LinkFrame_Heartbeat, *linkpb.LinkFrame_Subscribe, *linkpb.LinkFrame_Unsubscribe, *linkpb.LinkFrame_TrackOpen,
		*linkpb.LinkFrame_KeyFrame, *linkpb.LinkFrame_LayerState, *linkpb.LinkFrame_RefusedTrack, *linkpb.LinkFrame_Introduction:
		return laneUrgent, true
	case *linkpb.LinkFrame_Forward, *linkpb.LinkFrame_Refused, *linkpb.LinkFrame_Outbox, *linkpb.LinkFrame_Entry,
		*linkpb.LinkFrame_Countersign, *linkpb.LinkFrame_Fetch:
		return laneOrder, true
	case *linkpb.LinkFrame_Relay:
		return laneBulk, true
	default:
		return 0, false
	}
}

// outbound is what waits on one lane for a peer. It outlives carriers: a re-key loses nothing. Safe for concurrent use.
type outbound struct {
	frames chan []byte
	limit  int64
	bytes  atomic.Int64

	mu   sync.Mutex
	pace bucket
}

func newOutbound(l lane) *outbound {
	return &outbound{
		frames: make(chan []byte, laneLimits[l].waitFrames),
		limit:  laneLimits[l].waitBytes,
		pace:   bucket{quota: laneLimits[l].half()},
	}
}

func (o *outbound) put(b []byte) error {
	n := int64(len(b))
	if o.bytes.Add(n) > o.limit {
		o.bytes.Add(-n)
		return ErrQueueFull
	}
	select {
	case o.frames <- b:
		return nil
	default:
		o.bytes.Add(-n)
		return ErrQueueFull
	}
}

// taken notes that a frame left the queue, and says how long it has to wait.
func (o *outbound) taken(now time.Time, b []byte) time.Duration {
	o.bytes.Add(-int64(len(b)))
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pace.wait(now, len(b))
}

// drop empties the queue: frames meant for a link that went down must not open the next one.
func (o *outbound) drop() {
	for {
		select {
		case b := <-o.frames:
			o.bytes.Add(-int64(len(b)))
		default:
			return
		}
	}
}

// inbound is what one peer sent lately on one lane. It outlives carriers too: dialling anew buys no new burst.
type inbound struct {
	mu     sync.Mutex
	bucket bucket
}

func (i *inbound) charge(now time.Time, n int) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.bucket.take(now, n) {
		return ErrQuota
	}
	return nil
}
