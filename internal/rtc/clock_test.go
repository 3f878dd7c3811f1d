package rtc

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// What a receiver is told of sound and picture lies on the publisher's two lines of wall clock and timestamp, however the two start.
func TestReportsKeepThePublishersClock(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	mic, err := a.client.AddTrack("a-mic", webrtc.MimeTypeOpus)
	if err != nil {
		t.Fatal(err)
	}
	cam, err := a.client.AddTrack("a-cam", webrtc.MimeTypeVP8)
	if err != nil {
		t.Fatal(err)
	}
	a.publish(false)
	begin := time.Now()
	const micBase, camBase = 4_294_960_000, 77_000 // one wraps
	at := func(now time.Time, base uint32, rate float64) uint32 {
		return base + uint32(int64(now.Sub(begin).Seconds()*rate))
	}
	moment := func(track string, base uint32, rate float64) (time.Duration, bool) {
		s := b.node.down.find(track)
		if s == nil {
			return 0, false
		}
		report, ok := s.report(time.Now()).(*rtcp.SenderReport)
		if !ok {
			return 0, false
		}
		wall := time.Duration(float64(report.NTPTime-ntp(begin)) / (1 << 32) * 1e9)
		media := time.Duration(float64(int32(report.RTPTime-base)) / rate * 1e9)
		return wall - media, true
	}
	until(t, "reports of both", func() bool {
		now := time.Now()
		mic.WriteFrame(now, at(now, micBase, 48000), make([]byte, 60))
		cam.WriteFrame(now, at(now, camBase, 90000), make([]byte, 600))
		sound, ok := moment("a-mic", micBase, 48000)
		picture, also := moment("a-cam", camBase, 90000)
		if !ok || !also {
			return false
		}
		if d := sound - picture; d.Abs() > time.Millisecond || sound.Abs() > time.Millisecond {
			t.Fatalf("sound is %v and picture %v beside the publisher's clock", sound, picture)
		}
		return true
	})
	until(t, "a round trip", func() bool { return b.node.down.find("a-cam").rtt.Load() > 0 })
}
