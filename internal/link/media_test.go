package link

import (
	"fmt"
	"testing"
	"time"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/wire/linkpb"
)

func TestMediaLossIsMended(t *testing.T) {
	for _, loss := range []float64{0, 0.05, 0.10} {
		t.Run(fmt.Sprintf("%.0f%%", loss*100), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const size, packets, rate = 1100, 20000, 500
				n := newNetwork(4, 25*time.Millisecond)
				a, b, _, _ := simPair(t, n, 0)
				src := newSource("camera")
				down, _, out := trackOver(t, a, b, src, size)
				n.set(loss)
				for range packets {
					src.send(size)
					time.Sleep(time.Second / rate)
				}
				time.Sleep(2 * time.Second)
				n.set(0)
				out.mu.Lock()
				in150 := 0
				for _, late := range out.got {
					if late <= 25*time.Millisecond+150*time.Millisecond {
						in150++
					}
				}
				arrived := float64(len(out.got)) / packets
				soon := float64(in150) / packets
				out.mu.Unlock()
				resent := down.Track().Counters().Get(forward.Resent)
				t.Logf("loss %.0f%%: arrived %.4f, within 150 ms of the base delay %.4f, resent %.3f of sent, over budget %d",
					loss*100, arrived, soon, float64(resent)/packets, down.Track().Counters().Get(forward.OverBudget))
				if arrived < 0.999 || soon < 0.98 {
					t.Errorf("arrived %.4f, within 150 ms %.4f", arrived, soon)
				}
				if float64(resent)/packets > 2*loss+0.01 {
					t.Errorf("resent %.3f of what was sent", float64(resent)/packets)
				}
				fraction, lost, _ := down.Quality()
				if loss > 0 && lost == 0 {
					t.Errorf("no loss reported: %f %d", fraction, lost)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// Within 30 s a peer that did not restart finds its tracks as they were; a restarted one is subscribed to anew, and its tracks are other
// sources.
func TestTracksComeBack(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart %t", restart), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const size = 200
				n := newNetwork(6, 20*time.Millisecond)
				a, b, sa, _ := simPair(t, n, 0)
				src := newSource("camera")
				_, stream, out := trackOver(t, a, b, src, size)
				old := stream.Track()
				for range 100 {
					src.send(size)
				}
				time.Sleep(100 * time.Millisecond) // in flight
				if restart {
					reborn := n.kill(sa)
					a.stop()
					a.cfg.Socket, a.cfg.Boot = reborn, 2
					a.start(b.peer(b.addr))
					await[Up](a, "up")
					f := awaitWhere(a, "subscription by itself", func(f Frame) bool { return f.Frame.GetSubscribe() != nil })
					if _, err := a.e.Media(b.root.Side()).OpenDown(f.Frame.GetSubscribe().Scope, "camera", src.up); err != nil {
						t.Fatal(err)
					}
					await[Up](b, "up")
					// The source begins anew, so its receivers get it as another one.
					if again := await[Opened](b, "opened anew").Stream; again != stream || !old.Closed() {
						t.Fatalf("another stream %t, old source closed %t", again != stream, old.Closed())
					}
					if _, err := stream.Track().Subscribe(time.Now(), forward.Outgoing{SSRC: 6, First: 7}, forward.NewBudget(), out); err != nil {
						t.Fatal(err)
					}
				} else {
					n.set(1)
					await[Down](b, "down")
					await[Down](a, "down")
					n.set(0)
					await[Up](a, "up")
					await[Up](b, "up")
				}
				time.Sleep(time.Second)
				out.mu.Lock()
				before := len(out.got)
				out.mu.Unlock()
				for range 100 {
					src.send(size)
					time.Sleep(10 * time.Millisecond)
				}
				time.Sleep(time.Second)
				out.mu.Lock()
				if got := len(out.got) - before; got != 100 {
					t.Errorf("%d of 100 packets", got)
				}
				out.mu.Unlock()
				if !restart && stream.Track() != old {
					t.Error("another source")
				}
				a.stop()
				b.stop()
			})
		})
	}
}

func TestKeyFrameRequestsCoalesce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(7, 10*time.Millisecond)
		a, b, _, _ := simPair(t, n, 0)
		src := newSource("camera")
		_, up, _ := trackOver(t, a, b, src, 100)
		time.Sleep(2 * time.Second)
		src.asks.Store(0)
		for range 450 { // 4.5 s of a receiver with a wrong key
			up.Track().RequestKeyFrame(time.Now())
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if asks := src.asks.Load(); asks < 9 || asks > 11 {
			t.Errorf("%d requests reached the source", asks)
		}
		a.stop()
		b.stop()
	})
}

func TestUnsubscribeEndsTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(8, 10*time.Millisecond)
		a, b, _, _ := simPair(t, n, 0)
		src := newSource("camera")
		_, up, _ := trackOver(t, a, b, src, 100)
		if src.up.Subscribers() != 1 {
			t.Fatal(src.up.Subscribers())
		}
		up.Close()
		awaitWhere(a, "unsubscription", func(f Frame) bool { return f.Frame.GetUnsubscribe() != nil })
		if src.up.Subscribers() != 0 {
			t.Error("still subscribed")
		}
		if !up.Track().Closed() {
			t.Error("the source is open")
		}
		// What nobody asked for opens nothing.
		if err := a.e.Send(b.root.Side(), &linkpb.LinkFrame{Body: &linkpb.LinkFrame_TrackOpen{TrackOpen: &linkpb.TrackOpen{
			Scope: testScope, Track: "camera", Ssrc: 9, RtxSsrc: 10, Codec: "vp9", ClockRate: 90000, FirstIndex: 1, FirstRtxIndex: 1,
		}}}); err != nil {
			t.Fatal(err)
		}
		awaitWhere(a, "unsubscription", func(f Frame) bool { return f.Frame.GetUnsubscribe() != nil })
		a.stop()
		b.stop()
	})
}
