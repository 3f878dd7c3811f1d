//go:build linux

package light

import (
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Two ends face each other without a server between: offer, answer, ICE, DTLS, SRTP, stamps.
func TestEndToEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, err := NewLoop(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	life, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { l.Run(life); close(done) }()
	from, err := l.NewEnd()
	if err != nil {
		t.Fatal(err)
	}
	to, err := l.NewEnd()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := to.Answer(from.Offer([]Track{{Mid: "0", Kind: Audio}, {Mid: "1", Kind: Video}}))
	if err != nil {
		t.Fatal(err)
	}
	if err := from.SetAnswer(answer); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*End{from, to} {
		if _, err := e.Stood(ctx); err != nil {
			t.Fatal(err)
		}
	}
	src := l.Publish(from, 0.5)
	l.Do(l.Begin)
	for {
		var sent, got uint64
		kinds := map[Kind]bool{}
		l.Do(func() {
			sent = src.Packets
			for _, s := range to.Streams() {
				got += s.Packets
				kinds[s.Kind] = true
			}
		})
		if got > 70 && kinds[Audio] && kinds[Video] {
			if got > sent {
				t.Errorf("%d sent, %d came", sent, got)
			}
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d came; %s, %s", got, from.State(), to.State())
		case <-time.After(5 * time.Millisecond):
		}
	}
	var late []int32
	var bad uint64
	l.Do(func() { late, bad = l.End() })
	if bad != 0 || len(late) == 0 {
		t.Errorf("%d bad, %d stamps", bad, len(late))
	}
	for _, us := range late {
		if us < 0 || us > 30e6 {
			t.Errorf("latency %d µs", us)
		}
	}
	from.Close()
	to.Close()
	stop()
	<-done
}

func TestCandidate(t *testing.T) {
	for line, want := range map[string]string{
		"candidate:1 1 udp 2130706431 198.51.100.1 4000 typ host": "198.51.100.1:4000",
		"1 1 UDP 2130706431 127.0.0.1 9 typ host generation 0":    "127.0.0.1:9",
		"1 2 udp 1 127.0.0.1 9 typ host":                          "",
		"1 1 tcp 1 127.0.0.1 9 typ host tcptype passive":          "",
		"1 1 udp 1 fe80::1 9 typ host":                            "",
		"1 1 udp 1 name.local 9 typ host":                         "",
		"1 1 udp 1 203.0.113.5 9 typ srflx raddr 0.0.0.0 rport 0": "",
		"1 1 udp": "",
	} {
		got, ok := candidate(line)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %v %v", line, got, ok)
		}
	}
}

// The kernel's order of a cmsghdr is the machine's; the numbers here are those of two-byte elements before ours.
func TestExtension(t *testing.T) {
	one := append(make([]byte, 12), 0xBE, 0xDE, 0, 2, 0x10, 'a', 0x31, 0x12, 0x34, 0, 0, 0)
	one[0] = 0x90
	two := append(make([]byte, 12), 0x10, 0x00, 0, 2, 1, 1, 'a', 3, 2, 0x12, 0x34, 0)
	two[0] = 0x90
	for _, b := range [][]byte{one, two} {
		if n, ok := extension(b, 3); !ok || n != 0x1234 {
			t.Errorf("%x: %x %v", b, n, ok)
		}
		if _, ok := extension(b, 4); ok {
			t.Errorf("%x: an element that is not there", b)
		}
	}
}

func FuzzExtension(f *testing.F) {
	b := binary.BigEndian.AppendUint16(make([]byte, 12), 0xBEDE)
	f.Add(append(b, 0, 1, 0x31, 1, 2, 0), uint8(3))
	f.Fuzz(func(_ *testing.T, b []byte, id uint8) {
		if len(b) >= 12 {
			extension(b, id)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add("v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=setup:actpass\r\n")
	l, err := NewLoop(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		e := &End{loop: l, streams: map[uint32]*Stream{}, sends: map[string]*sending{}}
		_, _ = e.Answer(s)
		_ = e.SetAnswer(s)
	})
}
