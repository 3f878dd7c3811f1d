package link

import (
	"errors"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair starts two parties over loopback; the first dials.
func pair(t testing.TB) (a, b *party) {
	a, b = twoParties(t)
	b.start(a.peer(""))
	a.start(b.peer(b.addr))
	await[Up](a, "up at the dialler")
	await[Up](b, "up at the acceptor")
	return a, b
}

func TestUpAndExchange(t *testing.T) {
	a, b := pair(t)
	for n := range uint64(200) {
		for _, p := range []struct{ from, to *party }{{a, b}, {b, a}} {
			if err := p.from.e.Send(p.to.root.Side(), entry(n, 1+int(n)*50+3)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 200 {
		for _, p := range []*party{a, b} {
			f := await[Frame](p, "entry")
			if got := f.Frame.GetEntry().GetEntry(); int(got[2])<<8|int(got[3]) != n {
				t.Fatalf("entry %d came as %d", n, int(got[2])<<8|int(got[3]))
			}
		}
	}
	s := a.e.Status(b.root.Side())
	if s.State != StateUp || s.RTT <= 0 || s.How == "" || !s.Dialled || s.Carriers != 1 {
		t.Fatalf("status %+v", s)
	}
	if err := a.e.Send(a.root.Side(), heartbeat(1)); !errors.Is(err, ErrDown) {
		t.Fatalf("frame to nobody: %v", err)
	}
	a.stop()
	if d := await[Down](b, "down"); d.Reason != ReasonBye {
		t.Fatalf("reason %s", d.Reason)
	}
}

func TestLargestFrameDoesNotHoldUpHeartbeats(t *testing.T) {
	a, b := pair(t)
	for n := range uint64(4) {
		if err := a.e.Send(b.root.Side(), entry(n, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.e.Send(b.root.Side(), entry(9, maxFrame)); !errors.Is(err, ErrFrameTooLarge) {
		t.Fatalf("oversized: %v", err)
	}
	if err := a.e.Send(b.root.Side(), heartbeat(7)); err != nil {
		t.Fatal(err)
	}
	entries := 0
	for range 5 {
		f := await[Frame](b, "frame")
		if f.Frame.GetHeartbeat() != nil {
			if entries == 4 {
				t.Fatal("the heartbeat came last")
			}
			continue
		}
		entries++
	}
}

func TestBothDial(t *testing.T) {
	for range 5 {
		a, b := twoParties(t)
		a.start()
		b.start()
		if err := a.e.SetPeers([]Peer{b.peer(b.addr)}); err != nil {
			t.Fatal(err)
		}
		if err := b.e.SetPeers([]Peer{a.peer(a.addr)}); err != nil {
			t.Fatal(err)
		}
		await[Up](a, "up")
		await[Up](b, "up")
		until(t, "one carrier, dialled by the lower id", func() bool {
			sa, sb := a.e.Status(b.root.Side()), b.e.Status(a.root.Side())
			return sa.State == StateUp && sb.State == StateUp && sa.Dialled && !sb.Dialled
		})
		for n := range uint64(3) {
			if err := a.e.Send(b.root.Side(), heartbeat(n)); err != nil {
				t.Fatal(err)
			}
			await[Frame](b, "heartbeat")
		}
		if count[Down](a)+count[Down](b) != 0 {
			t.Fatal("the link went down while two dials met")
		}
		a.stop()
		b.stop()
	}
}

func TestRekeyKeepsFrames(t *testing.T) {
	a, b := twoParties(t)
	b.start(a.peer(""))
	a.cfg.Rekey = 300 * time.Millisecond
	a.start(b.peer(b.addr))
	await[Up](a, "up")
	await[Up](b, "up")
	const frames = 400
	for n := range uint64(frames) {
		for _, p := range []struct{ from, to *party }{{a, b}, {b, a}} {
			if err := p.from.e.Send(p.to.root.Side(), entry(n, 200)); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range []*party{a, b} {
			got := await[Frame](p, "entry").Frame.GetEntry().GetEntry()
			if uint64(got[2])<<8|uint64(got[3]) != n {
				t.Fatalf("entry %d came as %v", n, got[:4])
			}
		}
		time.Sleep(3 * time.Millisecond) // spreads the frames over several re-keys; nothing is concluded from it
	}
	if s := a.e.Status(b.root.Side()); s.Carriers < 3 {
		t.Fatalf("%d carriers", s.Carriers)
	}
	if count[Down](a)+count[Down](b) != 0 {
		t.Fatal("down during re-key")
	}
}

func TestRemovedPeerGoesDown(t *testing.T) {
	a, b := pair(t)
	if err := a.e.SetPeers(nil); err != nil {
		t.Fatal(err)
	}
	if d := await[Down](a, "down"); d.Reason != ReasonRemoved {
		t.Fatal(d.Reason)
	}
	if d := await[Down](b, "down"); d.Reason != ReasonNotWanted {
		t.Fatal(d.Reason)
	}
}

func TestUnverifiedAfterUpGoesDown(t *testing.T) {
	a, b := pair(t)
	peer := a.peer("")
	peer.Verified = false
	if err := b.e.SetPeers([]Peer{peer}); err != nil {
		t.Fatal(err)
	}
	await[Down](a, "down")
	r := awaitWhere(a, "refusal", func(r Refused) bool { return r.Theirs })
	if r.Problem.Code != problem.LinkNotVerified {
		t.Fatal(r.Problem)
	}
	if s := b.e.Status(a.root.Side()); s.State != StateNotVerified {
		t.Fatal(s.State)
	}
}

// A port on all addresses of both families sees IPv4 peers as mapped IPv6 ones; media must still find its peer.
func TestDualStackPort(t *testing.T) {
	a, b := twoParties(t)
	a.cfg.Listen, b.cfg.Listen = ":0", ":0"
	b.start(a.peer(""))
	_, port, err := net.SplitHostPort(b.addr)
	if err != nil {
		t.Fatal(err)
	}
	a.start(b.peer("127.0.0.1:" + port))
	await[Up](a, "up")
	await[Up](b, "up")
	src := newSource("camera")
	_, _, out := trackOver(t, a, b, src, 100)
	for range 50 {
		src.send(100)
	}
	until(t, "fifty packets", func() bool { out.mu.Lock(); defer out.mu.Unlock(); return len(out.got) == 50 })
}

func TestPortBusy(t *testing.T) {
	a, b := twoParties(t)
	a.start()
	b.cfg.Listen = a.addr
	if _, err := New(b.cfg); problem.CodeOf(err) != problem.PortBusy {
		t.Fatal(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"no key":    func(c *Config) { c.Key = ident.Key{} },
		"no secret": func(c *Config) { c.Secret = Secret{} },
		"no boot":   func(c *Config) { c.Boot = 0 },
		"no port":   func(c *Config) { c.Listen = "nowhere" },
	} {
		p := newParty(t)
		spoil(&p.cfg)
		if _, err := New(p.cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, b := twoParties(t)
	a.start()
	wrong := b.peer("")
	wrong.Side[0] ^= 1
	if err := a.e.SetPeers([]Peer{wrong}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	if err := a.e.SetPeers([]Peer{b.peer(""), b.peer("")}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	if err := a.e.SetPeers([]Peer{a.peer("")}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

// What a side says of itself reaches the peer with Up; more than the bound is refused, not cut.
func TestIntroduction(t *testing.T) {
	for _, c := range []struct {
		size int
		ok   bool
	}{{0, true}, {MaxIntroduction, true}, {MaxIntroduction + 1, false}} {
		a, b := twoParties(t)
		a.cfg.Introduction = func() []byte { return make([]byte, c.size) }
		b.start(a.peer(""))
		a.start(b.peer(b.addr))
		if !c.ok {
			wantRefusal(t, b, problem.TooLarge)
			continue
		}
		if u := await[Up](b, "up"); len(u.Introduction) != c.size {
			t.Errorf("%d bytes of %d", len(u.Introduction), c.size)
		}
	}
}
