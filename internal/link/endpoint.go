package link

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/udp"
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
	out       *udp.Writer // of media
	events    *queue
	counters  Counters
	addresses atomic.Pointer[map[netip.AddrPort]*Media]
	nodeCert  atomic.Pointer[[]byte] // what HELLO shows

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
		events:   newQueue(),
		stopped:  make(chan struct{}),
		peers:    map[[32]byte]*peer{},
		refusals: bucket{quota: quota{frames: refusalsPerSecond, frameBurst: refusalBurst, bytes: 1, byteBurst: 1}},
	}
	e.name = serverName(e.side)
	e.addresses.Store(&map[netip.AddrPort]*Media{})
	e.SetNodeCert(cfg.NodeCert)
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
	e.out = udp.NewWriter(e.socket, 0)
	e.counters.out = e.out.Counters()
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

// SetNodeCert shows a renewed certificate of the same node key (canonical ident.Signed) from the next handshake on. Links that are up stay as they are: the
// key has not changed, and the certificate of their handshake was good.
func (e *Endpoint) SetNodeCert(cert []byte) { e.nodeCert.Store(&cert) }

// NodeCert is the certificate that the next handshake shows.
func (e *Endpoint) NodeCert() []byte { return *e.nodeCert.Load() }

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
	loops.Go(func() { e.out.Run(run) })
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

// refuse tells the node, at most refusalsPerSecond times a second: a scanner must not fill our memory or our operators' screens.
func (e *Endpoint) refuse(r Refused) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refusals.take(time.Now(), 0) {
		e.events.push(r)
	}
}

// deliver hands a frame to the node, after the link took its own part of it.
func (e *Endpoint) deliver(ctx context.Context, c *carrier, f *linkpb.LinkFrame) bool {
	if c.peer.media.handle(time.Now(), c, f) {
		return true
	}
	return e.events.pushFrame(ctx, Frame{Side: c.peer.cfg.Side, Frame: f})
}
