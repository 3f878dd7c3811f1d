package link

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/wire/linkpb"
)

func TestClassify(t *testing.T) {
	for first := range 256 {
		want := planeNone
		switch {
		case first >= 0xc0, first >= 0x40 && first < 0x80:
			want = planeQUIC
		case first >= 0x80:
			want = planeMedia
		}
		if got := classify([]byte{byte(first), 0}); got != want {
			t.Errorf("%#x: %d, want %d", first, got, want)
		}
	}
	if classify(nil) != planeNone {
		t.Error("empty")
	}
}

// The two payload types, with and without marker, are RTP; every RTCP type in use is RTCP (RFC 5761 §4).
func TestIsReport(t *testing.T) {
	for _, second := range []byte{payloadTypeMedia, payloadTypeAgain, payloadTypeMedia | 0x80, payloadTypeAgain | 0x80} {
		if isReport([]byte{0x80, second}) {
			t.Errorf("%d is a report", second)
		}
	}
	for second := byte(200); second <= 207; second++ {
		if !isReport([]byte{0x80, second}) {
			t.Errorf("%d is no report", second)
		}
	}
}

func TestIndexNear(t *testing.T) {
	for _, c := range []struct {
		name string
		high uint64
		seq  uint16
		want uint64
		ok   bool
	}{
		{"next", 5, 6, 6, true},
		{"late", 5, 3, 3, true},
		{"before the first of all", 0, 65535, 0, false},
		{"wrap", 65535, 0, 65536, true},
		{"late across a wrap", 65537, 65534, 65534, true},
		{"far ahead", 65536, 32767, 65536 + 32767, true},
		{"first packets lost across a wrap", 7<<16 | 65530, 4, 8<<16 | 4, true},
		{"last of all", maxIndex - 1, 65535, maxIndex, true},
		{"past the last", maxIndex, 0, 0, false},
	} {
		i := index{c.high}
		if got, ok := i.near(c.seq); got != c.want || ok != c.ok {
			t.Errorf("%s: %d %t, want %d %t", c.name, got, ok, c.want, c.ok)
		}
	}
	// The same script from every wrap point.
	for _, start := range []uint64{1, 65530, 65535, 65536, 1<<17 - 3, 1<<47 + 65533} {
		i := index{start - 1}
		for _, d := range []uint64{0, 1, 3, 2, 7, 6, 9, 4, 40} {
			got, ok := i.near(uint16(start + d))
			if !ok || got != start+d {
				t.Errorf("from %d: %d, want %d", start, got, start+d)
			}
			i.advance(got)
		}
	}
}

func TestBucket(t *testing.T) {
	now := time.Unix(0, 0)
	b := bucket{quota: quota{frames: 10, frameBurst: 5, bytes: 100, byteBurst: 1000}}
	for n := range 5 {
		if !b.take(now, 1) {
			t.Fatalf("frame %d of the burst", n)
		}
	}
	if b.take(now, 1) {
		t.Error("a sixth frame")
	}
	now = now.Add(100 * time.Millisecond)
	if !b.take(now, 1) || b.take(now, 1) {
		t.Error("one frame per tenth of a second")
	}
	now = now.Add(time.Hour)
	if b.take(now, 1001) || !b.take(now, 1000) {
		t.Error("bytes")
	}
	now = now.Add(-time.Minute) // a clock that steps back gives nothing
	if b.take(now, 100) {
		t.Error("credit from the past")
	}
}

// A sender that keeps to half never meets the receiver's limit, whatever it sends.
func TestHonestSenderNeverExceeds(t *testing.T) {
	for l := range lanes {
		q := laneLimits[l].quota
		send, receive := bucket{quota: q.half()}, bucket{quota: q}
		now := time.Unix(0, 0)
		for n := range 20000 {
			size := 1 + (n*7919)%(256<<10)
			if n%97 == 0 {
				size = maxFrame + frameHeader
			}
			now = now.Add(send.wait(now, size))
			if !receive.take(now, size) {
				t.Fatalf("lane %d: frame %d of %d bytes refused", l, n, size)
			}
		}
	}
}

func TestRedial(t *testing.T) {
	var r redial
	last := time.Duration(0)
	for n := range 40 {
		d := r.next(false, 0.5)
		if d < last || d > redialMax {
			t.Fatalf("try %d: %v after %v", n, d, last)
		}
		last = d
	}
	if last != redialMax {
		t.Error(last)
	}
	for _, chance := range []float64{0, 0.5, 0.999} {
		if d := r.next(true, chance); d > redialMaxBusy || d < redialMaxBusy*3/4 {
			t.Errorf("busy: %v", d)
		}
	}
	r.reset()
	if d := r.next(false, 0.5); d != redialFirst {
		t.Error(d)
	}
}

func TestOutboundIsBounded(t *testing.T) {
	for l := range lanes {
		o := newOutbound(l)
		n := 0
		for o.put(make([]byte, 64<<10)) == nil {
			n++
		}
		if got := int64(n) * 64 << 10; got > laneLimits[l].waitBytes || n > laneLimits[l].waitFrames {
			t.Errorf("lane %d took %d frames", l, n)
		}
		o.drop()
		if o.bytes.Load() != 0 || o.put([]byte{1}) != nil {
			t.Errorf("lane %d is not empty", l)
		}
	}
}

func TestEveryFrameHasOneLane(t *testing.T) {
	fields := (&linkpb.LinkFrame{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		f := &linkpb.LinkFrame{}
		f.ProtoReflect().Mutable(fields.Get(i))
		_, ok := laneOf(f)
		name := fields.Get(i).Name()
		if greeting := name == "hello" || name == "hello_ack"; ok == greeting {
			t.Errorf("%s: lane %t", name, ok)
		}
	}
}

func TestServerName(t *testing.T) {
	a, b := serverName([32]byte{1}), serverName([32]byte{2})
	if a == b || a != strings.ToLower(a) || len(strings.Split(a, ".")[0]) > 63 {
		t.Error(a, b)
	}
}

func TestSecretsStaySilent(t *testing.T) {
	p := newParty(t)
	p.cfg.Secret = Secret{0xca, 0xfe, 0xba, 0xbe}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", p.cfg, "s", p.cfg.Secret)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "c", p.cfg, "s", p.cfg.Secret)
	for _, v := range []any{p.cfg, &p.cfg, p.cfg.Secret, &p.cfg.Secret, struct{ S Secret }{p.cfg.Secret}} {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&log, "%v %+v %#v %s %x %d %q ", v, v, v, v, v, v, v)
		log.Write(j)
	}
	seed := fmt.Sprintf("%x", p.key.Seed())
	for _, leak := range []string{"202 254", "cafebabe", "0xca", seed, string(p.key.Seed())} {
		if strings.Contains(strings.ToLower(log.String()), leak) {
			t.Errorf("%q in %s", leak, log.String())
		}
	}
}

// Keys differ by direction and purpose, and come again from the same secret.
func TestDerivedKeys(t *testing.T) {
	s := Secret{7}
	if *s.resetKey() != *(Secret{7}).resetKey() {
		t.Error("not persistent")
	}
	if [32]byte(*s.resetKey()) == [32]byte(*s.tokenKey()) || *s.resetKey() == *(Secret{8}).resetKey() {
		t.Error("not apart")
	}
}

func TestMarshalRTP(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 52, 255} {
		p := &forward.Packet{
			PayloadType: 96, Sequence: 0x1234, Timestamp: 0xdeadbeef, Marker: n%2 == 0,
			Descriptor: bytes.Repeat([]byte{0xd5}, n), Payload: []byte{1, 2, 3},
		}
		var b [maxDatagram]byte
		size := marshalRTP(b[:], p, 0x11223344)
		if size+16 > headerRoom+n+3 {
			t.Errorf("descriptor of %d: %d bytes are beyond headerRoom", n, size)
		}
		var h rtp.Header
		if _, err := h.Unmarshal(b[:size]); err != nil {
			t.Fatal(err)
		}
		payload, ok := payloadOf(b[:size], &h)
		if !ok || !bytes.Equal(payload, p.Payload) || h.Marker != p.Marker || h.SSRC != 0x11223344 || h.Timestamp != p.Timestamp ||
			h.SequenceNumber != p.Sequence || !bytes.Equal(h.GetExtension(extDescriptor), p.Descriptor) {
			t.Errorf("descriptor of %d: %+v %x", n, h, payload)
		}
	}
}

func TestReception(t *testing.T) {
	var r reception
	now := time.Unix(100, 0)
	r.start(65530, 90000)
	for n := range 100 {
		if n%4 != 3 {
			r.received(now.Add(time.Duration(n)*10*time.Millisecond), uint16(65530+n), uint32(n*900))
		}
	}
	rep := r.report(5)
	if rep.SSRC != 5 || rep.TotalLost != 24 || rep.FractionLost != 24*256/99 || rep.LastSequenceNumber != 65530+98 || rep.Jitter > 1 {
		t.Errorf("%+v", rep)
	}
	if rep := r.report(5); rep.FractionLost != 0 || rep.TotalLost != 24 {
		t.Errorf("again: %+v", rep)
	}
	r.start(65530+99, 90000) // a re-key goes on
	if rep := r.report(6); rep.TotalLost != 24 {
		t.Errorf("after re-key: %+v", rep)
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Verdicts() {
		if s := v.String(); s == "" || s == "unknown" || seen[s] {
			t.Errorf("verdict %d is %q", v, s)
		}
		seen[v.String()] = true
	}
}

// A length that promises much and brings nothing allocates nothing.
func TestFrameReaderBelievesNoLength(t *testing.T) {
	r := frameReader{r: bytes.NewReader([]byte{0, 0x10, 0, 0, 1, 2, 3})}
	if n := testing.AllocsPerRun(1, func() {
		if _, err := r.next(func(int) error { return nil }); err == nil {
			t.Error("read")
		}
	}); n > 100 {
		t.Error(n)
	}
	if cap(r.buf) > 128<<10 {
		t.Errorf("%d bytes kept", cap(r.buf))
	}
	if _, err := r.next(func(int) error { return nil }); err == nil || err == io.ErrShortBuffer {
		t.Error(err)
	}
}

// Every frame makes a packet that a node which lost the carrier answers with a stateless reset.
func TestFramesAreLongEnoughToBeReset(t *testing.T) {
	for n := range 40 {
		f := entry(1, 4+n)
		b, err := encodeFrame(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&frameReader{r: bytes.NewReader(b)}).next(func(int) error { return nil })
		if err != nil || !proto.Equal(got, f) {
			t.Fatalf("%d: %v %v", n, got, err)
		}
	}
	for _, n := range []uint64{0, 1, 1 << 62} {
		if b, err := encodeFrame(heartbeat(n)); err != nil || len(b) < minFrame {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}
}
