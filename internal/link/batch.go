package link

import "parley.link/parley/internal/udp"

// packet is one sealed media packet on its way to the kernel. What one node sends to another has one receiver and, frame by frame, one
// size: such a run leaves in one message, and comes as one (package udp). Nothing waits for the rest of its run: measured, those that
// come while the writer wakes are enough. quic-go writes its own.
type packet = udp.Datagram

// enqueue never blocks: a packet that waits behind a full queue is late for its listener anyway, and NACK brings it back.
func (e *Endpoint) enqueue(p *packet) Verdict {
	if e.out.Send(p) != nil {
		return QueueFull // counted by the writer
	}
	return Sent
}
