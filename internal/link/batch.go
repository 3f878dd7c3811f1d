package link

import (
	"context"
	"net/netip"
	"sync"
)

// packet is one sealed media packet on its way to the kernel.
type packet struct {
	to  netip.AddrPort
	n   int
	buf [maxDatagram]byte
}

var packets = sync.Pool{New: func() any { return new(packet) }}

// maxBatch is how many packets runWrite takes in one go.
const maxBatch = 64

// runWrite is the one writer of media. It takes what waits, up to maxBatch, and hands it to flush.
func (e *Endpoint) runWrite(ctx context.Context) {
	batch := make([]*packet, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case <-ctx.Done():
			return
		case p := <-e.out:
			batch = append(batch, p)
		}
	more:
		for len(batch) < maxBatch {
			select {
			case p := <-e.out:
				batch = append(batch, p)
			default:
				break more
			}
		}
		e.flush(batch)
		for _, p := range batch {
			packets.Put(p)
		}
	}
}

// flush gives a batch to the kernel, one call per packet. This is the place for sendmmsg and UDP_SEGMENT: consecutive packets for one
// address and of one size may leave in one call. The reading half of it is runRead (recvmmsg, UDP_GRO). Nothing else knows how
// packets are written.
func (e *Endpoint) flush(batch []*packet) {
	for _, p := range batch {
		if _, err := e.socket.WriteToUDPAddrPort(p.buf[:p.n], p.to); err != nil {
			e.counters.add(SendFailed)
			continue
		}
		e.counters.add(Sent)
	}
}

// enqueue never blocks: a packet that waits behind a full queue is late for its listener anyway, and NACK brings it back.
func (e *Endpoint) enqueue(p *packet) Verdict {
	select {
	case e.out <- p:
		return Sent
	default:
		packets.Put(p)
		e.counters.add(QueueFull)
		return QueueFull
	}
}
