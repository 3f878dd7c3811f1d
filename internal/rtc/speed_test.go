package rtc

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// How long from an offer in hand to the first whole frame at another person.
func TestTimeToFirstFrame(t *testing.T) {
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	other := b.source(t, "b-mic", webrtc.MimeTypeOpus, 100)
	b.publish(false)
	t.Cleanup(other.run(20 * time.Millisecond))
	mic := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	start := time.Now()
	a.publish(false)
	t.Cleanup(mic.run(5 * time.Millisecond))
	until(t, "connected", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.states[Up] == "connected" })
	up := time.Since(start)
	until(t, "first frame", func() bool { return len(b.got("mic")) > 0 })
	t.Logf("up connected after %v, first frame at the other after %v", up, time.Since(start))
}

// Latency from a client through the node to another client, both ends and the node on one machine.
func TestLatency(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement")
	}
	r := newRoom(t, Config{UDP: "127.0.0.1:0"})
	a, b := r.join("a", ClientConfig{}), r.join("b", ClientConfig{})
	mic := a.source(t, "mic", webrtc.MimeTypeOpus, 100)
	a.publish(false)
	until(t, "first frame", func() bool { mic.send(); return len(b.got("mic")) > 0 })
	b.mu.Lock()
	b.frames = map[string][]Frame{}
	b.mu.Unlock()
	sent := map[uint32]time.Time{}
	for range 500 {
		mic.send()
		sent[mic.next] = time.Now()
		time.Sleep(2 * time.Millisecond)
	}
	until(t, "all", func() bool { return len(b.got("mic")) >= 500 })
	var late []time.Duration
	for _, f := range b.got("mic") {
		if at, ok := sent[f.Timestamp]; ok {
			late = append(late, f.Whole.Sub(at))
		}
	}
	slices.Sort(late)
	t.Logf("client to node to client: p50 %v p99 %v of %d", late[len(late)/2], late[len(late)*99/100], len(late))
}
