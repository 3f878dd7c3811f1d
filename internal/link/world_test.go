package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/wire/linkpb"
)

// party is one side of a test: its keys and, once started, its endpoint.
type party struct {
	t      testing.TB
	root   ident.Delegation
	key    ident.Key
	cfg    Config
	e      *Endpoint
	addr   string
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	events []Event
	seen   int
	news   chan struct{}
}

func newParty(t testing.TB) *party {
	t.Helper()
	root, err := ident.GenerateDelegation(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{t: t, root: root, key: key, news: make(chan struct{}, 1)}
	p.cfg = Config{
		Listen: "127.0.0.1:0", Key: key, Delegation: root.Public(), NodeCert: nodeCert(t, root, key.Public()),
		Secret: Secret{1, 2, 3}, Boot: 1, Build: "test",
	}
	return p
}

func nodeCert(t testing.TB, root ident.Delegation, key []byte) []byte {
	t.Helper()
	side := root.Side()
	signed, err := root.SignNode(ident.NodeCert{Version: ident.Version, Side: side[:], Key: key, From: 0, Until: 1 << 52})
	if err != nil {
		t.Fatal(err)
	}
	return canon.Encode(signed)
}

// lower makes two parties of which the first has the lower node id.
func twoParties(t testing.TB) (low, high *party) {
	a, b := newParty(t), newParty(t)
	if string(a.key.Public()) > string(b.key.Public()) {
		a, b = b, a
	}
	return a, b
}

func (p *party) peer(address string) Peer {
	return Peer{
		Side: p.root.Side(), Delegation: p.root.Public(), NodeKeys: []ed25519.PublicKey{p.key.Public()},
		Address: address, Verified: true, How: "by hand, in the test",
	}
}

// start opens the endpoint and collects its events.
func (p *party) start(peers ...Peer) {
	p.t.Helper()
	var err error
	if p.e, err = New(p.cfg); err != nil {
		p.t.Fatal(err)
	}
	p.addr = p.e.Addr().String()
	if err := p.e.SetPeers(peers); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	done := make(chan struct{})
	p.done = done
	e := p.e
	go func() {
		defer close(done)
		if err := e.Run(ctx); err != nil {
			p.t.Errorf("run: %v", err)
		}
	}()
	go func() {
		for {
			select {
			case <-done:
				return
			case ev := <-e.Events():
				p.mu.Lock()
				p.events = append(p.events, ev)
				p.mu.Unlock()
				select {
				case p.news <- struct{}{}:
				default:
				}
			}
		}
	}()
	p.t.Cleanup(p.stop)
}

func (p *party) stop() {
	p.cancel()
	<-p.done
}

// await returns the next event of type E after those already awaited.
func await[E Event](p *party, what string) E {
	p.t.Helper()
	return awaitWhere(p, what, func(E) bool { return true })
}

func awaitWhere[E Event](p *party, what string, ok func(E) bool) E {
	p.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		p.mu.Lock()
		for p.seen < len(p.events) {
			ev := p.events[p.seen]
			p.seen++
			if e, is := ev.(E); is && ok(e) {
				p.mu.Unlock()
				return e
			}
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-deadline:
			p.mu.Lock()
			p.t.Fatalf("no %s; events: %+v", what, p.events)
		}
	}
}

// count says how many events of a type there were at all.
func count[E Event](p *party) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, ev := range p.events {
		if _, ok := ev.(E); ok {
			n++
		}
	}
	return n
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 15 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func heartbeat(n uint64) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Heartbeat{Heartbeat: &linkpb.Heartbeat{Sequence: n}}}
}

func entry(n uint64, size int) *linkpb.LinkFrame {
	b := make([]byte, size)
	b[0], b[1], b[2], b[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: []byte("s"), Entry: b}}}
}

// network is a simulated one: constant delay, random loss from a seed, in order.
type network struct {
	mu    sync.Mutex
	rand  *mathrand.Rand
	delay time.Duration
	loss  float64
	only  func(b []byte) bool // loss applies to these; nil: all
	nodes map[netip.AddrPort]*simSocket
	next  uint16
}

func newNetwork(seed uint64, delay time.Duration) *network {
	return &network{rand: mathrand.New(mathrand.NewPCG(seed, seed)), delay: delay, nodes: map[netip.AddrPort]*simSocket{}, next: 1000}
}

type simDatagram struct {
	at   time.Time
	from netip.AddrPort
	b    []byte
}

type simSocket struct {
	n     *network
	addr  netip.AddrPort
	queue chan simDatagram
	gone  chan struct{}
	once  sync.Once
	mute  bool // a killed process: says and hears nothing; guarded by network.mu
}

func (n *network) socket() *simSocket {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next++
	return n.bindLocked(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), n.next))
}

func (n *network) bindLocked(a netip.AddrPort) *simSocket {
	s := &simSocket{n: n, addr: a, queue: make(chan simDatagram, 1<<14), gone: make(chan struct{})}
	n.nodes[a] = s
	return s
}

// kill cuts a socket off as kill -9 does, and gives another one its address.
func (n *network) kill(s *simSocket) *simSocket {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.mute = true
	return n.bindLocked(s.addr)
}

func (n *network) set(loss float64) {
	n.mu.Lock()
	n.loss = loss
	n.mu.Unlock()
}

func (s *simSocket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	d := s.n.nodes[to]
	if s.mute || d == nil || (s.n.loss > 0 && (s.n.only == nil || s.n.only(b)) && s.n.rand.Float64() < s.n.loss) {
		return len(b), nil
	}
	select {
	case d.queue <- simDatagram{time.Now().Add(s.n.delay), s.addr, append([]byte(nil), b...)}:
	default:
	}
	return len(b), nil
}

func (s *simSocket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case <-s.gone:
		return 0, netip.AddrPort{}, net.ErrClosed
	case d := <-s.queue:
		if wait := time.Until(d.at); wait > 0 {
			time.Sleep(wait) // the simulated wire, not a test that hopes
		}
		return copy(b, d.b), d.from, nil
	}
}

func (s *simSocket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.addr) }

func (s *simSocket) Close() error {
	s.once.Do(func() { close(s.gone) })
	return nil
}

// move gives a socket another address, as a NAT that forgot does.
func (n *network) move(s *simSocket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.nodes, s.addr)
	n.next++
	s.addr = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), n.next)
	n.nodes[s.addr] = s
}
