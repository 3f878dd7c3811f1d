package forward

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"
)

// collect is a sink that keeps copies.
type collect struct {
	got  []Packet
	fail bool
}

func (c *collect) WriteRTP(_ time.Time, p *Packet) error {
	if c.fail {
		return errors.New("no")
	}
	q := *p
	q.Payload = slices.Clone(p.Payload)
	q.Descriptor = slices.Clone(p.Descriptor)
	c.got = append(c.got, q)
	return nil
}

func (c *collect) numbers(from uint16) (rel []int) {
	for _, p := range c.got {
		rel = append(rel, int(int16(p.Sequence-from)))
	}
	return rel
}

func vp8(key bool, tail ...byte) []byte {
	first := byte(1)
	if key {
		first = 0
	}
	return append([]byte{0x10, first}, tail...)
}

func subscribe(t *testing.T, u *UpTrack, s Sink, first uint16) *DownTrack {
	t.Helper()
	d, err := u.Subscribe(t0, Outgoing{SSRC: 7, PayloadType: 96, RTXSSRC: 8, RTXPayloadType: 97, First: first}, NewBudget(), s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Loss, reordering, duplicates, retransmissions and a pause, from every place the incoming numbers can start.
func TestRewritingFromEveryWrapPoint(t *testing.T) {
	for start := range wrapPoints {
		if start%7 != 0 && start > 64 && start < 65472 {
			continue
		}
		asks := 0
		u := NewUpTrack("t", Video, Codec{MimeType: "video/VP8"}, func() { asks++ })
		s := &collect{}
		first := start ^ 0x5555
		d := subscribe(t, u, s, first)
		if asks != 1 {
			t.Fatalf("start %d: %d key-frame requests", start, asks)
		}
		write := func(add int, want Verdict) {
			t.Helper()
			body := vp8(false, byte(add), byte(add>>8))
			p := &Packet{SSRC: 1, PayloadType: 100, Sequence: start + uint16(add), Timestamp: uint32(add) * 90, Marker: true,
				Payload: body, Descriptor: []byte{byte(add)}}
			if v := u.Write(t0, p); v != want {
				t.Fatalf("start %d packet %d: %v, want %v", start, add, v, want)
			}
		}
		write(0, Accepted)
		write(-1, Recovered) // came before the receiver's first: the source has it, the receiver does not
		write(3, Accepted)
		write(2, Recovered)
		write(2, Duplicate)
		rtx := binary.BigEndian.AppendUint16(nil, start+1)
		if v := u.WriteRTX(t0, &Packet{SSRC: 2, PayloadType: 101, Sequence: 9, Payload: append(rtx, vp8(false, 1)...)}); v != Recovered {
			t.Fatal(v)
		}
		d.SetPaused(t0, true)
		write(4, Accepted)
		write(5, Accepted)
		d.SetPaused(t0, false)
		write(2, Duplicate)
		write(7, Accepted) // 6 is missing, but nobody may ask this receiver's node for it
		write(6, Recovered)
		write(9, Accepted)
		if got, want := s.numbers(first), []int{0, 3, 2, 1, 4, 6}; !slices.Equal(got, want) {
			t.Fatalf("start %d: %v, want %v", start, got, want)
		}
		for _, p := range s.got {
			if p.SSRC != 7 || p.PayloadType != 96 || p.Again {
				t.Fatalf("start %d: %+v", start, p)
			}
		}
		if p := s.got[1]; p.Timestamp != 270 || !p.Marker || !bytes.Equal(p.Payload, vp8(false, 3, 0)) || !bytes.Equal(p.Descriptor, []byte{3}) {
			t.Fatalf("start %d: touched: %+v", start, p)
		}
		if d.Counters().Get(Sent) != 6 || d.Counters().Get(BeforeStart) != 2 || d.Counters().Get(Paused) != 2 {
			t.Fatalf("start %d: sent %d before %d paused %d", start, d.Counters().Get(Sent), d.Counters().Get(BeforeStart), d.Counters().Get(Paused))
		}
		// The way back: 5 is a gap kept as a gap, 2 belongs to the numbering before the pause, 6 can be had.
		d.HandleNACK(t0, []uint16{first + 5, first + 2, first + 6, first + 6, first + 70}, 0)
		last := s.got[len(s.got)-1]
		if len(s.got) != 7 || !last.Again || last.SSRC != 8 || last.PayloadType != 97 || last.Sequence != 0 ||
			!bytes.Equal(last.Payload, append(binary.BigEndian.AppendUint16(nil, first+6), vp8(false, 9, 0)...)) || !bytes.Equal(last.Descriptor, []byte{9}) {
			t.Fatalf("start %d: %+v", start, last)
		}
		if c := d.Counters(); c.Get(Resent) != 1 || c.Get(TooSoon) != 1 || c.Get(NotKept) != 3 {
			t.Fatalf("start %d: resent %d too soon %d not kept %d", start, c.Get(Resent), c.Get(TooSoon), c.Get(NotKept))
		}
	}
}

// No number may go out twice under one SSRC, whatever comes in: that would repeat an SRTP nonce.
func FuzzNoNumberTwice(f *testing.F) {
	f.Add([]byte{0, 1, 2, 2, 200, 201, 3, 255, 255, 254, 4})
	f.Add([]byte{10, 128, 129, 128, 129, 10, 11, 254, 12, 255, 9, 13})
	f.Fuzz(func(t *testing.T, script []byte) {
		u := NewUpTrack("t", Video, Codec{MimeType: "video/VP9"}, func() {})
		seen := map[uint16]bool{}
		s := &collect{}
		d := subscribe(t, u, s, 65000)
		seq := uint16(65500)
		for i, b := range script {
			switch {
			case b == 255:
				d.SetPaused(t0, i%2 == 0)
			case b == 254:
				u.SetRefused(i%3 != 0)
			case b == 253:
				d.HandleNACK(t0, []uint16{uint16(i), 65000, 65001, 65002}, 0)
			case b >= 240:
				seq += uint16(b) * 200
			default:
				u.Write(t0.Add(time.Duration(i)*time.Millisecond), &Packet{Sequence: seq + uint16(b)%32 - 16, Payload: script[:i%8]})
				seq += uint16(b) % 5
			}
		}
		if len(s.got) > 60000 {
			t.Skip()
		}
		for _, p := range s.got {
			if p.Again {
				continue
			}
			if seen[p.Sequence] {
				t.Fatalf("number %d went out twice", p.Sequence)
			}
			seen[p.Sequence] = true
		}
		u.Tick(t0.Add(time.Hour), 0, nil)
	})
}

func FuzzFrameReaders(f *testing.F) {
	for _, b := range [][]byte{{}, {0x10, 0}, {0x90, 0x80, 0x80}, {0x90, 0xf0, 0x80, 1, 2, 3, 0}, {0x88, 1}, {0xa8, 0x81}, {0x08}} {
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		readVP8(b)
		readVP9(b)
		readAV1(b)
	})
}

func TestFrameReaders(t *testing.T) {
	for _, c := range []struct {
		name string
		read frameReader
		in   []byte
		want Frame
	}{
		{"vp8 key", readVP8, []byte{0x10, 0x50}, KeyFrame},
		{"vp8 delta", readVP8, []byte{0x10, 0x51}, DeltaFrame},
		{"vp8 middle", readVP8, []byte{0x00, 0x50}, NotStart},
		{"vp8 second partition", readVP8, []byte{0x11, 0x50}, NotStart},
		{"vp8 15-bit picture id, tl0, tid", readVP8, []byte{0x90, 0xe0, 0x81, 0x02, 7, 0x20, 0x10}, KeyFrame},
		{"vp8 7-bit picture id", readVP8, []byte{0x90, 0x80, 0x11, 0x11}, DeltaFrame},
		{"vp8 cut", readVP8, []byte{0x90, 0xe0, 0x81, 0x02}, NotStart},
		{"vp9 key", readVP9, []byte{0x88, 0x11}, KeyFrame},
		{"vp9 delta", readVP9, []byte{0xc8, 0x11}, DeltaFrame},
		{"vp9 middle", readVP9, []byte{0x80, 0x11}, NotStart},
		{"vp9 key, upper spatial layer", readVP9, []byte{0xa8, 0x81, 0x02, 0x02}, DeltaFrame},
		{"vp9 key, lowest spatial layer", readVP9, []byte{0xa8, 0x81, 0x02, 0x00}, KeyFrame},
		{"av1 key", readAV1, []byte{0x18}, KeyFrame},
		{"av1 delta", readAV1, []byte{0x10}, DeltaFrame},
		{"av1 middle", readAV1, []byte{0x90}, NotStart},
	} {
		if got := c.read(c.in); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRefusedTrack(t *testing.T) {
	asks := 0
	u := NewUpTrack("t", Video, Codec{MimeType: "video/VP8"}, func() { asks++ })
	s := &collect{}
	d := subscribe(t, u, s, 100)
	send := func(seq uint16, want Verdict) {
		t.Helper()
		if v := u.Write(t0, &Packet{Sequence: seq, Payload: vp8(false)}); v != want {
			t.Fatalf("%d: %v", seq, v)
		}
	}
	send(1, Accepted)
	u.SetRefused(true)
	for s := uint16(2); s < 200; s++ {
		send(s, Refused)
	}
	u.SetRefused(false)
	if u.Tick(t0.Add(time.Second), 0, nil) != nil || asks != 2 {
		t.Fatalf("asks %d", asks)
	}
	send(200, Accepted)
	if got := s.numbers(100); !slices.Equal(got, []int{0, 1}) {
		t.Fatal(got)
	}
	if u.Counters().Get(Refused) != 198 {
		t.Fatal(u.Counters().Get(Refused))
	}
	d.Close()
	send(201, Accepted)
	if len(s.got) != 2 || u.Subscribers() != 0 {
		t.Fatal("written after Close")
	}
	u.Close()
	send(202, Closed)
	if _, err := u.Subscribe(t0, Outgoing{}, NewBudget(), s); !errors.Is(err, ErrEnded) {
		t.Fatal(err)
	}
}

func TestBoundsAndFailures(t *testing.T) {
	u := NewUpTrack("t", Audio, Codec{MimeType: "audio/opus"}, nil)
	s := &collect{fail: true}
	d, err := u.Subscribe(t0, Outgoing{SSRC: 1}, NewBudget(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    Packet
		want Verdict
	}{
		{Packet{Sequence: 1, Payload: make([]byte, MaxPayload)}, Accepted},
		{Packet{Sequence: 2, Payload: make([]byte, MaxPayload+1)}, TooLarge},
		{Packet{Sequence: 3, Descriptor: make([]byte, MaxDescriptor+1)}, TooLarge},
		{Packet{Sequence: 4}, Accepted},
		{Packet{Sequence: 30000}, Stray},
	} {
		if v := u.Write(t0, &c.p); v != c.want {
			t.Fatalf("%d: %v, want %v", c.p.Sequence, v, c.want)
		}
	}
	if v := u.WriteRTX(t0, &Packet{Payload: []byte{1}}); v != Malformed {
		t.Fatal(v)
	}
	d.HandleNACK(t0, []uint16{0, 1}, 0)
	if c := d.Counters(); c.Get(SinkFailed) != 2 || c.Get(NoRetransmission) != 2 {
		t.Fatal("a failed packet or an unanswered NACK was not counted")
	}
	for _, v := range Verdicts() {
		if v.String() == "" || v.String() == "unknown" {
			t.Fatalf("verdict %d has no name", v)
		}
	}
}

type discard struct{ n int }

func (d *discard) WriteRTP(_ time.Time, p *Packet) error { d.n += len(p.Payload); return nil }

func fanOut(n int) (*UpTrack, *Packet) {
	u := NewUpTrack("t", Video, Codec{MimeType: "video/VP9"}, func() {})
	for range n {
		if _, err := u.Subscribe(t0, Outgoing{SSRC: 1, RTXSSRC: 2}, NewBudget(), &discard{}); err != nil {
			panic(err)
		}
	}
	p := &Packet{Payload: make([]byte, 1100), Descriptor: make([]byte, 3)}
	for range videoHistory + 1 {
		p.Sequence++
		u.Write(t0, p)
	}
	return u, p
}

func TestFanOutDoesNotAllocate(t *testing.T) {
	u, p := fanOut(8)
	if n := testing.AllocsPerRun(1000, func() { p.Sequence++; u.Write(t0, p) }); n != 0 {
		t.Fatalf("%v allocations per packet", n)
	}
}

func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(map[int]string{1: "1", 10: "10", 100: "100"}[n], func(b *testing.B) {
			u, p := fanOut(n)
			b.ReportAllocs()
			for b.Loop() {
				p.Sequence++
				u.Write(t0, p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/forwarded")
		})
	}
}
