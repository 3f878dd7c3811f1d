package link

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// port is the link's port as quic-go sees it: a net.PacketConn that only ever yields QUIC packets. It is deliberately no
// *net.UDPConn: quic-go would take the socket's own reading (recvmmsg), and with it our media.
type port struct {
	socket Socket
	in     chan *datagram

	once sync.Once
	wake chan struct{} // closed by the first SetReadDeadline that lies not in the future: quic-go is stopping
}

// datagram is one packet on its way to quic-go.
type datagram struct {
	from netip.AddrPort
	n    int
	buf  [maxDatagram]byte
}

var datagrams = sync.Pool{New: func() any { return new(datagram) }}

func newPort(s Socket) *port {
	return &port{socket: s, in: make(chan *datagram, quicQueue), wake: make(chan struct{})}
}

// deliver copies b in, or says that there is no room.
func (p *port) deliver(b []byte, from netip.AddrPort) bool {
	d := datagrams.Get().(*datagram)
	d.n, d.from = copy(d.buf[:], b), from
	select {
	case p.in <- d:
		return true
	default:
		datagrams.Put(d)
		return false
	}
}

func (p *port) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-p.wake:
		return 0, nil, os.ErrDeadlineExceeded
	case d := <-p.in:
		n, from := copy(b, d.buf[:d.n]), d.from
		datagrams.Put(d)
		return n, net.UDPAddrFromAddrPort(from), nil
	}
}

func (p *port) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("link: not a UDP address")
	}
	return p.socket.WriteToUDPAddrPort(b, u.AddrPort())
}

// SetReadDeadline serves quic-go's one use of it: to stop its reading for good.
func (p *port) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		p.once.Do(func() { close(p.wake) })
	}
	return nil
}

// Close does nothing: the Endpoint owns the socket.
func (p *port) Close() error                     { return nil }
func (p *port) LocalAddr() net.Addr              { return p.socket.LocalAddr() }
func (p *port) SetDeadline(t time.Time) error    { return p.SetReadDeadline(t) }
func (p *port) SetWriteDeadline(time.Time) error { return nil }
func (p *port) SetReadBuffer(int) error          { return nil } // set once, in socket.go
func (p *port) SetWriteBuffer(int) error         { return nil }
