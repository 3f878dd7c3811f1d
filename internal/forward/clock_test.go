package forward

import (
	"testing"
	"time"
)

func TestClockStaysOnItsLine(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	for _, rate := range []uint32{48000, 90000} {
		c := Clock{NTP: 42<<32 | 1<<31, Timestamp: 1<<32 - 1000, At: at}
		for _, d := range []time.Duration{0, time.Millisecond, 999 * time.Millisecond, 61 * time.Second, 36 * time.Hour} {
			on := c.On(at.Add(d), rate)
			seconds := float64(on.NTP-c.NTP) / (1 << 32)
			if diff := seconds - d.Seconds(); diff > 1e-6 || diff < -1e-6 {
				t.Errorf("%v: wall clock moved %f s", d, seconds)
			}
			if want := uint32(uint64(d.Seconds()*float64(rate) + 0.5)); on.Timestamp-c.Timestamp-want+1 > 2 {
				t.Errorf("%v at %d Hz: timestamp moved %d, not %d", d, rate, on.Timestamp-c.Timestamp, want)
			}
		}
		if back := c.On(at.Add(-time.Second), rate); back != c {
			t.Error("a clock that is ahead of now moved back")
		}
	}
}

func TestStreamIsTheTrackUntilNamed(t *testing.T) {
	u := NewUpTrack("one", Audio, Codec{}, nil)
	if _, ok := u.Clock(); ok || u.Stream() != "one" {
		t.Fatal(u.Stream())
	}
	u.SetStream("person")
	if u.Stream() != "person" {
		t.Fatal(u.Stream())
	}
}
