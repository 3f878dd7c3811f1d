package link

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// Endpoint is this node's end of all its links: one UDP port, one peer per other side.
type Endpoint struct {
	cfg       Config
	side      [32]byte
	own       ed25519.PublicKey // the node id
	name      string            // our SNI
	cert      tls.Certificate
	socket    Socket
	port      *port
	transport *quic.Transport
	out       chan *packet
	events    *queue
	counters  Counters
	addresses atomic.Pointer[map[netip.AddrPort]*Media]

	strangers atomic.Int64 // handshakes under way from addresses no peer was found at
	friends   atomic.Int64 // and from the others
	familiar  atomic.Pointer[map[netip.Addr]bool]
	stopped   chan struct{} // closed when Run begins to stop
	wg        sync.WaitGroup

	mu       sync.Mutex
	peers    map[[32]byte]*peer
	ctx      context.Context // of Run; nil before
	stopping bool
	refusals bucket
}

// New opens the port. Nothing is read or sent before Run.
func New(cfg Config) (*Endpoint, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	e := &Endpoint{
		cfg:      cfg,
		side:     ident.SideID(cfg.Delegation),
		own:      cfg.Key.Public(),
		out:      make(chan *packet, mediaQueue),
		events:   newQueue(),
		stopped:  make(chan struct{}),
		peers:    map[[32]byte]*peer{},
		refusals: bucket{quota: quota{frames: refusalsPerSecond, frameBurst: refusalBurst, bytes: 1, byteBurst: 1}},
	}
	e.name = serverName(e.side)
	e.addresses.Store(&map[netip.AddrPort]*Media{})
	e.familiar.Store(&map[netip.Addr]bool{})
	var err error
	if e.cert, err = certificate(cfg.Key); err != nil {
		return nil, err
	}
	if e.socket = cfg.Socket; e.socket == nil {
		if e.socket, err = listen(cfg.Listen); err != nil {
			return nil, err
		}
	}
	e.port = newPort(e.socket)
	e.transport = &quic.Transport{
		Conn:                e.port,
		ConnectionIDLength:  connectionIDLength,
		StatelessResetKey:   cfg.Secret.resetKey(),
		TokenGeneratorKey:   cfg.Secret.tokenKey(),
		VerifySourceAddress: e.crowded,
		ConnContext:         e.countHandshake,
	}
	return e, nil
}

// Addr is the port's local address.
func (e *Endpoint) Addr() net.Addr { return e.socket.LocalAddr() }

// Events is where the node hears of its links. Keep reading.
func (e *Endpoint) Events() <-chan Event { return e.events.out }

// Counters are the verdicts of the whole port.
func (e *Endpoint) Counters() *Counters { return &e.counters }

// Run serves until ctx ends; then it says goodbye on every link, closes the port and waits for everything it started. Once only.
func (e *Endpoint) Run(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the sockets outlive ctx by a goodbye
	defer cancel()
	listener, err := e.transport.Listen(e.serverTLS(), e.quicConfig(int64(lanes)))
	if err != nil {
		_ = e.socket.Close()
		return fmt.Errorf("listen for carriers: %w", err)
	}
	dialling, stopDialling := context.WithCancel(ctx)
	defer stopDialling()
	e.mu.Lock()
	e.ctx = dialling
	for _, p := range e.peers {
		e.startDialling(p)
	}
	e.mu.Unlock()

	var loops sync.WaitGroup
	loops.Go(func() { e.runRead(run) })
	loops.Go(func() { e.runWrite(run) })
	loops.Go(func() { e.events.run(run) })
	loops.Go(func() { e.runFeedback(run) })
	e.wg.Go(func() { e.runAccept(dialling, listener) })

	<-ctx.Done()
	e.mu.Lock()
	e.stopping = true
	var live []*carrier
	for _, p := range e.peers {
		if p.current != nil {
			live = append(live, p.current)
		}
		p.down(e, ReasonStopping, nil)
	}
	e.mu.Unlock()
	close(e.stopped)
	for _, c := range live {
		c.close(codeBye, "bye")
	}
	stopDialling()
	_ = listener.Close()
	err = e.transport.Close() // ends the carriers that were still greeting or draining
	e.wg.Wait()
	cancel()
	_ = e.socket.Close()
	loops.Wait()
	if err != nil {
		return fmt.Errorf("close transport: %w", err)
	}
	return nil
}

// quicConfig is the same on both ends but for who may open streams: only the dialling node, exactly the lanes, once.
func (e *Endpoint) quicConfig(streams int64) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           handshakeTimeout,
		MaxIdleTimeout:                 idleTimeout,
		KeepAlivePeriod:                keepAlive,
		InitialPacketSize:              1200, // handshakes fail on paths below 1,252 bytes otherwise
		DisablePathMTUDiscovery:        true, // frames are small and few; the path's size is media's business
		MaxIncomingStreams:             streams,
		MaxIncomingUniStreams:          -1,
		RequireStreamCreditRelease:     true,
		InitialStreamReceiveWindow:     256 << 10,
		MaxStreamReceiveWindow:         2 << 20,
		InitialConnectionReceiveWindow: 512 << 10,
		MaxConnectionReceiveWindow:     4 << 20,
	}
}

// receive gives one datagram its plane.
func (e *Endpoint) receive(now time.Time, b []byte, from netip.AddrPort) {
	switch classify(b) {
	case planeQUIC:
		if len(b) > maxDatagram || !e.port.deliver(b, from) {
			e.counters.add(ControlOverflow)
			return
		}
		e.counters.add(ToControl)
	case planeMedia:
		m := (*e.addresses.Load())[unmap(from)]
		if m == nil {
			e.counters.add(UnknownAddress)
			return
		}
		e.counters.add(m.receive(now, b))
	default:
		e.counters.add(NotOurs)
	}
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// setAddress makes media from an address that peer's. Called under mu; readers take no lock.
func (e *Endpoint) setAddress(a netip.AddrPort, m *Media) {
	next := map[netip.AddrPort]*Media{}
	for k, v := range *e.addresses.Load() {
		if v != m || v.uses(k) {
			next[k] = v
		}
	}
	if a.IsValid() {
		next[a] = m
	}
	e.addresses.Store(&next)
}

// Send queues a frame for a side. It never blocks. The frame may be changed afterwards.
func (e *Endpoint) Send(side [32]byte, f *linkpb.LinkFrame) error {
	l, ok := laneOf(f)
	if !ok {
		return ErrNotSent
	}
	b, err := encodeFrame(f)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peers[side]
	if p == nil || !p.up {
		return ErrDown
	}
	return p.out[l].put(b)
}

// State of a link.
type State string

const (
	StateUnknown     State = "unknown" // no such peer
	StateNotVerified State = "not-verified"
	StateDown        State = "down"
	StateUp          State = "up"
)

// Status of the link with one side.
type Status struct {
	State    State
	Since    time.Time
	RTT      time.Duration // smoothed, of the carrier; 0 when down
	How      string        // how and when the peer was verified
	Problem  problem.Code  // why it is down, if known
	Carriers uint64        // so far; more than one without a Down is a re-key
	Dialled  bool          // by us
}

// Status tells how the link with a side stands.
func (e *Endpoint) Status(side [32]byte) Status {
	e.mu.Lock()
	p := e.peers[side]
	if p == nil {
		e.mu.Unlock()
		return Status{State: StateUnknown}
	}
	s := Status{State: StateDown, Since: p.since, How: p.cfg.How, Problem: p.problem, Carriers: p.carriers}
	c := p.current
	switch {
	case p.up:
		s.State = StateUp
	case !p.cfg.Verified:
		s.State = StateNotVerified
	}
	e.mu.Unlock()
	if c != nil {
		s.RTT, s.Dialled = c.conn.ConnectionStats().SmoothedRTT, c.dialled
	}
	return s
}

// Media is the media plane of the link with a side; nil for an unknown side. It stays the same while the peer is configured.
func (e *Endpoint) Media(side [32]byte) *Media {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[side]; p != nil {
		return p.media
	}
	return nil
}

// SetBusy tells whether a session runs over the link with a side: then no two dials are more than a second apart.
func (e *Endpoint) SetBusy(side [32]byte, busy bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[side]; p != nil && p.busy != busy {
		p.busy = busy
		p.poke()
	}
}

// SetPeers replaces the configuration of peers. A peer that is gone, no longer verified or differently keyed loses its link.
func (e *Endpoint) SetPeers(list []Peer) error {
	seen := map[[32]byte]bool{}
	for i := range list {
		if err := list[i].check(); err != nil {
			return err
		}
		if seen[list[i].Side] || list[i].Side == e.side {
			return fmt.Errorf("%w: a side twice, or our own", ErrConfig)
		}
		seen[list[i].Side] = true
	}
	e.mu.Lock()
	var closing []*carrier
	for side, p := range e.peers {
		if !seen[side] {
			closing = append(closing, e.removePeer(p)...)
		}
	}
	for _, cfg := range list {
		p := e.peers[cfg.Side]
		if p == nil {
			p = newPeer(e, cfg)
			e.peers[cfg.Side] = p
			e.startDialling(p)
			continue
		}
		p.cfg = cfg
		if c := p.current; c != nil && (!cfg.Verified || !hasKey(cfg.NodeKeys, c.key)) {
			closing = append(closing, c)
		}
		p.poke()
	}
	e.mu.Unlock()
	for _, c := range closing {
		c.close(codeNotWanted, "not wanted")
	}
	return nil
}

func (e *Endpoint) removePeer(p *peer) []*carrier {
	delete(e.peers, p.cfg.Side)
	if p.stop != nil {
		p.stop()
	}
	p.down(e, ReasonRemoved, nil)
	p.media.close()
	e.setAddress(netip.AddrPort{}, p.media)
	if p.current != nil {
		return []*carrier{p.current}
	}
	return nil
}

func (e *Endpoint) startDialling(p *peer) {
	if e.ctx == nil || e.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(e.ctx)
	p.stop = cancel
	e.wg.Go(func() { e.runDial(ctx, p) })
}

// refuse tells the node, at most refusalsPerSecond times a second: a scanner must not fill our memory or our operators' screens.
func (e *Endpoint) refuse(r Refused) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refusals.take(time.Now(), 0) {
		e.events.push(r)
	}
}

func (e *Endpoint) note(p *peer, code problem.Code) {
	e.mu.Lock()
	p.problem = code
	e.mu.Unlock()
}

func (e *Endpoint) peerByKey(key ed25519.PublicKey) *peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.peers {
		if hasKey(p.cfg.NodeKeys, key) {
			return p
		}
	}
	return nil
}

// admit counts a carrier in; a peer with too many at once, or being punished, gets none.
func (e *Endpoint) admit(p *peer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.pending >= maxCarriersPerPeer || time.Now().Before(p.notBefore) || e.stopping {
		return false
	}
	p.pending++
	return true
}

func (e *Endpoint) release(p *peer) {
	e.mu.Lock()
	p.pending--
	e.mu.Unlock()
}

// deliver hands a frame to the node, after the link took its own part of it.
func (e *Endpoint) deliver(ctx context.Context, c *carrier, f *linkpb.LinkFrame) bool {
	if c.peer.media.handle(time.Now(), c, f) {
		return true
	}
	return e.events.pushFrame(ctx, Frame{Side: c.peer.cfg.Side, Frame: f})
}

func asRefused(err error) (*refusedError, bool) {
	var r *refusedError
	ok := errors.As(err, &r)
	return r, ok
}

func isMalformed(err error) bool { return errors.Is(err, ErrFrame) || errors.Is(err, ErrFrameTooLarge) }

func resolve(ctx context.Context, address string) (*net.UDPAddr, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split peer address: %w", err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return nil, fmt.Errorf("look up peer port: %w", err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return nil, fmt.Errorf("look up peer host: %w", errors.Join(err, net.ErrClosed))
	}
	slices.SortStableFunc(ips, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ips[0].Unmap(), uint16(number))), nil
}
