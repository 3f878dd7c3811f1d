package rtc

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"parley.link/parley/internal/forward"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 15 * time.Second

// room joins participants of one engine: everybody gets everybody else's tracks, as the node does it.
type room struct {
	t      testing.TB
	engine *Engine
	rewire func(sdp string) string // what a path does to the node's addresses; nil: nothing

	mu     sync.Mutex
	people []*person
}

type person struct {
	room   *room
	name   string
	node   *Participant
	client *Client

	mu     sync.Mutex
	ups    map[string]*forward.UpTrack
	frames map[string][]Frame
	keys   map[string]int
	states map[Which]State
	offers []Offer
}

func newRoom(t testing.TB, cfg Config) *room {
	t.Helper()
	cfg.Loopback = true
	cfg.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, engine: e}
	t.Cleanup(func() {
		for _, p := range r.list() {
			p.leave()
		}
		_ = e.Close()
	})
	return r
}

func (r *room) list() []*person {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.people)
}

func (r *room) path(sdp string) string {
	if r.rewire == nil {
		return sdp
	}
	return r.rewire(sdp)
}

func (r *room) join(name string, cfg ClientConfig) *person {
	r.t.Helper()
	p := &person{
		room: r, name: name, ups: map[string]*forward.UpTrack{}, frames: map[string][]Frame{}, keys: map[string]int{}, states: map[Which]State{},
	}
	var err error
	p.node, err = r.engine.NewParticipant(name, Handlers{
		UpTrack:    func(track string, up *forward.UpTrack) { p.set(track, up); r.wire() },
		UpTrackEnd: func(track string, _ *forward.UpTrack) { p.set(track, nil); r.wire() },
		DownOffer: func(o Offer) {
			p.mu.Lock()
			p.offers = append(p.offers, o)
			p.mu.Unlock()
			go p.takeOffer(o)
		},
		State: func(w Which, s State) {
			p.mu.Lock()
			p.states[w] = s
			p.mu.Unlock()
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	cfg.Loopback = true
	p.client, err = NewClient(cfg, ClientHandlers{
		Frame: func(f Frame) {
			p.mu.Lock()
			p.frames[f.Track] = append(p.frames[f.Track], f)
			p.mu.Unlock()
		},
		KeyFrame: func(track string) {
			p.mu.Lock()
			p.keys[track]++
			p.mu.Unlock()
		},
		State: func(Which, State) {},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.people = append(r.people, p)
	r.mu.Unlock()
	r.wire()
	return p
}

// wire gives everybody everybody else's tracks.
func (r *room) wire() {
	people := r.list()
	for _, p := range people {
		var want []*forward.UpTrack
		for _, q := range people {
			if q != p {
				want = append(want, q.tracks()...)
			}
		}
		p.node.SetDown(want)
	}
}

func (p *person) set(track string, up *forward.UpTrack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if up == nil {
		delete(p.ups, track)
	} else {
		p.ups[track] = up
	}
}

func (p *person) tracks() []*forward.UpTrack {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.ups), func(a, b *forward.UpTrack) int { return bytes.Compare([]byte(a.ID()), []byte(b.ID())) })
}

func (p *person) takeOffer(o Offer) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := p.client.DownOffer(ctx, p.room.path(o.SDP), o.Tracks)
	if err != nil {
		return // left meanwhile
	}
	_ = p.node.HandleDownAnswer(answer, o.Generation)
}

func (p *person) publish(restart bool) {
	p.room.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sdp, tracks, err := p.client.UpOffer(ctx, restart)
	if err != nil {
		p.room.t.Fatal(err)
	}
	answer, err := p.node.HandleUpOffer(ctx, sdp, tracks)
	if err != nil {
		p.room.t.Fatal(err)
	}
	if err := p.client.UpAnswer(p.room.path(answer)); err != nil {
		p.room.t.Fatal(err)
	}
}

func (p *person) leave() {
	r := p.room
	r.mu.Lock()
	r.people = slices.DeleteFunc(r.people, func(q *person) bool { return q == p })
	r.mu.Unlock()
	r.wire()
	p.client.Close()
	p.node.Close()
}

func (p *person) got(track string) []Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.frames[track])
}

// until polls for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

// source sends frames of random bytes (as sealed ones are), the first byte as VP8 leaves it clear, and remembers them.
type source struct {
	track *SendTrack
	size  int

	mu   sync.Mutex
	sent map[uint32][]byte
	next uint32
}

func (p *person) source(t testing.TB, track, mime string, size int) *source {
	t.Helper()
	s, err := p.client.AddTrack(track, mime)
	if err != nil {
		t.Fatal(err)
	}
	return &source{track: s, size: size, sent: map[uint32][]byte{}, next: 4294960000} // timestamps wrap
}

func (s *source) send() {
	frame := make([]byte, s.size)
	_, _ = rand.Read(frame)
	if len(frame) > 0 {
		frame[0] &^= 1
	}
	s.mu.Lock()
	s.next += 1800
	ts := s.next
	s.sent[ts] = frame
	s.mu.Unlock()
	s.track.WriteFrame(time.Now(), ts, frame)
}

// run sends every interval until the returned function is called.
func (s *source) run(every time.Duration) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				s.send()
			}
		}
	}()
	return func() { close(done); <-over }
}

// check compares what came with what was sent, byte for byte, and returns how many frames came.
func (s *source) check(t *testing.T, frames []Frame) int {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[uint32]bool{}
	for _, f := range frames {
		want, ok := s.sent[f.Timestamp]
		switch {
		case !ok:
			t.Fatalf("%s: a frame nobody sent, timestamp %d", f.Track, f.Timestamp)
		case !bytes.Equal(want, f.Payload):
			t.Fatalf("%s: frame %d came as %d bytes, not the %d sent", f.Track, f.Timestamp, len(f.Payload), len(want))
		case seen[f.Timestamp]:
			t.Fatalf("%s: frame %d came twice", f.Track, f.Timestamp)
		}
		seen[f.Timestamp] = true
	}
	return len(seen)
}

// twoSpeak has two people send sound and picture to each other and checks every byte.
func twoSpeak(t *testing.T, r *room, cfg ClientConfig) (a, b *person) {
	t.Helper()
	a, b = r.join("a", cfg), r.join("b", cfg)
	type pair struct {
		from, to *person
		src      *source
	}
	var all []pair
	for _, x := range []pair{{from: a, to: b}, {from: b, to: a}} {
		mic := x.from.source(t, x.from.name+"-mic", webrtc.MimeTypeOpus, 120)
		cam := x.from.source(t, x.from.name+"-cam", webrtc.MimeTypeVP8, 4000)
		x.from.publish(false)
		t.Cleanup(mic.run(20 * time.Millisecond))
		t.Cleanup(cam.run(50 * time.Millisecond))
		all = append(all, pair{x.from, x.to, mic}, pair{x.from, x.to, cam})
	}
	for _, x := range all {
		until(t, "20 frames of "+x.src.track.ID(), func() bool { return x.src.check(t, x.to.got(x.src.track.ID())) >= 20 })
	}
	return a, b
}

func TestFramesArriveByteForByteOverUDP(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := twoSpeak(t, r, ClientConfig{})
	until(t, "key-frame request at the publisher", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.keys["a-cam"] > 0
	})
	if n := b.node.DownCounters("a-cam").Get(forward.Sent); n == 0 {
		t.Fatal("no verdict for sent packets")
	}
}

func TestFramesArriveByteForByteOverTCPOnly(t *testing.T) {
	r := newRoom(t, Config{TCP: "127.0.0.1:0"})
	twoSpeak(t, r, ClientConfig{})
}

func TestAddressesInUseAndWrongAreNamed(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	busy := r.engine.UDPAddrs()[0].String()
	for _, c := range []Config{{UDP: busy, Loopback: true}, {UDP: "localhost"}, {TCP: "127.0.0.1:99999"}, {UDP: "nowhere:1"}, {}} {
		if e, err := New(c); err == nil {
			_ = e.Close()
			t.Errorf("%+v was accepted", c)
		} else {
			t.Log(err)
		}
	}
}

func TestTracksComeAndGo(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	mic := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	t.Cleanup(mic.run(20 * time.Millisecond))
	until(t, "mic", func() bool { return mic.check(t, b.got("mic")) > 5 })
	for i := range 3 {
		name := fmt.Sprintf("screen-%d", i)
		screen := a.source(t, name, webrtc.MimeTypeVP8, 3000)
		a.publish(false)
		stop := screen.run(30 * time.Millisecond)
		until(t, name, func() bool { return screen.check(t, b.got(name)) > 5 })
		if err := a.client.RemoveTrack(name); err != nil {
			t.Fatal(err)
		}
		stop()
		a.publish(false)
		until(t, name+" is taken off", func() bool { return b.node.DownCounters(name) == nil })
	}
	before := len(b.got("mic"))
	until(t, "mic goes on", func() bool { return mic.check(t, b.got("mic")) > before+10 })
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.offers[len(b.offers)-1]
	if sections := bytes.Count([]byte(last.SDP), []byte("m=")); sections > 2 {
		t.Fatalf("%d sections for one microphone and one screen at a time: not used again", sections)
	}
}

func TestICERestart(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	mic := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	t.Cleanup(mic.run(20 * time.Millisecond))
	until(t, "mic", func() bool { return mic.check(t, b.got("mic")) > 5 })
	for range 2 {
		a.publish(true)
		b.node.RestartDown()
		until(t, "an offer with a restart", func() bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.offers[len(b.offers)-1].Restart
		})
		before := len(b.got("mic"))
		until(t, "mic goes on", func() bool { return mic.check(t, b.got("mic")) > before+25 })
		b.mu.Lock()
		b.offers = append(b.offers, Offer{})
		b.mu.Unlock()
	}
}
