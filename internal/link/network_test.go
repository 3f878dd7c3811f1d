package link

import (
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f in virtual time. Under the race detector it runs on one processor: a timer channel that is due when it is received from
// runs in the receiving goroutine, and the runtime has one race context for all such timers of a bubble, not one per processor
// (golang/go#78156, Go 1.26.8); two at once crash the detector. A race is still found: the detector goes by what happened before what, not
// by what ran beside what.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if raceEnabled {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	synctest.Test(t, f)
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
