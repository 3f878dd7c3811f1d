//go:build linux

package sfu

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley.link/parley/bench/media/light"
	"parley.link/parley/bench/media/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node starts a server; the returned function ends it.
func node(t *testing.T, ctx context.Context, c serve.Config) (control, link string, stop func()) {
	t.Helper()
	c.Control, c.UDP = "127.0.0.1:0", "127.0.0.1:0"
	life, cancel := context.WithCancel(ctx)
	type addrs struct{ control, link net.Addr }
	listening, ended := make(chan addrs, 1), make(chan error, 1)
	go func() {
		ended <- serve.Run(life, c, func(control, link net.Addr) { listening <- addrs{control, link} })
	}()
	select {
	case a := <-listening:
		if a.link != nil {
			link = a.link.String()
		}
		return a.control.String(), link, func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	case err := <-ended:
		t.Fatal(err)
		return "", "", nil
	}
}

// join takes a seat and, if it has something to say, says it.
func join(t *testing.T, ctx context.Context, l *light.Loop, address string, s Seat) Person {
	t.Helper()
	a, err := New("parley", address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Join(ctx, l, s)
	if err != nil {
		t.Fatal(err)
	}
	if p.Up() != nil {
		if profile, err := p.Up().Stood(ctx); err != nil || profile != "SRTP_AEAD_AES_128_GCM" {
			t.Fatalf("profile %s, %v", profile, err)
		}
		l.Publish(p.Up(), 0)
	}
	return p
}

// hears waits until so many streams came of which at least three packets were opened each, and fails if one was not what had been sent.
func hears(t *testing.T, ctx context.Context, l *light.Loop, want int, people ...Person) {
	t.Helper()
	l.Do(l.Begin)
	for {
		whole := 0
		l.Do(func() {
			for _, p := range people {
				for _, e := range p.Downs() {
					for _, s := range e.Streams() {
						if s.Packets >= 3*7 {
							whole++
						}
					}
				}
			}
		})
		if whole == want {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d of %d streams came", whole, want)
		case <-time.After(10 * time.Millisecond):
		}
	}
	l.Do(func() {
		if late, bad := l.End(); bad != 0 || len(late) < want {
			t.Errorf("%d packets bad, %d stamps read", bad, len(late))
		}
	})
	for _, p := range people {
		if err := p.Err(); err != nil {
			t.Error(err)
		}
	}
}

// loop runs one; the returned function ends it.
func loop(t *testing.T, ctx context.Context) (*light.Loop, func()) {
	t.Helper()
	l, err := light.NewLoop(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	life, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { l.Run(life); close(done) }()
	return l, func() { cancel(); <-done }
}

// One publishes, two listen, through the real engine; then a third, behind the link at another node.
func TestParley(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	first, link, stopFirst := node(t, ctx, serve.Config{Party: "a", Link: "127.0.0.1:0"})
	defer stopFirst()
	second, _, stopSecond := node(t, ctx, serve.Config{Party: "b", Link: "127.0.0.1:0", Peer: link})
	defer stopSecond()
	l, stopLoop := loop(t, ctx)
	defer stopLoop()
	p := join(t, ctx, l, first, Seat{Room: "r", Name: "p", Audio: true, Video: true})
	defer p.Close()
	a, b := join(t, ctx, l, first, Seat{Room: "r", Name: "a", Listen: true}), join(t, ctx, l, first, Seat{Room: "r", Name: "b", Listen: true})
	defer a.Close()
	defer b.Close()
	hears(t, ctx, l, 4, a, b)
	far := join(t, ctx, l, second, Seat{Room: "r", Name: "far", Listen: true, Remote: []string{serve.Track("p", "audio"), serve.Track("p", "video")}})
	defer far.Close()
	hears(t, ctx, l, 2, far)
}

func TestLiveKitWords(t *testing.T) {
	b := message(reqAnswer, description("answer", "v=0", 7))
	d := field(b, reqAnswer)
	if string(field(d, descriptionType)) != "answer" || string(field(d, descriptionSDP)) != "v=0" || number(d, descriptionID) != 7 || field(b, respOffer) != nil {
		t.Fatalf("%x", b)
	}
}

func FuzzLiveKitWords(f *testing.F) {
	f.Add(message(reqAnswer, description("answer", "v=0", 7)))
	f.Add(addTrack("x", true))
	f.Fuzz(func(_ *testing.T, b []byte) {
		number(field(field(b, 1), 2), 3)
	})
}
