package link

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/wire/linkpb"
)

// codecs a track may be announced with: what browser.md says survives the seal. H.264 is off.
var codecs = map[string]struct {
	kind  forward.Kind
	codec forward.Codec
}{
	"opus": {forward.Audio, forward.Codec{MimeType: "audio/opus", ClockRate: 48000, Channels: 2}},
	"vp8":  {forward.Video, forward.Codec{MimeType: "video/VP8", ClockRate: 90000}},
	"vp9":  {forward.Video, forward.Codec{MimeType: "video/VP9", ClockRate: 90000}},
	"av1":  {forward.Video, forward.Codec{MimeType: "video/AV1", ClockRate: 90000}},
}

var codecNames = []string{"opus", "vp8", "vp9", "av1"}

// UpStream is one track of the peer's people that we subscribed to, as it comes over the link. Its UpTrack is where own people
// subscribe; what comes over one link is never offered to another (split horizon), which is the node's to keep.
type UpStream struct {
	m        *Media
	key      trackKey
	maxLayer atomic.Uint32
	track    atomic.Pointer[forward.UpTrack] // set by the first TrackOpen, and by one that begins anew
	codec    string                          // of the first TrackOpen; guarded by m.mu

	mu       sync.Mutex // guards what follows
	ssrc     uint32     // newest, for NACK and reports
	keys     *generation
	ended    bool
	count    reception
	throttle forward.KeyFrameThrottle
	wanted   []uint16 // scratch
}

// Subscribe asks the peer for a track. When the peer answers, Opened comes with the stream; a RefusedTrack frame comes otherwise.
// Asking again changes maxLayer.
func (m *Media) Subscribe(scope []byte, track string, maxLayer uint32) (*UpStream, error) {
	key, err := keyOf(scope, track)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.up[key]
	switch {
	case m.closed || m.current == nil:
		return nil, ErrDown
	case u == nil && len(m.up) >= maxStreamsPerPeer:
		return nil, ErrStreams
	case u == nil:
		u = &UpStream{m: m, key: key}
	}
	u.maxLayer.Store(maxLayer)
	if err := m.post(u.subscribeFrame()); err != nil {
		return nil, err
	}
	m.up[key] = u
	return u, nil
}

func (u *UpStream) subscribeFrame() *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Subscribe{Subscribe: &linkpb.SubscribeTrack{
		Scope: []byte(u.key.scope), Track: u.key.track, MaxLayer: u.maxLayer.Load(),
	}}}
}

// Scope and Name say which track it is.
func (u *UpStream) Scope() []byte { return []byte(u.key.scope) }
func (u *UpStream) Name() string  { return u.key.track }

// Track is the source; nil before Opened, another one after every Opened.
func (u *UpStream) Track() *forward.UpTrack { return u.track.Load() }

// Close unsubscribes.
func (u *UpStream) Close() {
	u.m.mu.Lock()
	if u.m.up[u.key] == u {
		delete(u.m.up, u.key)
		if u.m.current != nil {
			_ = u.m.post(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Unsubscribe{Unsubscribe: &linkpb.UnsubscribeTrack{
				Scope: []byte(u.key.scope), Track: u.key.track,
			}}})
		}
	}
	u.m.forgetLocked(u, nil)
	u.m.mu.Unlock()
	u.end()
}

func (u *UpStream) end() {
	u.mu.Lock()
	u.ended = true
	u.mu.Unlock()
	if t := u.track.Load(); t != nil {
		t.Close()
	}
}

// forgetLocked drops a stream's SSRCs under one generation, or under all.
func (m *Media) forgetLocked(u *UpStream, g *generation) {
	for ssrc, r := range m.incoming {
		if r.stream == u && (g == nil || r.keys == g) {
			delete(m.incoming, ssrc)
		}
	}
}

// maxOpens bounds TrackOpens under one generation of keys: every SSRC leaves a little state in the SRTP context for as long as it lives.
const maxOpens = 16 << 10

// opened takes a TrackOpen. What it may say is bounded by what we subscribed to; anything else is answered with an unsubscription.
func (m *Media) opened(now time.Time, g *generation, o *linkpb.TrackOpen) {
	key, err := keyOf(o.GetScope(), o.GetTrack())
	codec, known := codecs[o.GetCodec()]
	if err != nil || !known || codec.codec.ClockRate != o.GetClockRate() {
		return
	}
	m.mu.Lock()
	u := m.up[key]
	_, taken := m.incoming[o.GetSsrc()]
	_, takenAgain := m.incoming[o.GetRtxSsrc()]
	g.opens++
	switch {
	case u == nil:
		_ = m.post(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Unsubscribe{Unsubscribe: &linkpb.UnsubscribeTrack{
			Scope: o.GetScope(), Track: o.GetTrack(),
		}}})
		fallthrough
	case m.closed, taken, takenAgain, g.opens > maxOpens, u.codec != "" && u.codec != o.GetCodec(),
		o.GetSsrc() == 0, o.GetSsrc() == o.GetRtxSsrc(), o.GetSsrc() == g.inReport,
		o.GetFirstIndex() == 0, o.GetFirstIndex() > maxIndex, o.GetFirstRtxIndex() > maxIndex,
		o.GetRtxSsrc() != 0 && o.GetFirstRtxIndex() == 0:
		m.mu.Unlock()
		return
	}
	u.mu.Lock()
	fresh := u.count.start(o.GetFirstIndex(), codec.codec.ClockRate) || u.track.Load() == nil
	u.ssrc, u.keys = o.GetSsrc(), g
	u.mu.Unlock()
	if fresh {
		m.forgetLocked(u, nil) // what is still on its way under other keys is the old source's
	} else {
		m.forgetLocked(u, g)
	}
	m.incoming[o.GetSsrc()] = route{stream: u, keys: g, index: &index{high: o.GetFirstIndex() - 1}}
	if o.GetRtxSsrc() != 0 {
		m.incoming[o.GetRtxSsrc()] = route{stream: u, keys: g, again: true, index: &index{high: o.GetFirstRtxIndex() - 1}}
	}
	u.codec = o.GetCodec()
	m.mu.Unlock()

	if fresh {
		m.begin(now, u, codec.kind, codec.codec, o.GetFirstIndex())
	}
	m.unpark(now)
}

// begin gives a stream a source. A peer that numbers from the start again has another one: its node or its publisher was away, and timestamps,
// Dependency Descriptor and picture numbers begin anew with it. A receiver takes those for what it has shown long ago, so what was
// subscribed to the old source has to be a new stream to it (another SSRC), not a continued one.
func (m *Media) begin(now time.Time, u *UpStream, kind forward.Kind, codec forward.Codec, first uint64) {
	t := forward.NewUpTrack(u.key.track, kind, codec, func() { u.askKeyFrame(time.Now()) })
	// The stream's first number is known. A probe in the place before it (nobody is subscribed yet) makes the NACK generator
	// miss the very first packet too, if it is lost: it begins a key frame.
	t.Write(now, &forward.Packet{Sequence: uint16(first - 1)})
	old := u.track.Swap(t)
	m.e.events.push(Opened{Side: m.peer.cfg.Side, Stream: u})
	if old != nil {
		old.Close()
	}
}

// receive takes an opened packet. Serialised by m.inMu.
func (u *UpStream) receive(now time.Time, p *forward.Packet) {
	t := u.track.Load()
	if t == nil {
		return
	}
	if p.Again {
		t.WriteRTX(now, p)
		return
	}
	u.mu.Lock()
	u.count.received(now, p.Sequence, p.Timestamp)
	u.mu.Unlock()
	t.Write(now, p)
}

// askKeyFrame sends at most one TrackKeyFrame per 500 ms; one that came too soon waits for the next tick after that.
func (u *UpStream) askKeyFrame(now time.Time) {
	u.mu.Lock()
	pass := !u.ended && u.throttle.Request(now, false)
	u.mu.Unlock()
	if pass {
		u.postKeyFrame()
	} else {
		u.m.e.counters.add(KeyFrameCoalesced)
	}
}

func (u *UpStream) postKeyFrame() {
	_ = u.m.post(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_KeyFrame{KeyFrame: &linkpb.TrackKeyFrame{
		Scope: []byte(u.key.scope), Track: u.key.track, Layer: u.maxLayer.Load(),
	}}})
}

// handle takes the link's own part of a frame; true means that the node does not see it.
func (m *Media) handle(now time.Time, c *carrier, f *linkpb.LinkFrame) bool {
	switch b := f.GetBody().(type) {
	case *linkpb.LinkFrame_TrackOpen:
		m.opened(now, c.keys, b.TrackOpen)
		return true
	case *linkpb.LinkFrame_KeyFrame:
		if d := m.downOf(b.KeyFrame.GetScope(), b.KeyFrame.GetTrack()); d != nil {
			if t := d.track.Load(); t != nil {
				t.RequestKeyFrame(now) // throttled per source
			}
		}
		return true
	case *linkpb.LinkFrame_Unsubscribe:
		if d := m.downOf(b.Unsubscribe.GetScope(), b.Unsubscribe.GetTrack()); d != nil {
			d.Close()
		}
	case *linkpb.LinkFrame_RefusedTrack:
		if key, err := keyOf(b.RefusedTrack.GetScope(), b.RefusedTrack.GetTrack()); err == nil {
			m.mu.Lock()
			u := m.up[key]
			delete(m.up, key)
			m.mu.Unlock()
			if u != nil {
				u.end()
			}
		}
		b.RefusedTrack.Code = strings.ToValidUTF8(b.RefusedTrack.GetCode(), "")
	}
	return false
}

func (m *Media) downOf(scope []byte, track string) *DownStream {
	key, err := keyOf(scope, track)
	if err != nil {
		return nil
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.down[key]
}
