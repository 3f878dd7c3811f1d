package link

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"

	"parley.link/parley/internal/forward"
)

// runFeedback asks for what is missing, passes key-frame requests that had to wait, and reports once a second.
func (e *Endpoint) runFeedback(ctx context.Context) {
	tick := time.NewTicker(feedbackInterval)
	defer tick.Stop()
	var reported time.Time
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return
		case now = <-tick.C:
		}
		report := now.Sub(reported) >= reportInterval
		if report {
			reported = now
		}
		e.mu.Lock()
		media := make([]*Media, 0, len(e.peers))
		for _, p := range e.peers {
			media = append(media, p.media)
			if report && p.current != nil && p.current.keys.follow() {
				e.setAddress(p.current.keys.address(), p.media)
			}
		}
		e.mu.Unlock()
		for _, m := range media {
			m.tick(now, report)
		}
	}
}

func (m *Media) tick(now time.Time, report bool) {
	if report {
		m.tellClocks(now)
	}
	m.mu.RLock()
	g := m.current
	streams := make([]*UpStream, 0, len(m.up))
	for _, u := range m.up {
		streams = append(streams, u)
	}
	m.mu.RUnlock()
	if g == nil || len(streams) == 0 {
		return
	}
	rtt := g.rtt()
	var reports []rtcp.ReceptionReport
	for _, u := range streams {
		t := u.track.Load()
		if t == nil {
			continue
		}
		u.wanted = t.Tick(now, rtt, u.wanted[:0]) // one ticking goroutine, so no lock
		u.mu.Lock()
		ssrc, due := u.ssrc, u.throttle.Due(now)
		if report && u.keys == g {
			reports = append(reports, u.count.report(ssrc))
		}
		u.mu.Unlock()
		if len(u.wanted) > 0 {
			m.sendReport(g, &rtcp.TransportLayerNack{
				SenderSSRC: g.outReport, MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(u.wanted),
			})
		}
		if due {
			u.postKeyFrame()
		}
	}
	for len(reports) > 0 {
		n := min(len(reports), 31) // RFC 3550 §6.4.2: a five-bit count
		m.sendReport(g, &rtcp.ReceiverReport{SSRC: g.outReport, Reports: reports[:n]})
		reports = reports[n:]
	}
}

// tellClocks passes on what each publisher last said of its clock.
func (m *Media) tellClocks(now time.Time) {
	m.mu.RLock()
	streams := make([]*DownStream, 0, len(m.down))
	for _, d := range m.down {
		streams = append(streams, d)
	}
	m.mu.RUnlock()
	for _, d := range streams {
		t := d.track.Load()
		if t == nil {
			continue
		}
		if c, ok := t.Up().Clock(); ok {
			c = c.On(now, d.clock)
			d.SenderReport(c.NTP, c.Timestamp)
		}
	}
}

// sendReport seals one RTCP packet. Its first sender is always the generation's report SSRC: a sender report, whose SSRC is the
// stream's, goes behind an empty receiver report (RFC 3550 §6.1 wants a report first; RFC 5506 lets NACKs go alone).
func (m *Media) sendReport(g *generation, r rtcp.Packet) {
	packetsToSend := []rtcp.Packet{r}
	if _, ok := r.(*rtcp.SenderReport); ok {
		packetsToSend = []rtcp.Packet{&rtcp.ReceiverReport{SSRC: g.outReport}, r}
	}
	b, err := rtcp.Marshal(packetsToSend)
	if err != nil || len(b)+32 > maxDatagram {
		m.e.counters.add(TooLarge)
		return
	}
	p := m.e.out.Get()
	p.N = copy(p.Buf[:], b)
	var h rtcp.Header
	if err := g.sealRTCP(p, &h); err != nil {
		m.e.out.Put(p)
		m.e.counters.add(SealFailed)
		return
	}
	m.e.enqueue(p)
}

func senderReport(ssrc uint32, ntp uint64, timestamp, count, octets uint32) *rtcp.SenderReport {
	return &rtcp.SenderReport{SSRC: ssrc, NTPTime: ntp, RTPTime: timestamp, PacketCount: count, OctetCount: octets}
}

// receiveReport opens and takes RTCP. Called with inMu.
func (m *Media) receiveReport(now time.Time, b []byte) Verdict {
	if len(b) < 8+16+4 || len(b) > maxDatagram {
		return TooShort
	}
	if !m.reports.take(now, 0) {
		return ReportForeign // more than a thousand a second; opening them would be the peer's lever on our CPU
	}
	sender := binary.BigEndian.Uint32(b[4:])
	var g *generation
	m.mu.RLock()
	for _, l := range m.live {
		if l.inReport == sender {
			g = l
		}
	}
	m.mu.RUnlock()
	if g == nil {
		return ReportForeign
	}
	out, v := g.openRTCP(b, &m.report)
	if v != ReportDelivered {
		return v
	}
	list, err := rtcp.Unmarshal(out)
	if err != nil || len(list) > maxRTCPPerPacket {
		return BadHeader
	}
	for _, r := range list {
		v = max(v, m.takeReport(now, g, r))
	}
	return v
}

// takeReport returns ReportDelivered, or ReportForeign, which is the greater.
func (m *Media) takeReport(now time.Time, g *generation, r rtcp.Packet) Verdict {
	switch r := r.(type) {
	case *rtcp.TransportLayerNack:
		d := m.outgoingOf(r.MediaSSRC)
		if d == nil {
			return ReportForeign
		}
		t := d.track.Load()
		if t == nil {
			return ReportForeign
		}
		var seqs [17 * 64]uint16 // on the stack; what one NACK asks beyond it, the next one asks again
		wanted := seqs[:0]
		for _, pair := range r.Nacks {
			pair.Range(func(seq uint16) bool {
				wanted = append(wanted, seq)
				return len(wanted) < len(seqs)
			})
			if len(wanted) == len(seqs) {
				break
			}
		}
		t.HandleNACK(now, wanted, g.rtt())
	case *rtcp.ReceiverReport:
		for _, report := range r.Reports {
			if d := m.outgoingOf(report.SSRC); d != nil {
				d.lossFraction.Store(uint32(report.FractionLost))
				d.lost.Store(report.TotalLost)
				d.jitter.Store(report.Jitter)
			}
		}
	case *rtcp.SenderReport:
		m.mu.RLock()
		route, ok := m.incoming[r.SSRC]
		m.mu.RUnlock()
		if !ok || route.keys != g {
			return ReportForeign
		}
		if t := route.stream.track.Load(); t != nil {
			t.SetClock(forward.Clock{NTP: r.NTPTime, Timestamp: r.RTPTime, At: now})
		}
	default:
		return ReportForeign
	}
	return ReportDelivered
}

func (m *Media) outgoingOf(ssrc uint32) *DownStream {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.outgoing[ssrc]
}
