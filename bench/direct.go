package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/sframe"
	"parley.link/parley/internal/synth"
)

// connected is a publisher and a receiver without a node between them.
type connected struct {
	*frames
	from, to time.Time
	mu       sync.Mutex
	ring     *sframe.Ring // one for both ends: they share the epoch's base key
}

const (
	directMicrophone = "AAAAAAAAAAAAAAAAAAAAAA"
	directCamera     = "AAAAAAAAAAAAAAAAAAAAAQ"
)

// baseline sends the frames of a native participant for a while over one peer connection, with the same seal, client and pace.
func baseline(ctx context.Context, span time.Duration) (*connected, error) {
	secret := make([]byte, sframe.BaseKeySize)
	_, _ = rand.Read(secret)
	base, err := sframe.NewBaseKey(secret)
	if err != nil {
		return nil, err
	}
	d := &connected{frames: newFrames(), ring: sframe.NewRing()}
	d.ring.Install(1, 0, base, time.Now())
	if err := d.ring.SendNewest(); err != nil {
		return nil, err
	}
	ignore := rtc.ClientHandlers{Frame: func(rtc.Frame) {}, KeyFrame: func(string) {}, State: func(rtc.Which, rtc.State) {}}
	from, err := rtc.NewClient(rtc.ClientConfig{Loopback: true}, ignore)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	ignore.Frame = d.frame
	to, err := rtc.NewClient(rtc.ClientConfig{Loopback: true}, ignore)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	microphone, err := from.AddTrack(directMicrophone, "audio/opus")
	if err != nil {
		return nil, err
	}
	camera, err := from.AddTrack(directCamera, "video/VP8")
	if err != nil {
		return nil, err
	}
	offer, mids, err := from.UpOffer(ctx, false)
	if err != nil {
		return nil, err
	}
	answer, err := to.DownOffer(ctx, offer, mids)
	if err != nil {
		return nil, err
	}
	if err := from.UpAnswer(answer); err != nil {
		return nil, err
	}
	sending, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	if err := d.send(sending, &wait, microphone, camera); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := until(ctx, 20*time.Second, func() string { return d.flows(began) }); err != nil {
		return nil, err
	}
	d.from = time.Now()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(span):
	}
	d.to = time.Now()
	return d, until(ctx, 10*time.Second, func() string { return d.flows(d.to) })
}

// send is what a native participant's devices do.
func (d *connected) send(ctx context.Context, wait *sync.WaitGroup, microphone, camera *rtc.SendTrack) error {
	tone, err := synth.NewTone(1000)
	if err != nil {
		return err
	}
	video := synth.NewVideo(0, "EM", 30)
	n := uint64(0)
	wait.Go(func() {
		runTicks(ctx, synth.FrameTime, func(time.Time) {
			d.one("microphone", sframe.Opus, microphone, uint32(n*synth.FrameSamples), tone.Frame(n))
			n++
		})
	})
	wait.Go(func() {
		runTicks(ctx, video.Interval(), func(now time.Time) {
			if b, err := video.Frame(video.Counter(now)); err == nil {
				d.one("camera", sframe.VP8, camera, uint32(now.UnixMilli()*90), b)
			}
		})
	})
	return nil
}

func runTicks(ctx context.Context, every time.Duration, do func(time.Time)) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			do(now)
		}
	}
}

func (d *connected) one(source string, codec sframe.Codec, t *rtc.SendTrack, timestamp uint32, frame []byte) {
	now := time.Now()
	open, secret, err := sframe.Split(codec, frame)
	if err != nil {
		return
	}
	d.mu.Lock()
	sealed, err := d.ring.Seal(nil, sframe.TrackContext(t.ID()), open, secret)
	d.mu.Unlock()
	d.publisher().Sent(source, timestamp, err == nil, now)
	if err == nil {
		t.WriteFrame(now, timestamp, sframe.Wrap(codec, true, open, sealed))
	}
}

func (d *connected) frame(f rtc.Frame) {
	codec := sframe.Opus
	if f.Track == directCamera {
		codec = sframe.VP8
	}
	open, sealed, err := sframe.Unwrap(codec, f.Payload)
	if err != nil {
		return
	}
	d.mu.Lock()
	_, v := d.ring.Open(append([]byte(nil), open...), 0, 0, sframe.TrackContext(f.Track), open, sealed, time.Now())
	d.mu.Unlock()
	d.receiver().Came(f, v == sframe.Opened, time.Now())
	if v != sframe.Opened {
		fmt.Println("direct:", v)
	}
}
