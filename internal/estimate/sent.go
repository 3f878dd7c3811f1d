package estimate

import (
	"time"

	"github.com/pion/rtcp"
)

// remembered is how many packets wait for a report: a second and more of anything that one receiver gets.
const remembered = 4096

// history is what was sent, by transport-wide number.
type history struct {
	next   uint16
	epoch  time.Time // of the first packet
	newest uint64    // when the newest was sent, in units
	slots  []packet
}

// packet is kept small: there is one history per receiver.
type packet struct {
	at      uint32 // in 10 µs since the epoch; differences count, so that it may wrap after half a day
	size    uint16
	number  uint16
	cluster uint8
	state   packetState
}

type packetState uint8

const (
	empty packetState = iota
	waiting
	missing
	done
)

const unit = 10 * time.Microsecond

func (h *history) add(now time.Time, size int, cluster uint8) uint16 {
	if h.slots == nil {
		h.slots, h.epoch = make([]packet, remembered), now
	}
	n := h.next
	h.next++
	h.newest = max(h.newest, uint64(max(now.Sub(h.epoch), 0)/unit))
	h.slots[n%remembered] = packet{
		at: uint32(h.newest), size: uint16(min(max(size, 0), 1<<16-1)), number: n, cluster: cluster, state: waiting,
	}
	return n
}

// report gives the packet of a number whose report is news, nil if it is none. first: nothing was said of it before.
func (h *history) report(number uint16, received bool) (p *packet, first bool) {
	if h.slots == nil {
		return nil, false
	}
	p = &h.slots[number%remembered]
	if p.number != number || p.state == empty || p.state == done || !received && p.state == missing {
		return nil, false
	}
	first = p.state == waiting
	p.state = missing
	if received {
		p.state = done
	}
	return p, first
}

// time is when a packet was sent.
func (h *history) time(p *packet) time.Time {
	return h.epoch.Add(time.Duration(h.newest-uint64(uint32(h.newest)-p.at)) * unit)
}

// arrivalClock unwraps the receiver's reference time: 24 bits of 64 ms.
type arrivalClock struct {
	started bool
	high    int64
}

// read tells what a report says of each packet: its number, and when it arrived on the receiver's clock. It ends with the count that the
// report itself gives, with what is remembered, or where the report contradicts itself.
func (c *arrivalClock) read(fb *rtcp.TransportLayerCC, each func(number uint16, at time.Duration, received bool)) {
	reference := int64(fb.ReferenceTime & 0xffffff)
	if c.started {
		reference = c.high + (reference-c.high+1<<23)&0xffffff - 1<<23
	}
	c.started, c.high = true, reference
	at := time.Duration(reference) * 64 * time.Millisecond
	number, left, deltas := fb.BaseSequenceNumber, min(int(fb.PacketStatusCount), remembered), fb.RecvDeltas
	one := func(symbol uint16) bool {
		if left == 0 {
			return false
		}
		received := symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta
		if received {
			if len(deltas) == 0 {
				return false
			}
			at += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
		}
		each(number, at, received)
		number++
		left--
		return true
	}
	for _, chunk := range fb.PacketChunks {
		switch chunk := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range chunk.RunLength {
				if !one(chunk.PacketStatusSymbol) {
					return
				}
			}
		case *rtcp.StatusVectorChunk:
			for _, symbol := range chunk.SymbolList {
				if !one(symbol) {
					return
				}
			}
		}
	}
}
