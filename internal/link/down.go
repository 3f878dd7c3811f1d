package link

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/wire/linkpb"
)

// Stream ids that a DownTrack writes with; the link puts its own SSRCs, which change with the keys, in their place.
const (
	handleMedia = 1
	handleAgain = 2
)

// DownStream is one track of our people on its way to a peer that subscribed to it: the Sink of a DownTrack. Payload, timestamp,
// marker and Dependency Descriptor leave byte for byte as they came.
type DownStream struct {
	m     *Media
	key   trackKey
	codec string
	clock uint32
	track atomic.Pointer[forward.DownTrack]
	ended atomic.Bool

	// What the peer last reported (RFC 3550 §6.4.1).
	lossFraction atomic.Uint32 // of 256
	lost         atomic.Uint32
	jitter       atomic.Uint32 // in units of clock

	mu     sync.Mutex // guards what follows
	bound  *binding   // nil: not up
	media  index
	again  index
	header rtp.Header
}

// binding is what a stream is called under one generation of keys.
type binding struct {
	keys        *generation
	ssrc, again uint32
}

// OpenDown answers a SubscribeTrack: it announces the track to the peer with fresh SSRCs and subscribes the peer to up. Close it when the
// peer unsubscribes (the link does that itself on UnsubscribeTrack) or the track ends. Opening it again for the same source changes
// nothing.
func (m *Media) OpenDown(scope []byte, track string, up *forward.UpTrack) (*DownStream, error) {
	key, err := keyOf(scope, track)
	if err != nil {
		return nil, err
	}
	codec := up.Codec()
	_, name, _ := strings.Cut(strings.ToLower(codec.MimeType), "/")
	if !slices.Contains(codecNames, name) {
		return nil, fmt.Errorf("%w: codec %q", ErrTrack, codec.MimeType)
	}
	d := &DownStream{m: m, key: key, codec: name, clock: codec.ClockRate}
	d.media.high, d.again.high = firstSequence-1, firstSequence-1

	if open := m.downOf(scope, track); open != nil {
		if t := open.track.Load(); t != nil && t.Up() == up {
			return open, nil // the peer only asked again: another layer, or it came back
		}
		open.Close()
	}
	m.mu.Lock()
	switch {
	case m.closed || m.current == nil:
		err = ErrDown
	case m.down[key] != nil: // another goroutine was first
		err = fmt.Errorf("%w: open already", ErrTrack)
	case len(m.down) >= maxStreamsPerPeer:
		err = ErrStreams
	default:
		m.down[key] = d
		if err = m.bindLocked(d); err != nil {
			delete(m.down, key)
		}
	}
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	t, err := up.Subscribe(time.Now(), forward.Outgoing{
		SSRC: handleMedia, PayloadType: payloadTypeMedia, First: firstSequence,
		RTXSSRC: handleAgain, RTXPayloadType: payloadTypeAgain, RTXFirst: firstSequence,
	}, m.budget, d)
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("subscribe the peer: %w", err)
	}
	d.track.Store(t)
	if d.ended.Load() { // ended while it was being opened
		t.Close()
		return nil, ErrDown
	}
	return d, nil
}

// bindLocked gives a stream fresh SSRCs under the current keys and tells the peer. The packet index goes on where it was: on both
// ends it is one stream, and what was lost before the re-key can still be asked for after it.
func (m *Media) bindLocked(d *DownStream) error {
	ssrc, err := m.freshLocked()
	if err != nil {
		return err
	}
	again, err := m.freshLocked()
	if err != nil {
		return err
	}
	b := &binding{keys: m.current, ssrc: ssrc, again: again}
	m.outgoing[ssrc] = d
	first, firstAgain := d.bind(b)
	return m.post(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_TrackOpen{TrackOpen: &linkpb.TrackOpen{
		Scope: []byte(d.key.scope), Track: d.key.track, Ssrc: b.ssrc, RtxSsrc: b.again,
		Codec: d.codec, ClockRate: d.clock, FirstIndex: first, FirstRtxIndex: firstAgain,
	}}})
}

// bind returns the first packet indexes under the new binding.
func (d *DownStream) bind(b *binding) (media, again uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bound = b
	return d.media.high + 1, d.again.high + 1
}

// speaks says whether the stream is called ssrc under keys that are still alive.
func (d *DownStream) speaks(ssrc uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bound != nil && d.bound.ssrc == ssrc
}

// Track is the DownTrack that this stream carries.
func (d *DownStream) Track() *forward.DownTrack { return d.track.Load() }

// WriteRTP implements forward.Sink.
func (d *DownStream) WriteRTP(_ time.Time, p *forward.Packet) error {
	v := d.write(p)
	if v == Sent {
		return nil // counted by the writer
	}
	if v != QueueFull {
		d.m.e.counters.add(v)
	}
	return verdictError(v)
}

// verdictError is a packet that was not taken.
type verdictError Verdict

func (v verdictError) Error() string { return "link: packet " + Verdict(v).String() }

func (d *DownStream) write(p *forward.Packet) Verdict {
	if d.ended.Load() {
		return StreamClosed
	}
	if headerRoom+len(p.Descriptor)+len(p.Payload) > maxDatagram {
		return TooLarge
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.bound
	if b == nil {
		return NotUp
	}
	ssrc, at := b.ssrc, &d.media
	if p.Again {
		ssrc, at = b.again, &d.again
	}
	index, ok := at.near(p.Sequence)
	if !ok {
		return TooLarge
	}
	out := d.m.e.out.Get()
	out.N = marshalRTP(out.Buf[:], p, ssrc)
	if err := b.keys.sealRTP(out, &d.header, ssrc, index); err != nil {
		d.m.e.out.Put(out)
		return SealFailed
	}
	at.advance(index)
	return d.m.e.enqueue(out)
}

// headerRoom: fixed header, extension header, two-byte element header, padding to four, tag.
const headerRoom = 12 + 4 + 2 + 3 + 16

// marshalRTP writes the packet as it crosses a link: payload type by kind of stream, one header extension at most.
func marshalRTP(b []byte, p *forward.Packet, ssrc uint32) int {
	b[0], b[1] = 2<<6, p.PayloadType
	if p.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.Sequence)
	binary.BigEndian.PutUint32(b[4:], p.Timestamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	n := 12
	if k := len(p.Descriptor); k > 0 {
		b[0] |= 1 << 4
		if k <= 16 { // RFC 8285 §4.2
			binary.BigEndian.PutUint16(b[n:], rtp.ExtensionProfileOneByte)
			b[n+4] = extDescriptor<<4 | byte(k-1)
			n += 5
		} else { // §4.3
			binary.BigEndian.PutUint16(b[n:], rtp.ExtensionProfileTwoByte)
			b[n+4], b[n+5] = extDescriptor, byte(k)
			n += 6
		}
		n += copy(b[n:], p.Descriptor)
		for n%4 != 0 {
			b[n] = 0
			n++
		}
		binary.BigEndian.PutUint16(b[14:], uint16((n-16)/4))
	}
	return n + copy(b[n:], p.Payload)
}

// Quality is what the peer said in its last receiver report.
func (d *DownStream) Quality() (lossFraction float64, lost, jitter uint32) {
	return float64(d.lossFraction.Load()) / 256, d.lost.Load(), d.jitter.Load()
}

// SenderReport tells the peer which wall-clock moment an RTP timestamp belongs to, so that sound and picture keep together
// behind the link too. ntp is in NTP format (RFC 3550 §4). Call it when the publisher's own report came.
func (d *DownStream) SenderReport(ntp uint64, timestamp uint32) {
	t := d.track.Load()
	d.mu.Lock()
	b := d.bound
	d.mu.Unlock()
	if t == nil || b == nil || d.ended.Load() {
		return
	}
	n, octets := t.Totals()
	d.m.sendReport(b.keys, senderReport(b.ssrc, ntp, timestamp, uint32(n), uint32(octets)))
}

// Close ends the stream.
func (d *DownStream) Close() {
	d.m.mu.Lock()
	if d.m.down[d.key] == d {
		delete(d.m.down, d.key)
	}
	for ssrc, o := range d.m.outgoing {
		if o == d {
			delete(d.m.outgoing, ssrc)
		}
	}
	d.m.mu.Unlock()
	d.end()
}

func (d *DownStream) end() {
	d.ended.Store(true)
	if t := d.track.Load(); t != nil {
		t.Close()
	}
}
