package link

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley.link/parley/internal/forward"
)

// source publishes numbered packets of one track into an UpTrack as a peer connection would.
type source struct {
	up   *forward.UpTrack
	seq  uint16
	next uint32
	asks atomic.Int64
}

var testScope = []byte("scope")

func newSource(name string) *source {
	s := &source{seq: 65000} // wraps early
	s.up = forward.NewUpTrack(name, forward.Video, forward.Codec{MimeType: "video/VP9", ClockRate: 90000}, func() { s.asks.Add(1) })
	return s
}

func (s *source) send(size int) {
	payload := bytes.Repeat([]byte{byte(s.next)}, size)
	binary.BigEndian.PutUint32(payload, s.next)
	binary.BigEndian.PutUint64(payload[4:], uint64(time.Now().UnixNano()))
	p := &forward.Packet{
		SSRC: 77, PayloadType: 98, Sequence: s.seq, Timestamp: s.next * 3000, Marker: s.next%3 == 0, Payload: payload,
	}
	if s.next%2 == 0 {
		p.Descriptor = bytes.Repeat([]byte{byte(s.next)}, 1+int(s.next%40))
	}
	s.up.Write(time.Now(), p)
	s.next++
	s.seq++
}

// sink is an own person at the subscribing node.
type sink struct {
	t    testing.TB
	mu   sync.Mutex
	got  map[uint32]time.Duration // number → how late
	size int
	lax  bool // the test itself makes packets up
}

func (s *sink) WriteRTP(_ time.Time, p *forward.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p.Payload) == 0 || s.lax {
		return nil // the probe
	}
	n := binary.BigEndian.Uint32(p.Payload)
	if _, twice := s.got[n]; twice {
		s.t.Errorf("packet %d came twice", n)
	}
	want := bytes.Repeat([]byte{byte(n)}, s.size)
	copy(want[:12], p.Payload[:12])
	var descriptor []byte
	if n%2 == 0 {
		descriptor = bytes.Repeat([]byte{byte(n)}, 1+int(n%40))
	}
	if p.Timestamp != n*3000 || p.Marker != (n%3 == 0) || !bytes.Equal(p.Payload, want) || !bytes.Equal(p.Descriptor, descriptor) {
		s.t.Errorf("packet %d was changed on the way: %+v", n, p)
	}
	s.got[n] = time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(p.Payload[4:]))))
	return nil
}

// trackOver carries one track from a to b and returns both ends.
func trackOver(t testing.TB, a, b *party, src *source, size int) (*DownStream, *UpStream, *sink) {
	t.Helper()
	if _, err := b.e.Media(a.root.Side()).Subscribe(testScope, src.up.ID(), 2); err != nil {
		t.Fatal(err)
	}
	f := awaitWhere(a, "subscription", func(f Frame) bool { return f.Frame.GetSubscribe() != nil })
	down, err := a.e.Media(b.root.Side()).OpenDown(f.Frame.GetSubscribe().Scope, f.Frame.GetSubscribe().Track, src.up)
	if err != nil {
		t.Fatal(err)
	}
	up := await[Opened](b, "opened").Stream
	out := &sink{t: t, got: map[uint32]time.Duration{}, size: size}
	if _, err := up.Track().Subscribe(time.Now(), forward.Outgoing{SSRC: 5, First: 100}, forward.NewBudget(), out); err != nil {
		t.Fatal(err)
	}
	return down, up, out
}
