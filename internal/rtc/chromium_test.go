package rtc

import (
	"context"
	"encoding/json"
	"image/color"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/synth"
)

// saw is what the page says it sees and hears.
type saw struct {
	Frames, Sent, Key, Freezes, NACK, PLI int
	Target                                float64
	Colour                                [3]uint8
	Hz                                    float64
}

// browser is a page in a real Chromium that speaks with a Participant by plain requests.
type browser struct {
	t    *testing.T
	room *room
	node *Participant

	offers chan Offer

	mu      sync.Mutex
	last    saw
	restart bool
	ups     map[string]*forward.UpTrack
}

const chromium = "/usr/bin/chromium"

func openBrowser(t *testing.T, r *room, query url.Values) *browser {
	t.Helper()
	if _, err := os.Stat(chromium); err != nil || testing.Short() {
		t.Skip("no Chromium here, or -short")
	}
	page, err := os.ReadFile(filepath.Join("testdata", "peer.html"))
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, room: r, offers: make(chan Offer, 16), ups: map[string]*forward.UpTrack{}}
	b.node, err = r.engine.NewParticipant("browser", Handlers{
		UpTrack: func(track string, up *forward.UpTrack) {
			b.mu.Lock()
			b.ups[track] = up
			b.mu.Unlock()
		},
		UpTrackEnd: func(string, *forward.UpTrack) {},
		DownOffer:  func(o Offer) { b.offers <- o },
		State:      func(w Which, s State) { t.Log("browser", w, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("POST /up", func(w http.ResponseWriter, q *http.Request) {
		var in struct {
			SDP    string
			Tracks []TrackMid
		}
		_ = json.NewDecoder(q.Body).Decode(&in)
		answer, err := b.node.HandleUpOffer(q.Context(), in.SDP, in.Tracks)
		if err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"sdp": answer})
	})
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, q *http.Request) {
		select {
		case o := <-b.offers:
			_ = json.NewEncoder(w).Encode(o)
		case <-q.Context().Done():
		case <-time.After(time.Second):
			_, _ = w.Write([]byte("{}"))
		}
	})
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, q *http.Request) {
		var in struct {
			SDP        string
			Generation uint64
		}
		_ = json.NewDecoder(q.Body).Decode(&in)
		if err := b.node.HandleDownAnswer(in.SDP, in.Generation); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte("{}"))
	})
	mux.HandleFunc("POST /saw", func(w http.ResponseWriter, q *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = json.NewDecoder(q.Body).Decode(&b.last)
		_ = json.NewEncoder(w).Encode(map[string]bool{"restart": b.restart})
		b.restart = false
	})
	server := httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	at := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/?" + query.Encode()
	cmd := exec.CommandContext(ctx, chromium, "--headless=new", "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
		"--disable-background-networking", "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--disable-gpu",
		"--user-data-dir="+t.TempDir(), at)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // lets it end its children
		done := time.AfterFunc(5*time.Second, cancel)
		_ = cmd.Wait()
		done.Stop()
		cancel()
		b.node.Close()
		server.CloseClientConnections()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return b
}

func (b *browser) saw() saw {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *browser) tracks() []*forward.UpTrack {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*forward.UpTrack
	for _, u := range b.ups {
		all = append(all, u)
	}
	return all
}

// Chromium decodes synthetic pictures and tones that came through the node, and a native participant gets whole frames of its camera
// and microphone, before and after an ICE restart.
func TestChromium(t *testing.T) {
	for _, codec := range []string{webrtc.MimeTypeVP8, webrtc.MimeTypeVP9, webrtc.MimeTypeAV1} {
		t.Run(strings.TrimPrefix(codec, "video/"), func(t *testing.T) {
			withChromium(t, newRoom(t, Config{UDP: "127.0.0.1:0"}), codec, url.Values{})
		})
	}
	t.Run("TCP", func(t *testing.T) {
		withChromium(t, newRoom(t, Config{TCP: "127.0.0.1:0"}), webrtc.MimeTypeVP9, url.Values{})
	})
	t.Run("TURN", func(t *testing.T) {
		r := newRoom(t, Config{UDP: "127.0.0.1:0"})
		s := relayFor(t, r)
		c := s.Credential(time.Now(), time.Hour, []byte("device"))
		withChromium(t, r, webrtc.MimeTypeVP9, url.Values{
			"turn": {"turn:" + s.TCPAddr().String() + "?transport=tcp"}, "user": {c.Username}, "pass": {c.Password},
		})
		if s.Allocations() == 0 {
			t.Error("no relay was used")
		}
	})
}

func withChromium(t *testing.T, r *room, codec string, query url.Values) {
	query.Set("codec", codec)
	b := openBrowser(t, r, query)
	p := r.join("native", ClientConfig{})
	const person = 4
	video := synth.NewVideo(person, "NP", 15)
	tone, err := synth.NewTone(synth.ToneOf(person))
	if err != nil {
		t.Fatal(err)
	}
	cam, err := p.client.AddTrack("native-cam", webrtc.MimeTypeVP8)
	if err != nil {
		t.Fatal(err)
	}
	mic, err := p.client.AddTrack("native-mic", webrtc.MimeTypeOpus)
	if err != nil {
		t.Fatal(err)
	}
	p.publish(false)
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	t.Cleanup(func() { cancel(); wait.Wait() })
	wait.Go(func() {
		play(ctx, synth.FrameTime, func(i uint64, now time.Time) { mic.WriteFrame(now, uint32(i*synth.FrameSamples), tone.Frame(i)) })
	})
	wait.Go(func() {
		play(ctx, video.Interval(), func(i uint64, now time.Time) {
			if f, err := video.Frame(int(i)); err == nil {
				cam.WriteFrame(now, uint32(i*90000/15), f)
			}
		})
	})
	until(t, "native tracks", func() bool { return len(p.tracks()) == 2 })
	b.node.SetDown(p.tracks())
	until(t, "browser tracks", func() bool { return len(b.tracks()) == 2 })
	p.node.SetDown(b.tracks())

	check := func(when string) {
		start, got := b.saw().Frames, len(p.got("browser-video"))
		until(t, "the browser sees and hears "+when, func() bool {
			s := b.saw()
			return s.Frames > start+20 && math.Abs(s.Hz-float64(synth.ToneOf(person))) < 8 &&
				synth.Near(color.RGBA{s.Colour[0], s.Colour[1], s.Colour[2], 255}, synth.Colour(person))
		})
		until(t, "the native participant gets frames "+when, func() bool { return len(p.got("browser-video")) > got+20 })
	}
	check("at first")
	lost := func(when string) {
		for _, u := range b.tracks() {
			t.Logf("%s %s: accepted %d recovered %d lost %d", when, u.ID(), u.Counters().Get(forward.Accepted), u.Counters().Get(forward.Recovered), u.Lost())
		}
	}
	lost("before the restart")
	b.mu.Lock()
	b.restart = true
	b.mu.Unlock()
	check("after an ICE restart")
	t.Logf("%+v", b.saw())
	lost("after the restart")

	// Its own picture comes back to it, with the Dependency Descriptor on both ways.
	d := &descriptors{}
	for _, u := range b.tracks() {
		if u.Kind() == forward.Video {
			down, err := u.Subscribe(time.Now(), forward.Outgoing{SSRC: 1}, forward.NewBudget(), d)
			if err != nil {
				t.Fatal(err)
			}
			defer down.Close()
			b.node.SetDown([]*forward.UpTrack{u})
		}
	}
	until(t, "the browser sees itself", func() bool { s := b.saw(); return s.Frames > 20 && s.Key < s.Frames/2 })
	t.Logf("%+v", b.saw())
	if with, longest := d.with.Load(), d.longest.Load(); with == 0 || longest < 10 {
		t.Errorf("Dependency Descriptor on %d packets, longest %d bytes", with, longest)
	}

	sizes := map[int]int{}
	for _, f := range p.got("browser-audio") {
		sizes[len(f.Payload)]++
	}
	if len(sizes) > 3 {
		t.Errorf("sizes of the browser's Opus frames, and how many: %v: speech shows", sizes)
	}
	t.Logf("Opus frame sizes %v", sizes)
	lost("at last")
	if codec == webrtc.MimeTypeVP8 {
		seen := false
		for _, f := range p.got("browser-video") {
			if reading, _ := synth.ReadPicture(f.Payload); reading.Width > 0 {
				seen = true
			}
		}
		if !seen {
			t.Error("no picture of the browser's camera could be read")
		}
	}
}

// descriptors counts what it would forward.
type descriptors struct{ with, longest atomic.Int64 }

func (d *descriptors) WriteRTP(_ time.Time, p *forward.Packet) error {
	if n := int64(len(p.Descriptor)); n > 0 {
		d.with.Add(1)
		d.longest.Store(max(d.longest.Load(), n))
	}
	return nil
}

func play(ctx context.Context, every time.Duration, frame func(i uint64, now time.Time)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := uint64(0); ; i++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			frame(i, now)
		}
	}
}
