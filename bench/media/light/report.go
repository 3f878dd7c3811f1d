//go:build linux

package light

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	reportEvery   = time.Second            // RFC 3550 §6.2 for a session of two
	feedbackEvery = 100 * time.Millisecond // as browsers do
	rembBitrate   = 500e6                  // bits a second: the path has no limit of its own, so nobody shall hold back
)

// report takes RTCP: sender reports for ours, and requests for key frames. Called with mu held.
func (e *End) report(b []byte, now time.Time) {
	if e.opening == nil {
		return
	}
	plain, err := e.opening.DecryptRTCP(nil, b, nil)
	if err != nil {
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		return
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if s := e.streams[p.SSRC]; s != nil {
				s.senderNTP, s.senderAt = uint32(p.NTPTime>>16), now
			}
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			if e.src != nil {
				e.src.keyWanted = true
				e.src.KeyRequests++
			}
		case *rtcp.TransportLayerNack:
			if e.src != nil {
				for _, n := range p.Nacks {
					e.src.Nacked += uint64(len(n.PacketList()))
				}
			}
		}
	}
}

// tell sends what reports are due. Called with mu held.
func (e *End) tell(now time.Time) {
	if e.recorder != nil && !now.Before(e.nextArriv) {
		e.nextArriv = now.Add(feedbackEvery)
		if f := e.recorder.BuildFeedbackPacket(); len(f) > 0 {
			e.say(f)
		}
	}
	if now.Before(e.nextTell) {
		return
	}
	e.nextTell = now.Add(reportEvery)
	if e.src != nil {
		e.src.sayReports(now)
	}
	if len(e.streams) == 0 {
		return
	}
	var all []rtcp.ReceptionReport
	var ssrcs []uint32
	for _, s := range e.streams {
		all = append(all, s.block(now))
		if s.Kind == Video {
			ssrcs = append(ssrcs, s.SSRC)
		}
	}
	for len(all) > 0 {
		n := min(len(all), 31)
		e.say([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: e.reporter, Reports: all[:n]}})
		all = all[n:]
	}
	if e.remb && len(ssrcs) > 0 {
		e.say([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: e.reporter}, &rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: e.reporter, Bitrate: rembBitrate, SSRCs: ssrcs}})
	}
}

// block is what a report says of a stream (RFC 3550 §6.4.1).
func (s *Stream) block(now time.Time) rtcp.ReceptionReport {
	expected, got := uint64(s.high-s.first)+1, s.Packets+s.Other
	lost := expected - min(got, expected)
	r := rtcp.ReceptionReport{SSRC: s.SSRC, LastSequenceNumber: s.high, TotalLost: uint32(min(lost, 1<<23-1))}
	if lost > s.Lost {
		r.FractionLost = 1
	}
	s.Lost = lost
	if !s.senderAt.IsZero() {
		r.LastSenderReport = s.senderNTP
		r.Delay = uint32(now.Sub(s.senderAt).Seconds() * 65536)
	}
	return r
}

func (e *End) say(packets []rtcp.Packet) {
	b, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	sealed, err := e.sealing.EncryptRTCP(nil, b, nil)
	if err == nil {
		sendTo(e.fd, sealed, e.remote)
	}
}

// ntp gives a time as RFC 5905 §6 does.
func ntp(t time.Time) uint64 {
	const from1900 = 2208988800
	return uint64(t.Unix()+from1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}
