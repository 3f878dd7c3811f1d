package rtc

import (
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
)

// onlyOfHeard lets no report leave on a source of which nothing came since the last (RFC 3550 §6.4: a block for each source heard since
// then). The library reports for ever; to a browser whose packets no longer get here, that looks like an answer. A browser that hears nothing
// while it sends knows after two seconds that its path is dead in this direction too.
type onlyOfHeard struct {
	interceptor.NoOp
}

// NewInterceptor makes one for a connection.
func (onlyOfHeard) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &onlyOfHeard{}, nil
}

// BindRTCPWriter must come before the interceptor that reports: what is bound later writes through what was bound earlier.
func (*onlyOfHeard) BindRTCPWriter(w interceptor.RTCPWriter) interceptor.RTCPWriter {
	var mu sync.Mutex
	last := map[uint32]uint32{} // highest sequence number told, by source: sources of one connection are bounded by its description
	news := func(r rtcp.ReceptionReport) bool {
		before, told := last[r.SSRC]
		last[r.SSRC] = r.LastSequenceNumber
		return !told || before != r.LastSequenceNumber
	}
	return interceptor.RTCPWriterFunc(func(packets []rtcp.Packet, a interceptor.Attributes) (int, error) {
		if len(packets) == 1 {
			if report, ok := packets[0].(*rtcp.ReceiverReport); ok && len(report.Reports) == 1 {
				mu.Lock()
				heard := news(report.Reports[0])
				mu.Unlock()
				if !heard {
					return 0, nil
				}
			}
		}
		return w.Write(packets, a)
	})
}
