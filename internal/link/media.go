package link

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/wire/linkpb"
)

var (
	// ErrStreams is returned when a peer has as many track streams as it may.
	ErrStreams = errors.New("link: too many track streams")
	// ErrTrack is returned for a scope or track name that cannot be one.
	ErrTrack = errors.New("link: not a track name")
)

// Media is the media plane of the link with one side. It outlives carriers.
//
// Lock order: Endpoint.mu, inMu, a DownTrack's own lock, mu, DownStream.mu. Nothing is called under mu but queues.
type Media struct {
	e      *Endpoint
	peer   *peer
	budget *forward.Budget // what this peer may be sent again, over all its streams

	mu       sync.RWMutex
	current  *generation   // keys what is sent; nil: not up
	live     []*generation // keys that still open, the current one included
	down     map[trackKey]*DownStream
	up       map[trackKey]*UpStream
	incoming map[uint32]route
	outgoing map[uint32]*DownStream // by media SSRC, of every live generation
	closed   bool

	inMu    sync.Mutex // guards what follows: opening, for the read loop and for a TrackOpen that lets parked packets out
	header  rtp.Header
	report  rtcp.Header
	parked  []parked
	reports bucket
	packet  forward.Packet
}

// trackKey names a track between two nodes.
type trackKey struct {
	scope string
	track string
}

// route is where packets of one SSRC go.
type route struct {
	stream *UpStream
	keys   *generation
	again  bool // the retransmission SSRC
	index  *index
}

// parked is a packet that came before its TrackOpen.
type parked struct {
	at time.Time
	b  []byte
}

func newMedia(e *Endpoint, p *peer) *Media {
	return &Media{
		e: e, peer: p,
		budget:   forward.NewBudget(),
		down:     map[trackKey]*DownStream{},
		up:       map[trackKey]*UpStream{},
		incoming: map[uint32]route{},
		outgoing: map[uint32]*DownStream{},
		reports:  bucket{quota: quota{frames: 1000, frameBurst: 2000, bytes: 1, byteBurst: 1}},
	}
}

func keyOf(scope []byte, track string) (trackKey, error) {
	if len(scope) == 0 || len(scope) > 64 || track == "" || len(track) > maxTrackName {
		return trackKey{}, ErrTrack
	}
	return trackKey{string(scope), track}, nil
}

// install makes g the keys to send with; older ones go on opening until their carrier is gone.
func (m *Media) install(g *generation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current = g
	m.live = append(m.live, g)
}

// uninstall stops sending; Up or close follows.
func (m *Media) uninstall() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current = nil
	for _, d := range m.down {
		d.bind(nil)
	}
}

// retire forgets keys and every SSRC under them.
func (m *Media) retire(g *generation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == g {
		m.current = nil
	}
	for i, l := range m.live {
		if l == g {
			m.live = append(m.live[:i:i], m.live[i+1:]...)
			break
		}
	}
	for ssrc, r := range m.incoming {
		if r.keys == g {
			delete(m.incoming, ssrc)
		}
	}
	for ssrc, d := range m.outgoing {
		if !d.speaks(ssrc) {
			delete(m.outgoing, ssrc)
		}
	}
}

// uses says whether media may come from an address.
func (m *Media) uses(a netip.AddrPort) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, g := range m.live {
		if g.address() == a {
			return true
		}
	}
	return false
}

// post queues a frame for the peer without Endpoint.mu: install and announce run under it.
func (m *Media) post(f *linkpb.LinkFrame) error {
	l, ok := laneOf(f)
	if !ok {
		return ErrNotSent
	}
	b, err := encodeFrame(f)
	if err != nil {
		return err
	}
	return m.peer.out[l].put(b)
}

// announce tells the peer new SSRCs for every track it is being sent, because the keys changed.
func (m *Media) announce(time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.down {
		if err := m.bindLocked(d); err != nil {
			d.bind(nil) // it stays silent until the next carrier
		}
	}
}

// restore brings the track streams back when the link is up again: as they were if the peer still has them (keep), else what we
// subscribed to is subscribed to anew, and what the peer had subscribed to is gone with its memory.
func (m *Media) restore(now time.Time, keep bool) {
	if keep {
		m.announce(now)
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, u := range m.up {
			if u.track.Load() == nil { // asked for, not answered: the question may be lost
				_ = m.post(u.subscribeFrame())
			}
		}
		return
	}
	m.mu.Lock()
	ended := make([]*DownStream, 0, len(m.down))
	for k, d := range m.down {
		delete(m.down, k)
		ended = append(ended, d)
	}
	clear(m.outgoing)
	for _, u := range m.up {
		_ = m.post(u.subscribeFrame())
	}
	m.mu.Unlock()
	for _, d := range ended {
		d.end()
	}
}

// close ends every stream: the peer was removed.
func (m *Media) close() {
	m.mu.Lock()
	m.closed = true
	m.current, m.live = nil, nil
	down, up := m.down, m.up
	m.down, m.up = map[trackKey]*DownStream{}, map[trackKey]*UpStream{}
	clear(m.incoming)
	clear(m.outgoing)
	m.mu.Unlock()
	for _, d := range down {
		d.end()
	}
	for _, u := range up {
		u.end()
	}
}

// freshLocked draws an SSRC that was never ours under the current keys, nor is the peer's. A chance of 2^-32 is no comfort where the
// price of one collision is the authentication key.
func (m *Media) freshLocked() (uint32, error) {
	g := m.current
	if len(g.used) >= maxOpens {
		return 0, ErrStreams // until the next re-key; a peer that subscribes and unsubscribes in a loop gets here
	}
	for {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
		ssrc := binary.BigEndian.Uint32(b[:])
		_, theirs := m.incoming[ssrc]
		if ssrc != 0 && !theirs && !g.used[ssrc] && ssrc != g.inReport && ssrc != g.outReport {
			g.used[ssrc] = true
			return ssrc, nil
		}
	}
}
