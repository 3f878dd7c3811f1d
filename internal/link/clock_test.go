package link

import (
	"math"
	"testing"
	"time"

	"parley.link/parley/internal/forward"
)

// Two tracks of one person, the sound half a second ahead of the picture by the publisher's clock: so they are at the far node too,
// through a re-key.
func TestClocksCrossTheLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(11, 30*time.Millisecond)
		a, b, _, _ := simPair(t, n, 3*time.Second)
		opus := forward.Codec{MimeType: "audio/opus", ClockRate: 48000, Channels: 2}
		ups := []*forward.UpTrack{newSource("camera").up, forward.NewUpTrack("microphone", forward.Audio, opus, nil)}
		clocks := []forward.Clock{
			{NTP: 100 << 32, Timestamp: 1<<32 - 9000, At: time.Now()}, // wraps
			{NTP: 100<<32 + 1<<31, Timestamp: 48000, At: time.Now()},
		}
		streams := make([]*UpStream, len(ups))
		for i, up := range ups {
			if _, err := b.e.Media(a.root.Side()).Subscribe(testScope, up.ID(), 0); err != nil {
				t.Fatal(err)
			}
			f := awaitWhere(a, "subscription", func(f Frame) bool { return f.Frame.GetSubscribe() != nil })
			if _, err := a.e.Media(b.root.Side()).OpenDown(testScope, f.Frame.GetSubscribe().Track, up); err != nil {
				t.Fatal(err)
			}
			streams[i] = await[Opened](b, "opened").Stream
		}
		time.Sleep(2 * time.Second)
		if _, ok := streams[0].Track().Clock(); ok {
			t.Error("a clock that nobody told")
		}
		for i, up := range ups {
			up.SetClock(clocks[i])
		}
		for range 4 {
			time.Sleep(1500 * time.Millisecond)
			for i, s := range streams {
				c, ok := s.Track().Clock()
				if !ok {
					t.Fatal("no clock")
				}
				wall := float64(c.NTP-clocks[i].NTP) / (1 << 32)
				media := float64(int32(c.Timestamp-clocks[i].Timestamp)) / float64(ups[i].Codec().ClockRate)
				if math.Abs(wall-media) > 1e-4 || wall == 0 {
					t.Errorf("%s: wall clock moved %f s, media %f s", s.Name(), wall, media)
				}
			}
		}
		a.stop()
		b.stop()
	})
}
