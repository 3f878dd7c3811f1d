package rtc

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/turn"
)

// lossy is a UDP path to a node that loses packets both ways: a socket for clients, and per client one towards the node.
type lossy struct {
	node  *net.UDPAddr
	front *net.UDPConn
	loss  func(*rand.Rand) bool
	wait  sync.WaitGroup

	mu     sync.Mutex
	rng    *rand.Rand
	on     bool
	back   map[netip.AddrPort]*net.UDPConn
	toNode int
	toFar  int
}

func newLossy(t *testing.T, node net.Addr, share float64, seed uint64) *lossy {
	t.Helper()
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{
		node: node.(*net.UDPAddr), front: front, back: map[netip.AddrPort]*net.UDPConn{}, rng: rand.New(rand.NewPCG(seed, 1)),
		loss: func(r *rand.Rand) bool { return r.Float64() < share },
	}
	l.wait.Go(l.runFront)
	t.Cleanup(func() {
		_ = front.Close()
		l.mu.Lock()
		for _, c := range l.back {
			_ = c.Close()
		}
		l.mu.Unlock()
		l.wait.Wait()
	})
	return l
}

func (l *lossy) drop() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on && l.loss(l.rng)
}

func (l *lossy) set(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = on
}

func (l *lossy) sent() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.toFar
}

func (l *lossy) runFront() {
	b := make([]byte, 2000)
	for {
		n, from, err := l.front.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		l.mu.Lock()
		c := l.back[from]
		if c == nil {
			if c, err = net.DialUDP("udp", nil, l.node); err != nil {
				l.mu.Unlock()
				return
			}
			l.back[from] = c
			l.wait.Go(func() { l.runBack(c, from) })
		}
		l.mu.Unlock()
		if !l.drop() {
			_, _ = c.Write(b[:n])
		}
	}
}

func (l *lossy) runBack(c *net.UDPConn, to netip.AddrPort) {
	b := make([]byte, 2000)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		l.mu.Lock()
		l.toFar++
		l.mu.Unlock()
		if !l.drop() {
			_, _ = l.front.WriteToUDPAddrPort(b[:n], to)
		}
	}
}

// rewire puts the path's address in the place of the node's.
func (l *lossy) rewire(sdp string) string {
	port := func(a net.Addr) string { _, p, _ := net.SplitHostPort(a.String()); return p }
	return strings.ReplaceAll(sdp, " "+port(l.node)+" typ host", " "+port(l.front.LocalAddr())+" typ host")
}

func TestLossIsMendedOnBothHops(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	path := newLossy(t, r.engine.UDPAddrs()[0], 0.05, seed)
	r.rewire = path.rewire
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	cam := a.source(t, "cam", webrtc.MimeTypeVP8, 5000)
	a.publish(false)
	stop := cam.run(20 * time.Millisecond)
	until(t, "frames before the loss", func() bool { return cam.check(t, b.got("cam")) > 20 })
	path.set(true)
	cam.mu.Lock()
	before := len(cam.sent) // the first of these were sent before anybody listened
	cam.mu.Unlock()
	arrived := len(b.got("cam"))
	until(t, "200 frames under loss", func() bool { return cam.check(t, b.got("cam")) > arrived+200 })
	path.set(false)
	stop()
	source, down := a.tracks()[0], b.node.DownCounters("cam")
	up := source.Counters()
	defer func() {
		t.Logf("up: recovered %d, lost %d; down: sent %d, sent again %d, too soon %d, over budget %d", up.Get(forward.Recovered), source.Lost(),
			down.Get(forward.Sent), down.Get(forward.Resent), down.Get(forward.TooSoon), down.Get(forward.OverBudget))
	}()
	until(t, "99 of 100 frames", func() bool {
		cam.mu.Lock()
		sent := len(cam.sent) - before
		cam.mu.Unlock()
		return cam.check(t, b.got("cam"))-arrived >= sent*99/100
	})
	if up.Get(forward.Recovered) == 0 || down.Get(forward.Resent) == 0 {
		t.Fatal("nothing was mended: no loss?")
	}
}

// A receiver behind a path that lets next to nothing through must not make the node send ten times as much.
func TestRetransmissionDoesNotMultiplyTraffic(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	path := newLossy(t, r.engine.UDPAddrs()[0], 0.6, 7)
	a := r.join("a", ClientConfig{})
	cam := a.source(t, "cam", webrtc.MimeTypeVP8, 5000)
	a.publish(false)
	t.Cleanup(cam.run(10 * time.Millisecond))
	r.rewire = path.rewire
	b := r.join("b", ClientConfig{})
	until(t, "frames before the loss", func() bool { return cam.check(t, b.got("cam")) > 20 })
	down := b.node.DownCounters("cam")
	sent, again, total := down.Get(forward.Sent), down.Get(forward.Resent), path.sent()
	path.set(true)
	until(t, "1500 packets", func() bool { return down.Get(forward.Sent) > sent+1500 })
	sent, again, total = down.Get(forward.Sent)-sent, down.Get(forward.Resent)-again, path.sent()-total
	t.Logf("sent %d, sent again %d, all packets to the receiver %d, over budget %d", sent, again, total, down.Get(forward.OverBudget))
	if float64(again) > 0.26*float64(sent)+96*1024/950 {
		t.Fatalf("%d sent again for %d sent", again, sent)
	}
}

func relayFor(t *testing.T, r *room) *turn.Server {
	t.Helper()
	media := r.engine.UDPAddrs()[0].(*net.UDPAddr).AddrPort()
	s, err := turn.New(turn.Config{
		UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Media: []turn.Media{{Told: media, Bound: media}}, Secret: []byte("0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestFramesArriveByteForByteOverTURNOnly(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			r := newRoom(t, Config{UDP: "127.0.0.1:0"})
			s := relayFor(t, r)
			c := s.Credential(time.Now(), time.Hour, []byte("device"))
			url := "turn:" + s.UDPAddr().String() + "?transport=udp"
			if transport == "tcp" {
				url = "turn:" + s.TCPAddr().String() + "?transport=tcp"
			}
			a, b := twoSpeak(t, r, ClientConfig{
				RelayOnly: true, ICE: []ICEServer{{URLs: []string{url}, Username: c.Username, Credential: c.Password}},
			})
			if n := s.Allocations(); n < 4 {
				t.Fatalf("%d relays for four connections", n)
			}
			a.leave()
			b.leave()
			until(t, "relays end", func() bool { return s.Allocations() == 0 })
		})
	}
}

// Joining and leaving leaves nothing behind.
func TestJoinAndLeave(t *testing.T) {
	n := 50
	if testing.Short() {
		n = 5
	}
	if *many > 0 {
		n = *many
	}
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	stay := r.join("stay", ClientConfig{})
	mic := stay.source(t, "mic", webrtc.MimeTypeOpus, 80)
	stay.publish(false)
	t.Cleanup(mic.run(20 * time.Millisecond))
	until(t, "stay is there", func() bool { return len(stay.tracks()) == 1 })
	visit := func() {
		p, heard := r.join("visitor", ClientConfig{}), len(stay.got("v"))
		s := p.source(t, "v", webrtc.MimeTypeOpus, 80)
		p.publish(false)
		until(t, "both ways", func() bool {
			s.send()
			return len(p.got("mic")) > 0 && len(stay.got("v")) > heard
		})
		p.leave()
		until(t, "the track is off", func() bool { return stay.node.DownCounters("v") == nil })
	}
	visit()
	settle := func() int {
		least := runtime.NumGoroutine()
		for range 100 {
			time.Sleep(5 * time.Millisecond)
			least = min(least, runtime.NumGoroutine())
		}
		return least
	}
	before := settle()
	for range n {
		visit()
	}
	if after := settle(); after > before+3 {
		b := make([]byte, 1<<20)
		t.Fatalf("%d goroutines before, %d after %d visits\n%s", before, after, n, b[:runtime.Stack(b, true)])
	}
	if got := r.engine.Participants(); got != 1 {
		t.Fatalf("%d participants", got)
	}
	stay.mu.Lock()
	defer stay.mu.Unlock()
	last := stay.offers[len(stay.offers)-1]
	if sections := strings.Count(last.SDP, "m="); sections > 2 {
		t.Fatalf("%d sections after %d visits", sections, n)
	}
}

// A client that comes back with new connections under the same participant is taken up again.
func TestUpConnectionMadeAnew(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	first := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	t.Cleanup(first.run(20 * time.Millisecond))
	until(t, "mic", func() bool { return first.check(t, b.got("mic")) > 5 })
	a.client.Close()
	c, err := NewClient(ClientConfig{Loopback: true}, ClientHandlers{Frame: func(Frame) {}, KeyFrame: func(string) {}, State: func(Which, State) {}})
	if err != nil {
		t.Fatal(err)
	}
	a.client = c
	second := a.source(t, "mic-2", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	t.Cleanup(second.run(20 * time.Millisecond))
	until(t, "mic again", func() bool { return second.check(t, b.got("mic-2")) > 5 })
}

// A section that goes on under another name is another track.
func TestSectionUnderAnotherName(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	mic := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	t.Cleanup(mic.run(20 * time.Millisecond))
	until(t, "mic", func() bool { return mic.check(t, b.got("mic")) > 5 })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sdp, tracks, err := a.client.UpOffer(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	tracks[0].Track = "other"
	answer, err := a.node.HandleUpOffer(ctx, sdp, tracks)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.client.UpAnswer(answer); err != nil {
		t.Fatal(err)
	}
	until(t, "the other name", func() bool { return mic.check(t, b.got("other")) > 5 })
	if up := a.tracks(); len(up) != 1 || up[0].ID() != "other" {
		t.Fatalf("%d tracks", len(up))
	}
}

func TestDescriptionsThatAreRefused(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a := r.join("a", ClientConfig{})
	a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sdp, tracks, err := a.client.UpOffer(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	long := tracks[0]
	long.Track = strings.Repeat("x", 1000)
	for name, c := range map[string]struct {
		sdp    string
		tracks []TrackMid
	}{
		"empty":            {"", tracks},
		"not SDP":          {"hello", tracks},
		"huge":             {sdp + strings.Repeat("a=x\r\n", MaxSDP/5), tracks},
		"no track":         {sdp, nil},
		"track named long": {sdp, []TrackMid{long}},
		"no source":        {strings.ReplaceAll(sdp, "a=ssrc:", "a=xssrc:"), tracks},
		"data channel":     {strings.ReplaceAll(sdp, "m=audio", "m=application"), tracks},
		"no ICE":           {strings.ReplaceAll(sdp, "a=ice-ufrag", "a=ice-nothing"), tracks},
		"no fingerprint":   {strings.ReplaceAll(sdp, "a=fingerprint", "a=thumb"), tracks},
	} {
		if _, err := a.node.HandleUpOffer(ctx, c.sdp, c.tracks); err == nil {
			t.Errorf("%s: accepted", name)
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: error of %d bytes", name, len(err.Error()))
		}
	}
	if err := a.node.HandleDownAnswer(sdp, 1); err == nil {
		t.Error("an answer to nothing was accepted")
	}
	if _, err := a.node.HandleUpOffer(ctx, sdp, tracks); err != nil {
		t.Errorf("a good offer after all that: %v", err)
	}
}

func TestAudioLevelIsNotNegotiated(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a := r.join("a", ClientConfig{})
	a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sdp, tracks, err := a.client.UpOffer(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	sdp = strings.Replace(sdp, "a=mid:0\r\n", "a=mid:0\r\na=extmap:13 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n", 1)
	answer, err := a.node.HandleUpOffer(ctx, sdp, tracks)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(answer, "audio-level") {
		t.Fatal("who speaks would be told in clear")
	}
	for _, want := range []string{"cbr=1", "usedtx=0", "stereo=0", "useinbandfec=1", "a=ice-lite"} {
		if !strings.Contains(answer, want) {
			t.Errorf("answer without %s", want)
		}
	}
}
