package udp

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// maxMessage is the largest message: an IP datagram, or a run that the kernel put together.
const maxMessage = 1<<16 - 1

// Source is what datagrams come from. Only a *net.UDPConn gives runs; a simulated network gives them one by one.
type Source interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
}

// Reader reads datagrams, and a run of equal ones from one sender in one system call (udp(7), UDP_GRO): what Writer sent as a run
// comes as one over loopback and many virtual networks, and network cards put runs together. Not safe for concurrent use.
type Reader struct {
	conn Source
	runs *net.UDPConn // conn again; nil: the kernel gives no runs
	buf  []byte
	oob  []byte
}

// NewReader makes a reader for a socket that stays the caller's. Nobody else may read from it: what comes after may be a run.
func NewReader(conn Source) *Reader {
	r := &Reader{conn: conn, buf: make([]byte, maxMessage)}
	if c, ok := conn.(*net.UDPConn); ok && coalesce(c) == nil {
		r.runs, r.oob = c, make([]byte, unix.CmsgSpace(4))
	}
	return r
}

func coalesce(c *net.UDPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1) }); err != nil {
		return err
	}
	return set
}

// Read waits for a message and calls take for each datagram in it, in their order. What take is given is only good until it returns.
func (r *Reader) Read(take func(b []byte, from netip.AddrPort)) error {
	if r.runs == nil {
		n, from, err := r.conn.ReadFromUDPAddrPort(r.buf)
		if err == nil {
			take(r.buf[:n], from)
		}
		return err
	}
	n, controls, _, from, err := r.runs.ReadMsgUDPAddrPort(r.buf, r.oob)
	if err != nil {
		return err
	}
	b, size := r.buf[:n], segmentSize(r.oob[:controls])
	for size > 0 && len(b) > size {
		take(b[:size:size], from)
		b = b[size:]
	}
	take(b, from)
	return nil
}

// segmentSize reads the control message that says how long the datagrams of a run are, an int of the host's; 0: it is no run.
func segmentSize(controls []byte) int {
	for len(controls) >= unix.CmsgSpace(0) {
		h, data, rest, err := unix.ParseOneSocketControlMessage(controls)
		if err != nil {
			return 0
		}
		if h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4 {
			return int(binary.NativeEndian.Uint32(data))
		}
		controls = rest
	}
	return 0
}
