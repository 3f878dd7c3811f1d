package forward

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Sizes of the history, in packets: one to two seconds of video at 3 Mbit/s; five seconds of 20 ms audio.
const (
	videoHistory = 1024
	audioHistory = 256
)

// MaxDownTracks bounds the receivers of one source on one node.
const MaxDownTracks = 1024

// UpTrack is one source of one person as it comes into this node, from a peer connection or from a link. Safe for concurrent use.
//
// Two locks, never held together by Write: mu guards numbering, history and throttle; subs is replaced as a whole. A DownTrack
// may take mu while holding its own lock, never the other way round.
type UpTrack struct {
	id    string
	kind  Kind
	codec Codec
	read  frameReader
	ask   func() // asks the source for a key frame; set once, called without a lock

	refused atomic.Bool
	closed  atomic.Bool
	subs    atomic.Pointer[[]*DownTrack]
	subsMu  sync.Mutex // for replacing subs
	count   Counters
	bytes   atomic.Uint64
	clock   atomic.Pointer[Clock]
	stream  atomic.Pointer[string]
	layered atomic.Int32 // receivers that choose layers; 0: no descriptor is read but those that bring a structure

	mu       sync.Mutex
	seq      Unwrapper
	history  *History
	nacks    NackGenerator
	throttle KeyFrameThrottle
	segment  uint32 // moves on when packets were withheld: receivers close the gap
	withheld bool
	last     time.Time
	learnt   structures
	meter    LayerMeter
}

// NewUpTrack makes a source. askKeyFrame is called (rarely: see KeyFrameThrottle) to ask the publisher for a key frame, from
// whatever goroutine a request came on; it must not block. For audio it may be nil.
func NewUpTrack(id string, kind Kind, codec Codec, askKeyFrame func()) *UpTrack {
	size := videoHistory
	if kind == Audio {
		size = audioHistory
	}
	u := &UpTrack{id: id, kind: kind, codec: codec, read: frameReaderFor(codec.MimeType), ask: askKeyFrame, history: NewHistory(size)}
	u.subs.Store(&[]*DownTrack{})
	return u
}

// ID is the Parley track id; Kind and Codec say what it carries.
func (u *UpTrack) ID() string          { return u.id }
func (u *UpTrack) Kind() Kind          { return u.kind }
func (u *UpTrack) Codec() Codec        { return u.codec }
func (u *UpTrack) Counters() *Counters { return &u.count }

// Bytes is how many payload bytes were accepted.
func (u *UpTrack) Bytes() uint64 { return u.bytes.Load() }

// LastPacket is when the last packet was accepted; zero if none was.
func (u *UpTrack) LastPacket() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// Write takes one packet from the source and fans it out. p is only read, and not after Write returned. A packet without payload is a
// probe; it is passed on as such, so that its number leaves no hole.
func (u *UpTrack) Write(now time.Time, p *Packet) Verdict {
	return u.count.add(u.write(now, p))
}

// Refuse counts a packet that the driver could not make a Packet of.
func (u *UpTrack) Refuse(v Verdict) { u.count.add(v) }

// WriteRTX takes a retransmission (RFC 4588 §4): p's sequence number is the retransmission stream's, the original one leads the payload.
func (u *UpTrack) WriteRTX(now time.Time, p *Packet) Verdict {
	if len(p.Payload) < 2 {
		return u.count.add(Malformed) // also padding-only probes, which carry no original packet
	}
	original := *p
	original.Sequence = binary.BigEndian.Uint16(p.Payload)
	original.Payload = p.Payload[2:]
	return u.Write(now, &original)
}

func (u *UpTrack) write(now time.Time, p *Packet) Verdict {
	switch {
	case u.closed.Load():
		return Closed
	case len(p.Payload) > MaxPayload || len(p.Descriptor) > MaxDescriptor:
		return TooLarge
	}
	frame := u.read(p.Payload)

	u.mu.Lock()
	counter, restarted, ok := u.seq.Unwrap(p.Sequence)
	if !ok {
		u.mu.Unlock()
		return Stray
	}
	u.nacks.Received(now, p.Sequence)
	if u.refused.Load() {
		u.withheld = true
		u.mu.Unlock()
		return Refused
	}
	v := u.history.Put(now, counter, p)
	if v != Accepted && v != Recovered {
		u.mu.Unlock()
		return v
	}
	u.last = now
	if u.withheld || restarted {
		u.segment++
		u.withheld = false
	}
	if frame == KeyFrame {
		u.throttle.Seen()
	}
	segment := u.segment
	in := u.learnt.of(p.Descriptor)
	u.mu.Unlock()

	u.bytes.Add(uint64(len(p.Payload)))
	if u.layered.Load() > 0 && len(p.Descriptor) > 0 {
		u.fanLayers(now, counter, segment, p, in)
		return v
	}
	for _, d := range *u.subs.Load() {
		d.write(now, counter, segment, p, nil)
	}
	return v
}

// SetRefused tells whether this node refuses to relay the track: muted by its own side, not in the format, session suspended.
func (u *UpTrack) SetRefused(refused bool) {
	if u.refused.Swap(refused) && !refused {
		u.RequestKeyFrame(time.Time{}) // what was withheld cannot be decoded around
	}
}

// Refused tells whether the node refuses to relay the track.
func (u *UpTrack) Refused() bool { return u.refused.Load() }

// RequestKeyFrame passes a receiver's request to the source, throttled. A zero now passes with the next Tick.
func (u *UpTrack) RequestKeyFrame(now time.Time) { u.requestKeyFrame(now, false) }

func (u *UpTrack) requestKeyFrame(now time.Time, newcomer bool) {
	if u.kind != Video || u.ask == nil || u.closed.Load() {
		return
	}
	u.mu.Lock()
	var pass bool
	if now.IsZero() {
		u.throttle.pending = true
	} else {
		pass = u.throttle.Request(now, newcomer)
	}
	u.mu.Unlock()
	if pass {
		u.ask()
	}
}

// Tick does what time makes due: waiting key-frame requests go out, and the numbers to ask the source for again are appended to dst.
// Call it every 10 to 50 ms. rtt is the round-trip time to the source, 0 if unknown.
func (u *UpTrack) Tick(now time.Time, rtt time.Duration, dst []uint16) []uint16 {
	u.mu.Lock()
	if !u.refused.Load() {
		dst = u.nacks.Due(now, rtt, dst)
	}
	pass := u.throttle.Due(now)
	u.mu.Unlock()
	if pass && u.ask != nil && !u.closed.Load() {
		u.ask()
	}
	return dst
}

// Lost is how many packets of the source were given up.
func (u *UpTrack) Lost() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.nacks.Lost()
}

// Close ends the track and all its down tracks.
func (u *UpTrack) Close() {
	u.closed.Store(true)
	u.subsMu.Lock()
	defer u.subsMu.Unlock()
	u.subs.Store(&[]*DownTrack{})
}

// Closed tells whether the track has ended.
func (u *UpTrack) Closed() bool { return u.closed.Load() }

// Subscribers is how many down tracks the track has.
func (u *UpTrack) Subscribers() int { return len(*u.subs.Load()) }

func (u *UpTrack) add(d *DownTrack) bool {
	u.subsMu.Lock()
	defer u.subsMu.Unlock()
	old := *u.subs.Load()
	if u.closed.Load() || len(old) >= MaxDownTracks {
		return false
	}
	list := append(slices.Clone(old), d)
	u.subs.Store(&list)
	return true
}

func (u *UpTrack) remove(d *DownTrack) {
	u.subsMu.Lock()
	defer u.subsMu.Unlock()
	list := slices.DeleteFunc(slices.Clone(*u.subs.Load()), func(x *DownTrack) bool { return x == d })
	u.subs.Store(&list)
}

// kept copies the packet at counter into scratch, behind room for the two bytes of RFC 4588, and returns it; nil if it is not kept.
func (u *UpTrack) kept(counter uint64, scratch *[2 + MaxPayload + MaxDescriptor]byte) (p Packet, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := u.history.Get(counter)
	if k == nil {
		return Packet{}, false
	}
	p = *k
	n := 2 + copy(scratch[2:], k.Payload)
	p.Payload = scratch[:n]
	p.Descriptor = scratch[n : n+copy(scratch[n:], k.Descriptor)]
	return p, true
}
