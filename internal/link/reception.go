package link

import (
	"time"

	"github.com/pion/rtcp"
)

// reception counts one stream for receiver reports (RFC 3550 §6.4.1, appendices A.3 and A.8). Retransmissions do not count: the report is
// about the path, not about what NACK made of it.
type reception struct {
	clock    float64 // Hz
	first    uint64
	index    index
	got      uint64
	wantedAt uint64 // at the last report
	gotAt    uint64
	jitter   float64
	transit  float64
	started  bool
}

// start begins a stream at its first packet index; a re-keyed stream goes on. It says whether the numbering is a new one.
func (r *reception) start(first uint64, clock uint32) bool {
	if r.clock != 0 && first > r.index.high && first-r.index.high < 1<<15 {
		return false
	}
	*r = reception{clock: float64(clock), first: first, index: index{high: first - 1}}
	return true
}

func (r *reception) received(now time.Time, seq uint16, timestamp uint32) {
	at, ok := r.index.near(seq)
	if !ok {
		return
	}
	r.index.advance(at)
	r.got++
	arrival := float64(now.UnixMicro()) / 1e6 * r.clock
	transit := arrival - float64(timestamp)
	if r.started {
		d := transit - r.transit
		if d < 0 {
			d = -d
		}
		if d < 10*r.clock { // a timestamp that wrapped or jumped is no jitter
			r.jitter += (d - r.jitter) / 16
		}
	}
	r.started, r.transit = true, transit
}

func (r *reception) report(ssrc uint32) rtcp.ReceptionReport {
	wanted := r.index.high + 1 - r.first
	sinceWanted, sinceGot := wanted-r.wantedAt, r.got-r.gotAt
	r.wantedAt, r.gotAt = wanted, r.got
	out := rtcp.ReceptionReport{SSRC: ssrc, LastSequenceNumber: uint32(r.index.high), Jitter: uint32(r.jitter)}
	if wanted > r.got {
		out.TotalLost = uint32(min(wanted-r.got, 1<<23-1))
	}
	if sinceWanted > sinceGot {
		out.FractionLost = uint8(min(255, (sinceWanted-sinceGot)*256/sinceWanted))
	}
	return out
}
