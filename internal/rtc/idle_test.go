package rtc

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// Somebody leaves and another comes, three times: sections stand unused over several offers before they are used again.
func TestEverythingGoesAndComesBack(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	b := r.join("b", ClientConfig{})
	for i := range 3 {
		a := r.join("a", ClientConfig{})
		mic := a.source(t, "mic"+string(rune('0'+i)), webrtc.MimeTypeOpus, 100)
		cam := a.source(t, "cam"+string(rune('0'+i)), webrtc.MimeTypeVP8, 3000)
		a.publish(false)
		s1, s2 := mic.run(20*time.Millisecond), cam.run(30*time.Millisecond)
		until(t, "mic", func() bool { return mic.check(t, b.got(mic.track.ID())) > 5 })
		until(t, "cam", func() bool { return cam.check(t, b.got(cam.track.ID())) > 5 })
		s1()
		s2()
		a.leave()
		until(t, "taken off", func() bool { return b.node.DownCounters(mic.track.ID()) == nil })
	}
}
