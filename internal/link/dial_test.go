package link

import (
	"fmt"
	"testing"
	"time"
)

// simPair starts two parties in a simulated network; both dial.
func simPair(t *testing.T, n *network, rekey time.Duration) (a, b *party, sa, sb *simSocket) {
	a, b = twoParties(t)
	sa, sb = n.socket(), n.socket()
	a.cfg.Socket, b.cfg.Socket, a.cfg.Rekey, b.cfg.Rekey = sa, sb, rekey, rekey
	b.start(a.peer(sa.addr.String()))
	a.start(b.peer(sb.addr.String()))
	await[Up](a, "up")
	await[Up](b, "up")
	return a, b, sa, sb
}

// A node that is killed and comes back is noticed by a stateless reset with the next packet, not by the idle timeout.
func TestKilledNodeIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(1, 10*time.Millisecond)
		a, b, _, sb := simPair(t, n, 0)
		reborn := n.kill(sb)
		b.stop() // the dead process says nothing any more; this only ends its goroutines
		killed := time.Now()
		b.cfg.Socket, b.cfg.Boot = reborn, 2
		b.start() // back, but dials nobody: only the reset can tell
		if err := a.e.Send(b.root.Side(), heartbeat(1)); err != nil {
			t.Fatal(err)
		}
		d := await[Down](a, "down")
		if took := time.Since(killed); d.Reason != ReasonReset || took > time.Second {
			t.Fatalf("%s after %v", d.Reason, took)
		}
		if err := b.e.SetPeers([]Peer{a.peer("")}); err != nil {
			t.Fatal(err)
		}
		if u := await[Up](a, "up again"); u.Boot != 2 {
			t.Fatal(u.Boot)
		}
		a.stop()
		b.stop()
	})
}

// A node that does not come back is noticed by silence.
func TestSilenceIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(2, 10*time.Millisecond)
		a, b, _, _ := simPair(t, n, 0)
		n.set(1)
		cut := time.Now()
		if d := await[Down](a, "down"); d.Reason != ReasonIdle || time.Since(cut) > 6*time.Second {
			t.Fatalf("%s after %v", d.Reason, time.Since(cut))
		}
		a.e.SetBusy(b.root.Side(), true)
		time.Sleep(time.Minute)
		n.set(0)
		back := time.Now()
		await[Up](a, "up again")
		// A dial under way when the path comes back must first fail (1.5 s); the next begins within a second.
		if took := time.Since(back); took > 3*time.Second {
			t.Fatalf("back after %v", took)
		}
		a.stop()
		b.stop()
	})
}

// A peer that restarts and dials before anybody noticed: down and up, with the reason.
func TestRestartedPeer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(3, 10*time.Millisecond)
		a, b, _, sb := simPair(t, n, 0)
		reborn := n.kill(sb)
		b.stop()
		b.cfg.Socket, b.cfg.Boot = reborn, 2
		b.start(a.peer(a.addr))
		if d := await[Down](a, "down"); d.Reason != ReasonRestarted && d.Reason != ReasonReset {
			t.Fatal(d.Reason)
		}
		if u := await[Up](a, "up"); u.Boot != 2 {
			t.Fatal(u.Boot)
		}
		a.stop()
		b.stop()
	})
}

// Both nodes dial, at any offset, over a path that loses packets: the link comes up, ends with the lower id's carrier, and does
// not flap. The seed is in the name.
func TestDialsMeet(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newNetwork(seed, time.Duration(1+seed%5*20)*time.Millisecond)
				n.set(float64(seed%4) * 0.05)
				a, b := twoParties(t)
				sa, sb := n.socket(), n.socket()
				a.cfg.Socket, b.cfg.Socket = sa, sb
				offset := time.Duration(int64(seed)-20) * 10 * time.Millisecond
				if offset < 0 {
					a.start(b.peer(sb.addr.String()))
					time.Sleep(-offset)
					b.start(a.peer(sa.addr.String()))
				} else {
					b.start(a.peer(sa.addr.String()))
					time.Sleep(offset)
					a.start(b.peer(sb.addr.String()))
				}
				// What is sent the moment the link is up arrives, also where the carrier it went out on is the one that does not stay.
				for _, p := range []struct{ own, peer *party }{{a, b}, {b, a}} {
					await[Up](p.own, "up")
					if _, err := p.own.e.Media(p.peer.root.Side()).Subscribe(testScope, "camera", 0); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(10 * time.Second)
				n.set(0)
				for _, p := range []*party{a, b} {
					awaitWhere(p, "subscription", func(f Frame) bool { return f.Frame.GetSubscribe() != nil })
				}
				time.Sleep(time.Second)
				sta, stb := a.e.Status(b.root.Side()), b.e.Status(a.root.Side())
				if sta.State != StateUp || stb.State != StateUp || sta.Dialled == stb.Dialled {
					t.Errorf("ended as %+v and %+v", sta, stb)
				}
				for i := range uint64(20) {
					if a.e.Send(b.root.Side(), heartbeat(i)) != nil || b.e.Send(a.root.Side(), entry(i, 1000)) != nil {
						t.Fatal("not sent")
					}
				}
				for i := range uint64(20) {
					if f := awaitWhere(b, "heartbeat", func(f Frame) bool { return f.Frame.GetHeartbeat() != nil }).Frame.GetHeartbeat(); f.GetSequence() != i {
						t.Fatalf("heartbeat %d came as %d", i, f.GetSequence())
					}
					awaitWhere(a, "entry", func(f Frame) bool { return f.Frame.GetSubscribe() == nil })
				}
				if d := count[Down](a) + count[Down](b); d != 0 {
					t.Errorf("down %d times", d)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// The dialling node's NAT gives it another address: QUIC validates the new path, media follows within seconds, nobody goes down.
func TestPeerMoves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork(9, 20*time.Millisecond)
		a, b := twoParties(t)
		sa, sb := n.socket(), n.socket()
		a.cfg.Socket, b.cfg.Socket = sa, sb
		b.start(a.peer(""))
		a.start(b.peer(sb.addr.String()))
		await[Up](a, "up")
		await[Up](b, "up")
		srcA, srcB := newSource("a2"), newSource("b2")
		_, _, outB := trackOver(t, a, b, srcA, 200)
		_, _, outA := trackOver(t, b, a, srcB, 200)
		n.move(sa)
		time.Sleep(3 * time.Second)
		if err := a.e.Send(b.root.Side(), heartbeat(1)); err != nil {
			t.Fatal(err)
		}
		awaitWhere(b, "heartbeat", func(f Frame) bool { return f.Frame.GetHeartbeat() != nil })
		time.Sleep(2 * time.Second)
		for range 100 {
			srcA.send(200)
			srcB.send(200)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		for _, o := range []*sink{outA, outB} {
			o.mu.Lock()
			if len(o.got) != 100 {
				t.Errorf("%d of 100", len(o.got))
			}
			o.mu.Unlock()
		}
		if d := count[Down](a) + count[Down](b); d != 0 {
			t.Errorf("down %d times", d)
		}
		a.stop()
		b.stop()
	})
}
