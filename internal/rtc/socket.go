package rtc

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"

	"parley.link/parley/internal/udp"
)

// linger is how long a packet to a crowd waits for the rest of its frame: a fraction of the 2 ms that sending may add.
const linger = 500 * time.Microsecond

// socket is a UDP media socket as the library sees it: sealed media leaves in batches (package udp), all else at once. RTP is told
// by its first bytes (RFC 7983 §7, RFC 5761 §4); its order per receiver stays, and nothing needs an order between RTP and the rest.
type socket struct {
	*net.UDPConn
	out   *udp.Writer
	close func() error
}

func newSocket(conn *net.UDPConn) *socket {
	_ = conn.SetReadBuffer(socketBuffer) // the kernel may give less; then bursts are lost earlier
	_ = conn.SetWriteBuffer(socketBuffer)
	ctx, cancel := context.WithCancel(context.Background())
	s := &socket{UDPConn: conn, out: udp.NewWriter(conn, linger)}
	var wait sync.WaitGroup
	wait.Go(func() { s.out.Run(ctx) })
	s.close = sync.OnceValue(func() error {
		cancel()
		err := conn.Close() // also ends a write that waits for room in the kernel
		wait.Wait()
		return err
	})
	return s
}

// ReadFromAddrPort and WriteToAddrPort are the library's way around net.Addr (ice.AddrPortReaderWriter).
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	return s.ReadFromUDPAddrPort(b)
}

func (s *socket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if !isMedia(b) {
		return s.WriteToUDPAddrPort(b, to)
	}
	// A packet that finds no room is lost, as on any path; the receiver asks again. An error would end the stream.
	_ = s.out.Write(b, to)
	return len(b), nil
}

func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("rtc: not a UDP address")
	}
	return s.WriteToAddrPort(b, u.AddrPort())
}

func (s *socket) Close() error { return s.close() }

// isMedia tells RTP from STUN, DTLS and RTCP.
func isMedia(b []byte) bool {
	return len(b) >= 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223)
}

// network makes the library's sockets ours.
type network struct {
	*stdnet.Net
	made []*socket // one after the other, before the port is open
}

func (n *network) ListenUDP(family string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := net.ListenUDP(family, at)
	if err != nil {
		return nil, err
	}
	s := newSocket(conn)
	n.made = append(n.made, s)
	return s, nil
}

// listenUDP opens the media port, and returns the sockets behind it.
func listenUDP(cfg Config) (ice.UDPMux, []*socket, error) {
	addr, port, err := split("UDP media address", cfg.UDP)
	if err != nil {
		return nil, nil, err
	}
	log := loggers{cfg.Log}.NewLogger("ice-udp")
	fail := func(err error) error { return fmt.Errorf("%w: UDP media address %s: %w", ErrAddress, cfg.UDP, err) }
	if addr.IsValid() {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: addr.AsSlice(), Port: port, Zone: addr.Zone()})
		if err != nil {
			return nil, nil, fail(err)
		}
		s := newSocket(conn)
		return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: s, Logger: log}), []*socket{s}, nil
	}
	std, err := stdnet.NewNet()
	if err != nil {
		return nil, nil, fail(err)
	}
	ours := &network{Net: std}
	// One socket per local address, same port: a socket on the unspecified address would answer from whichever the route picks.
	opts := []ice.UDPMuxFromPortOption{
		ice.UDPMuxFromPortWithLogger(log),
		ice.UDPMuxFromPortWithNet(ours),
		ice.UDPMuxFromPortWithIPFilter(cfg.allowsIP),
	}
	if cfg.Loopback {
		opts = append(opts, ice.UDPMuxFromPortWithLoopback())
	}
	mux, err := ice.NewMultiUDPMuxFromPort(port, opts...)
	if err != nil {
		return nil, nil, fail(err)
	}
	return mux, ours.made, nil
}

// Egress is what became of the sealed media that left over UDP.
type Egress struct {
	Sent       uint64 // datagrams that the kernel took
	QueueFull  uint64 // dropped: the kernel did not take them as fast as they came
	SendFailed uint64 // dropped: the kernel refused them
}

// Egress sums over the sockets.
func (e *Engine) Egress() (sum Egress) {
	for _, s := range e.sockets {
		c := s.out.Counters()
		sum.Sent += c.Sent.Load()
		sum.QueueFull += c.QueueFull.Load()
		sum.SendFailed += c.SendFailed.Load()
	}
	return sum
}
