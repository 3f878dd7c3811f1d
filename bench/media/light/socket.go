//go:build linux

package light

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize    = 64   // datagrams per recvmmsg
	datagramRoom = 2048 // bytes; more than a path of 1,500 can carry
	controlRoom  = 64   // bytes: one SCM_TIMESTAMPNS
	socketBuffer = 8 << 20
)

// mmsghdr is struct mmsghdr of a 64-bit Linux (recvmmsg(2)).
type mmsghdr struct {
	header unix.Msghdr
	n      uint32
	_      [4]byte
}

// openSocket makes a UDP socket that never blocks and stamps what it receives.
func openSocket(host netip.Addr) (fd int, local netip.AddrPort, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, local, fmt.Errorf("light: socket: %w", err)
	}
	fail := func(err error) (int, netip.AddrPort, error) {
		_ = unix.Close(fd)
		return -1, netip.AddrPort{}, fmt.Errorf("light: socket on %s: %w", host, err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer) != nil { // needs a privilege
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fail(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: host.As4()}); err != nil {
		return fail(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return fail(err)
	}
	return fd, netip.AddrPortFrom(host, uint16(name.(*unix.SockaddrInet4).Port)), nil
}

// batch is room for one recvmmsg. It belongs to the loop's thread.
type batch struct {
	headers [batchSize]mmsghdr
	vectors [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet4
	control [batchSize][controlRoom]byte
	bytes   [batchSize][datagramRoom]byte
}

func newBatch() *batch {
	b := &batch{}
	for i := range batchSize {
		b.vectors[i].Base = &b.bytes[i][0]
		b.vectors[i].SetLen(datagramRoom)
		h := &b.headers[i].header
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&b.names[i])), unix.SizeofSockaddrInet4
		h.Iov, h.Iovlen = &b.vectors[i], 1
		h.Control = &b.control[i][0]
	}
	return b
}

// receive takes what is there, up to batchSize datagrams. RawSyscall: the call does not block, so the scheduler need not know.
func (b *batch) receive(fd int) int {
	for i := range b.headers {
		h := &b.headers[i].header
		if h.Controllen == controlRoom {
			break // this one and all after it were not used since
		}
		h.Namelen, h.Controllen, h.Flags = unix.SizeofSockaddrInet4, controlRoom, 0
	}
	n, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// at gives datagram i, who sent it, and when the kernel took it (zero if it did not say).
func (b *batch) at(i int) (data []byte, from netip.AddrPort, arrived int64) {
	name := &b.names[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	from = netip.AddrPortFrom(netip.AddrFrom4(name.Addr), port)
	if n := int(b.headers[i].header.Controllen); n >= unix.CmsgLen(16) {
		c := b.control[i][:n]
		if level := int32(binary.NativeEndian.Uint32(c[8:])); level == unix.SOL_SOCKET && binary.NativeEndian.Uint32(c[12:]) == unix.SCM_TIMESTAMPNS {
			arrived = int64(binary.NativeEndian.Uint64(c[16:]))*int64(time.Second) + int64(binary.NativeEndian.Uint64(c[24:]))
		}
	}
	return b.bytes[i][:b.headers[i].n], from, arrived
}

func sendTo(fd int, b []byte, to netip.AddrPort) {
	_ = unix.Sendto(fd, b, unix.MSG_DONTWAIT, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
}

// run is room for one sendmmsg to one address.
type run struct {
	headers []mmsghdr
	vectors []unix.Iovec
	name    unix.RawSockaddrInet4
}

// send gives all of packets to the kernel in as few calls as it takes; it returns how many it took.
func (r *run) send(fd int, packets [][]byte, to netip.AddrPort) int {
	if len(r.headers) < len(packets) {
		r.headers, r.vectors = make([]mmsghdr, len(packets)), make([]unix.Iovec, len(packets))
	}
	r.name = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&r.name.Port))[:], to.Port())
	for i, p := range packets {
		r.vectors[i].Base = &p[0]
		r.vectors[i].SetLen(len(p))
		r.headers[i].header = unix.Msghdr{
			Name: (*byte)(unsafe.Pointer(&r.name)), Namelen: unix.SizeofSockaddrInet4, Iov: &r.vectors[i], Iovlen: 1,
		}
	}
	sent := 0
	for sent < len(packets) {
		n, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.headers[sent])), uintptr(len(packets)-sent), unix.MSG_DONTWAIT, 0, 0)
		if e == unix.EINTR {
			continue
		}
		if e != 0 || n == 0 {
			break
		}
		sent += int(n)
	}
	return sent
}
