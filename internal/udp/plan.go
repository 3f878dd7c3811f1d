package udp

import "net/netip"

// Bounds of one run: the kernel's UDP_MAX_SEGMENTS (64 before it became 128), and all of it must fit into one IP datagram.
const (
	maxSegments = 64
	maxRunBytes = 60_000
)

// Datagram is one packet on its way to the kernel: Buf[:N], for To. It comes from Writer.Get.
type Datagram struct {
	To   netip.AddrPort
	N    int
	next int // the next one for the same receiver in this batch, -1: none
	Buf  [MaxDatagram]byte
}

func (d *Datagram) bytes() []byte { return d.Buf[:d.N] }

// planner groups a batch by receiver. Its memory is used again. Not safe for concurrent use.
type planner struct {
	last  map[netip.AddrPort]int // receiver → its newest datagram
	heads []int                  // each receiver's first datagram, in order of appearance
}

// plan calls run for every run of the batch. The slice is only good until run returns.
func (p *planner) plan(batch []*Datagram, segment bool, scratch []*Datagram, run func([]*Datagram)) {
	if p.last == nil {
		p.last = map[netip.AddrPort]int{}
	}
	clear(p.last)
	p.heads = p.heads[:0]
	for i, d := range batch {
		d.next = -1
		if before, ok := p.last[d.To]; ok {
			batch[before].next = i
		} else {
			p.heads = append(p.heads, i)
		}
		p.last[d.To] = i
	}
	limit := maxSegments
	if !segment {
		limit = 1
	}
	for _, head := range p.heads {
		for at := head; at >= 0; {
			first := batch[at]
			scratch = append(scratch[:0], first)
			size := first.N
			for at = first.next; at >= 0; at = batch[at].next {
				d := batch[at]
				if d.N > first.N || len(scratch) == limit || size+d.N > maxRunBytes {
					break
				}
				scratch = append(scratch, d)
				size += d.N
				if d.N < first.N { // the shorter one ends the run
					at = d.next
					break
				}
			}
			run(scratch)
		}
	}
}
