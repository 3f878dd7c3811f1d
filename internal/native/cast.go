package native

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/sframe"
	"parley.link/parley/internal/synth"
)

// newTrackID is a fresh track id: 16 random bytes in base64url.
func newTrackID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// own is one track of one's own.
type own struct {
	id     string
	source string
	codec  sframe.Codec
	mime   string
}

func (p *Participant) ownTracks() []own {
	var all []own
	if p.cfg.Tone >= 0 {
		all = append(all, own{newTrackID(), act.SourceMicrophone, sframe.Opus, "audio/opus"})
	}
	if p.cfg.FPS > 0 {
		all = append(all, own{newTrackID(), act.SourceCamera, sframe.VP8, "video/VP8"})
	}
	if p.cfg.Screen {
		all = append(all, own{newTrackID(), act.SourceScreen, sframe.VP8, "video/VP8"})
	}
	return all
}

// runMicrophone sends the pilot tone, one frame every 20 ms by the clock, until the context ends.
func (p *Participant) runMicrophone(ctx context.Context, o own, t *rtc.SendTrack, tone *synth.Tone) {
	tick := time.NewTicker(synth.FrameTime)
	defer tick.Stop()
	start, sent := time.Now(), uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A ticker that was late owes frames: send them, so that the stream keeps its rate.
		for due := uint64(time.Since(start) / synth.FrameTime); sent < due; sent++ {
			p.send(o, t, uint32(sent*synth.FrameSamples), tone.Frame(sent))
		}
	}
}

// runCamera sends the synthetic picture until the context ends.
func (p *Participant) runCamera(ctx context.Context, o own, t *rtc.SendTrack, v *synth.Video) {
	tick := time.NewTicker(v.Interval())
	defer tick.Stop()
	last := -1
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		n := v.Counter(now)
		if n == last {
			continue
		}
		last = n
		frame, err := v.Frame(n)
		if err != nil {
			continue // the encoder refused one picture; the next is made anew
		}
		if len(p.cfg.Canary) > 0 {
			frame = slices.Concat(frame, p.cfg.Canary)
		}
		p.send(o, t, uint32(now.UnixMilli()*90), frame)
	}
}

// send seals one frame and lets it go.
func (p *Participant) send(o own, t *rtc.SendTrack, timestamp uint32, frame []byte) {
	now := time.Now()
	b := p.seal.close(o.id, o.codec, frame)
	if p.cfg.Trace.Sent != nil {
		p.cfg.Trace.Sent(o.source, timestamp, b != nil, now)
	}
	if b != nil {
		t.WriteFrame(now, timestamp, b)
	}
}
