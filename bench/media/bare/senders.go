//go:build linux

package bare

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const room = 2048

func buffers(receivers int) [][][]byte {
	all := make([][][]byte, receivers)
	for i := range all {
		all[i] = make([][]byte, PerRun)
		for k := range all[i] {
			all[i][k] = make([]byte, 0, room)
		}
	}
	return all
}

// nothing sends nothing: what protection costs.
type nothing struct{ one [][]byte }

func (n *nothing) room(int) [][]byte       { return n.one }
func (n *nothing) run(int, [][]byte) error { return nil }
func (n *nothing) flush() error            { return nil }

// writes is the standard library's way.
type writes struct {
	nothing
	conn *net.UDPConn
	to   []netip.AddrPort
}

func (w *writes) run(receiver int, packets [][]byte) error {
	for _, p := range packets {
		if _, err := w.conn.WriteToUDPAddrPort(p, w.to[receiver]); err != nil {
			return err
		}
	}
	return nil
}

// messages is sendmmsg, with a run as packets of their own or as one message that the kernel cuts (UDP_SEGMENT, udp(7)).
type messages struct {
	fd     int
	keep   any // the socket's owner
	gso    bool
	each   bool // send every run at once
	kept   [][][]byte
	names  []unix.RawSockaddrInet4
	heads  []mmsghdr
	parts  []unix.Iovec
	extra  [][24]byte
	queued int
}

// mmsghdr is struct mmsghdr of a 64-bit Linux (sendmmsg(2)).
type mmsghdr struct {
	header unix.Msghdr
	n      uint32
	_      [4]byte
}

func newMessages(fd int, keep any, to []netip.AddrPort, gso bool) *messages {
	n := len(to) * PerRun
	m := &messages{
		fd: fd, keep: keep, gso: gso, kept: buffers(len(to)), names: make([]unix.RawSockaddrInet4, len(to)),
		heads: make([]mmsghdr, n), parts: make([]unix.Iovec, n), extra: make([][24]byte, len(to)),
	}
	for i, a := range to {
		m.names[i] = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4()}
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&m.names[i].Port))[:], a.Port())
	}
	return m
}

func (m *messages) room(receiver int) [][]byte { return m.kept[receiver] }

func (m *messages) run(receiver int, packets [][]byte) error {
	first := receiver * PerRun
	for k, p := range packets {
		m.parts[first+k].Base = &p[0]
		m.parts[first+k].SetLen(len(p))
	}
	head := func(parts *unix.Iovec, n int) *unix.Msghdr {
		h := &m.heads[m.queued].header
		*h = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&m.names[receiver])), Namelen: unix.SizeofSockaddrInet4, Iov: parts}
		h.SetIovlen(n)
		m.queued++
		return h
	}
	if m.gso {
		h := head(&m.parts[first], len(packets))
		c := &m.extra[receiver]
		binary.NativeEndian.PutUint64(c[0:], uint64(unix.CmsgLen(2)))
		binary.NativeEndian.PutUint32(c[8:], unix.SOL_UDP)
		binary.NativeEndian.PutUint32(c[12:], unix.UDP_SEGMENT)
		binary.NativeEndian.PutUint16(c[16:], uint16(len(packets[0])))
		h.Control = &c[0]
		h.SetControllen(len(c))
	} else {
		for k := range packets {
			head(&m.parts[first+k], 1)
		}
	}
	if m.each {
		return m.flush()
	}
	return nil
}

func (m *messages) flush() error {
	for sent := 0; sent < m.queued; {
		n, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(m.fd), uintptr(unsafe.Pointer(&m.heads[sent])), uintptr(m.queued-sent), unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			sent += int(n)
		case unix.EINTR, unix.EAGAIN:
		default:
			return fmt.Errorf("sendmmsg: %w", e)
		}
	}
	m.queued = 0
	runtime.KeepAlive(m.keep)
	return nil
}
