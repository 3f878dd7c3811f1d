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

// One publishes, two listen, through the real engine: whole packets come, open, and are what was sent.
func TestParley(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	life, stop := context.WithCancel(ctx)
	listening, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- serve.Run(life, serve.Config{Control: "127.0.0.1:0", UDP: "127.0.0.1:0"}, func(a net.Addr) { listening <- a.String() })
	}()
	l, err := light.NewLoop(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	loop, stopLoop := context.WithCancel(ctx)
	looped := make(chan struct{})
	go func() { l.Run(loop); close(looped) }()
	a, err := New("parley", <-listening)
	if err != nil {
		t.Fatal(err)
	}
	var people []Person
	for _, s := range []Seat{
		{Room: "r", Name: "p", Audio: true, Video: true}, {Room: "r", Name: "a", Listen: true}, {Room: "r", Name: "b", Listen: true},
	} {
		p, err := a.Join(ctx, l, s)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, p)
		if p.Up() == nil {
			continue
		}
		if profile, err := p.Up().Stood(ctx); err != nil || profile != "SRTP_AEAD_AES_128_GCM" {
			t.Fatalf("profile %s, %v", profile, err)
		}
		l.Publish(p.Up(), 0)
	}
	l.Do(l.Begin)
	for {
		whole := 0
		l.Do(func() {
			for _, p := range people[1:] {
				for _, e := range p.Downs() {
					for _, s := range e.Streams() {
						if s.Packets >= 3*7 { // at least three were opened
							whole++
						}
					}
				}
			}
		})
		if whole == 4 {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d of 4 streams came; %v %v", whole, people[1].Err(), people[2].Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	var late []int32
	var bad uint64
	l.Do(func() { late, bad = l.End() })
	if bad != 0 || len(late) < 4 {
		t.Errorf("%d packets bad, %d stamps read", bad, len(late))
	}
	for _, p := range people {
		if err := p.Err(); err != nil {
			t.Error(err)
		}
		p.Close()
	}
	stopLoop()
	<-looped
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
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
