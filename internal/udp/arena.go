package udp

import (
	"encoding/binary"
	"net"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// arena is the memory of one batch's messages: vectors, addresses, control messages. It grows to the largest batch and is used again,
// so that sending does not allocate. Nothing in it moves between reset and the end of the batch, because messages point into it.
type arena struct {
	vectors  [][]byte
	kept     []*Datagram
	places   []place
	controls []byte
	scratch  []*Datagram
}

// place is a receiver's address with the bytes that it points to.
type place struct {
	addr net.UDPAddr
	ip   [16]byte
}

var controlSpace = unix.CmsgSpace(2)

// reset makes room for a batch of n datagrams, each of which may be sent a second time, alone.
func (a *arena) reset(n int) {
	n *= 2
	if cap(a.places) < n {
		a.vectors, a.kept = make([][]byte, 0, n), make([]*Datagram, 0, n)
		a.places, a.controls = make([]place, 0, n), make([]byte, 0, n*controlSpace)
		a.scratch = make([]*Datagram, 0, maxSegments)
	}
	a.vectors, a.kept, a.places, a.controls = a.vectors[:0], a.kept[:0], a.places[:0], a.controls[:0]
}

// message makes the kernel's message of a run, and a copy of the run that lives as long as the batch.
func (a *arena) message(run []*Datagram) (ipv4.Message, []*Datagram) {
	from := len(a.vectors)
	for _, d := range run {
		a.vectors = append(a.vectors, d.bytes())
	}
	a.kept = append(a.kept, run...)
	a.places = append(a.places, place{})
	p := &a.places[len(a.places)-1]
	to := run[0].To
	n := 16
	if to.Addr().Unmap().Is4() {
		n = 4
		*(*[4]byte)(p.ip[:]) = to.Addr().Unmap().As4()
	} else {
		p.ip = to.Addr().As16()
	}
	p.addr = net.UDPAddr{IP: p.ip[:n:n], Port: int(to.Port()), Zone: to.Addr().Zone()}
	m := ipv4.Message{Buffers: a.vectors[from:len(a.vectors):len(a.vectors)], Addr: &p.addr}
	if len(run) > 1 {
		at := len(a.controls)
		a.controls = a.controls[:at+controlSpace]
		m.OOB = a.controls[at:]
		putSegmentSize(m.OOB, run[0].N)
	}
	return m, a.kept[len(a.kept)-len(run):]
}

// putSegmentSize writes the control message that asks the kernel for datagrams of n bytes (udp(7), UDP_SEGMENT). It has the host's
// own byte order and alignment (cmsg(3)).
func putSegmentSize(b []byte, n int) {
	clear(b)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[unix.CmsgLen(0):], uint16(n))
}
