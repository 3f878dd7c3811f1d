package rtc

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// wire keeps the last packet as it would go out.
type wire struct{ last []byte }

func (w *wire) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	b, err := h.Marshal()
	w.last = append(b, payload...)
	return len(w.last), err
}

func (w *wire) Write(b []byte) (int, error) { return len(b), nil }

func TestDescriptorsOfAnyLengthGoThrough(t *testing.T) {
	up := forward.NewUpTrack("t", forward.Video, forward.Codec{MimeType: webrtc.MimeTypeVP9, ClockRate: 90000}, nil)
	for _, n := range []int{0, 1, 3, 16, 17, 52, 255} {
		for _, id := range []uint8{0, 3, 14, 15, 200} {
			w := &wire{}
			s := newSink(up, forward.NewBudget())
			s.writer, s.descriptor = w, id
			in := &forward.Packet{SSRC: 5, PayloadType: 98, Sequence: 65535, Timestamp: 7, Marker: true, Payload: []byte("sealed"), Descriptor: bytes.Repeat([]byte{9}, n)}
			for range 2 { // the header is used again
				if err := s.WriteRTP(time.Now(), in); err != nil {
					t.Fatal(n, id, err)
				}
			}
			var h rtp.Header
			out, ok := parse(w.last, &h, id)
			if !ok || out.SSRC != 5 || out.PayloadType != 98 || out.Sequence != 65535 || out.Timestamp != 7 || !out.Marker || string(out.Payload) != "sealed" {
				t.Fatalf("%d bytes, id %d: %+v", n, id, out)
			}
			if id != 0 && !bytes.Equal(out.Descriptor, in.Descriptor) {
				t.Fatalf("%d bytes, id %d: descriptor came as %d bytes", n, id, len(out.Descriptor))
			}
		}
	}
}

func TestRoundTripFromReports(t *testing.T) {
	s := newSink(forward.NewUpTrack("t", forward.Audio, forward.Codec{ClockRate: 48000}, nil), forward.NewBudget())
	s.ssrc = 9
	for _, now := range []time.Time{time.Now(), time.Unix(1<<32-2208988800, 5e6)} { // the second: NTP's era ends
		sent := now.Add(-130 * time.Millisecond)
		s.told = [4]told{{middle: 6, at: sent.Add(-time.Second)}, {middle: 7, at: sent}} // the origin's clock is nobody's business here
		s.roundTrip(now, []rtcp.ReceptionReport{{SSRC: 9, LastSenderReport: 7, Delay: 65536 / 20}})
		if rtt := time.Duration(s.rtt.Load()); rtt < 79*time.Millisecond || rtt > 81*time.Millisecond {
			t.Fatal(rtt)
		}
	}
	was := s.rtt.Load()
	s.roundTrip(time.Now(), []rtcp.ReceptionReport{{SSRC: 9, LastSenderReport: 1, Delay: 1}, {SSRC: 8, LastSenderReport: 5}})
	if s.rtt.Load() != was {
		t.Fatal("nonsense was believed")
	}
}

func TestAddressesToldToClients(t *testing.T) {
	offer := func(cfg Config) string {
		t.Helper()
		e, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		offers := make(chan Offer, 1)
		p, err := e.NewParticipant("x", Handlers{
			UpTrack: func(string, *forward.UpTrack) {}, UpTrackEnd: func(string, *forward.UpTrack) {},
			DownOffer: func(o Offer) { offers <- o }, State: func(Which, State) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.SetDown([]*forward.UpTrack{forward.NewUpTrack("t", forward.Audio, forward.Codec{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, nil)})
		select {
		case o := <-offers:
			return o.SDP
		case <-time.After(patience):
			t.Fatal("no offer")
			return ""
		}
	}
	candidates := func(sdp string) (all []string) {
		for line := range strings.Lines(sdp) {
			if f := strings.Fields(line); strings.HasPrefix(line, "a=candidate:") && f[1] == "1" {
				all = append(all, f[2]+" "+f[4])
			}
		}
		slices.Sort(all) // they are gathered at once, and come in any order
		return all
	}
	if got := fmt.Sprint(candidates(offer(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Loopback: true}))); got != "[tcp 127.0.0.1 udp 127.0.0.1]" {
		t.Error(got)
	}
	told := Config{UDP: "127.0.0.1:0", Loopback: true, Announce: []netip.Addr{netip.MustParseAddr("203.0.113.9")}}
	if got := fmt.Sprint(candidates(offer(told))); got != "[udp 203.0.113.9]" {
		t.Error(got)
	}
	free, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	_ = free.Close()
	every := candidates(offer(Config{UDP: fmt.Sprintf("0.0.0.0:%d", port), Loopback: true}))
	if !strings.Contains(fmt.Sprint(every), "127.0.0.1") || len(every) < 1 {
		t.Error(every)
	}
	only := candidates(offer(Config{UDP: fmt.Sprintf(":%d", port), Loopback: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}))
	if fmt.Sprint(only) != "[udp 127.0.0.1]" {
		t.Error(only)
	}
	t.Log(every)
}

func TestFlows(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	mic := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	stop := mic.run(20 * time.Millisecond)
	flow := func(want Flow) {
		t.Helper()
		until(t, string(want), func() bool { return b.node.DownFlows(time.Now())["mic"] == want })
	}
	flow(Flowing)
	a.tracks()[0].SetRefused(true)
	flow(Refused)
	a.tracks()[0].SetRefused(false)
	flow(Flowing)
	stop()
	flow(Silent)
	odd := forward.NewUpTrack("odd", forward.Video, forward.Codec{MimeType: "video/H264", ClockRate: 90000}, nil)
	b.node.SetDown(append(a.tracks(), odd))
	until(t, "unsupported", func() bool { return b.node.DownFlows(time.Now())["odd"] == Unsupported })
}
