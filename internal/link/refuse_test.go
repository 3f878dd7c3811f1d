package link

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// hostile is a raw QUIC client with whatever key, name and TLS it likes.
type hostile struct {
	t    *testing.T
	conn *quic.Conn
	lane [lanes]*quic.Stream
}

// dialRaw dials target as key, letting edit spoil the TLS configuration.
func dialRaw(t *testing.T, target *party, key ident.Key, edit func(*tls.Config)) (*hostile, error) {
	t.Helper()
	cert, err := certificate(key)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{
		Certificates: []tls.Certificate{cert}, ServerName: serverName(target.root.Side()), NextProtos: []string{ALPN},
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768},
	}
	if edit != nil {
		edit(conf)
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	tr := &quic.Transport{Conn: udp}
	t.Cleanup(func() { _ = tr.Close(); _ = udp.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	to, err := net.ResolveUDPAddr("udp", target.addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tr.Dial(ctx, to, conf, &quic.Config{InitialPacketSize: 1200})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	return &hostile{t: t, conn: conn}, nil
}

// ended waits for the target to close the connection, and says with what.
func (h *hostile) ended() error {
	h.t.Helper()
	select {
	case <-h.conn.Context().Done():
		return context.Cause(h.conn.Context())
	case <-time.After(8 * time.Second):
		h.t.Fatal("not closed")
		return nil
	}
}

func (h *hostile) open() {
	h.t.Helper()
	for l := range lanes {
		s, err := h.conn.OpenStream()
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := s.Write([]byte{byte(l)}); err != nil {
			h.t.Fatal(err)
		}
		_ = s.SetDeadline(time.Now().Add(8 * time.Second))
		h.lane[l] = s
	}
}

func (h *hostile) say(f *linkpb.LinkFrame) {
	h.t.Helper()
	b, err := encodeFrame(f)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.lane[0].Write(b); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hostile) hear() *linkpb.LinkFrame {
	h.t.Helper()
	r := frameReader{r: h.lane[0]}
	f, err := r.next(func(int) error { return nil })
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// helloOf is what an honest party would say.
func helloOf(t *testing.T, p *party) *linkpb.LinkFrame {
	t.Helper()
	c := p.cfg
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	e := &Endpoint{cfg: c, side: p.root.Side()}
	e.nodeCert.Store(&c.NodeCert)
	return e.hello(time.Now())
}

// greet brings a raw client all the way up as p.
func (h *hostile) greet(p *party) {
	h.t.Helper()
	h.open()
	h.say(helloOf(h.t, p))
	if a := h.hear().GetHelloAck(); a == nil || a.Problem != "" {
		h.t.Fatalf("ack %v", a)
	}
	if h.hear().GetHello() == nil {
		h.t.Fatal("no hello")
	}
	h.say(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_HelloAck{HelloAck: &linkpb.LinkHelloAck{Protocol: 1}}})
}

func wantRefusal(t *testing.T, p *party, code problem.Code, pairs ...string) Refused {
	t.Helper()
	r := await[Refused](p, "refusal")
	if r.Problem.Code != code {
		t.Fatalf("refused with %v, want %s", r.Problem, code)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Problem.Params[pairs[i]] != pairs[i+1] {
			t.Fatalf("refused with %v, want %v", r.Problem, pairs)
		}
	}
	return r
}

func mustKey(t *testing.T) ident.Key {
	t.Helper()
	k, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestHandshakeRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(*tls.Config)
		own    bool // with the peer's real key
		before bool // refused before the client is done
		want   problem.Code
		reason string
	}{
		{"unknown key", nil, false, false, problem.LinkUnknownKey, "key"},
		{"unknown name", func(c *tls.Config) { c.ServerName = "parley.example" }, true, true, problem.LinkUnknownKey, "name"},
		{"no name", func(c *tls.Config) { c.ServerName = "" }, true, true, problem.LinkUnknownKey, "name"},
		{"classical only", func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} }, true, true, problem.ClassicalOnly, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := twoParties(t)
			b.start(a.peer(""))
			key := a.key
			if !c.own {
				key = mustKey(t)
			}
			shown := false
			h, err := dialRaw(t, b, key, func(conf *tls.Config) {
				conf.VerifyConnection = func(tls.ConnectionState) error { shown = true; return nil }
				if c.edit != nil {
					c.edit(conf)
				}
			})
			switch {
			case c.before && err == nil:
				t.Fatal("the handshake completed")
			case c.before && shown:
				t.Fatal("the certificate was shown")
			case !c.before:
				if err == nil {
					err = h.ended() // a client's Dial is not acceptance
				}
				var te *quic.TransportError
				if !errors.As(err, &te) {
					t.Fatalf("closed with %v", err)
				}
			}
			r := wantRefusal(t, b, c.want)
			if c.reason != "" && r.Problem.Params["reason"] != c.reason {
				t.Fatal(r.Problem)
			}
			if count[Up](b) != 0 {
				t.Fatal("up")
			}
		})
	}
}

func TestWrongALPN(t *testing.T) {
	a, b := twoParties(t)
	b.start(a.peer(""))
	if _, err := dialRaw(t, b, a.key, func(c *tls.Config) { c.NextProtos = []string{"parley-link/99"} }); err == nil {
		t.Fatal("accepted")
	}
}

// A client without the private key of the certificate it shows never completes a handshake.
func TestStolenCertificate(t *testing.T) {
	a, b := twoParties(t)
	b.start(a.peer(""))
	cert, err := certificate(a.key)
	if err != nil {
		t.Fatal(err)
	}
	h, err := dialRaw(t, b, a.key, func(c *tls.Config) {
		c.Certificates = []tls.Certificate{{Certificate: cert.Certificate, PrivateKey: mustKey(t).Signer()}}
	})
	if err == nil {
		_ = h.ended()
	}
	if count[Up](b) != 0 {
		t.Fatal("up")
	}
}

// The dialler meets a node with another key at the peer's address.
func TestDialMeetsUnknownKey(t *testing.T) {
	a, b := twoParties(t)
	b.start(a.peer(""))
	peer := b.peer(b.addr)
	peer.NodeKeys[0] = mustKey(t).Public()
	a.start(peer)
	wantRefusal(t, a, problem.LinkUnknownKey, "reason", "key")
	until(t, "status says why", func() bool { return a.e.Status(b.root.Side()).Problem == problem.LinkUnknownKey })
}

func TestHelloRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(t *testing.T, a, b *party, peer *Peer)
		want problem.Code
	}{
		{"swapped delegation key", func(t *testing.T, a, _ *party, _ *Peer) {
			other := newParty(t)
			a.cfg.Delegation, a.cfg.NodeCert = other.root.Public(), nodeCert(t, other.root, a.key.Public())
		}, problem.LinkSwappedKey},
		{"right root, certificate of another root", func(t *testing.T, a, _ *party, _ *Peer) {
			a.cfg.NodeCert = nodeCert(t, newParty(t).root, a.key.Public())
		}, problem.LinkUnknownKey},
		{"certificate of another node of the side", func(t *testing.T, a, _ *party, _ *Peer) {
			a.cfg.NodeCert = nodeCert(t, a.root, mustKey(t).Public())
		}, problem.LinkUnknownKey},
		{"not verified by hand", func(_ *testing.T, _, _ *party, peer *Peer) { peer.Verified = false }, problem.LinkNotVerified},
		{"wrong version", func(_ *testing.T, a, _ *party, _ *Peer) { a.cfg.ProtocolMin, a.cfg.ProtocolMax = 7, 9 }, problem.WrongVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := twoParties(t)
			peer := a.peer("")
			c.edit(t, a, b, &peer)
			b.start(peer)
			a.start(b.peer(b.addr))
			wantRefusal(t, b, c.want)
			if r := wantRefusal(t, a, c.want); !r.Theirs {
				t.Fatal("the dialler was not told")
			}
			if count[Up](a)+count[Up](b) != 0 {
				t.Fatal("up")
			}
			until(t, "status says why", func() bool { return a.e.Status(b.root.Side()).Problem == c.want })
		})
	}
}

// Nodes of neighbouring protocol versions agree on the highest that both speak.
func TestNeighbouringVersions(t *testing.T) {
	a, b := twoParties(t)
	a.cfg.ProtocolMin, a.cfg.ProtocolMax = 1, 1
	b.cfg.ProtocolMin, b.cfg.ProtocolMax = 1, 2
	b.start(a.peer(""))
	a.start(b.peer(b.addr))
	if u := await[Up](a, "up"); u.Protocol != 1 {
		t.Fatal(u.Protocol)
	}
	if u := await[Up](b, "up"); u.Protocol != 1 {
		t.Fatal(u.Protocol)
	}
}

func TestBadFrames(t *testing.T) {
	length := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	whole := func(f *linkpb.LinkFrame) []byte {
		b, err := encodeFrame(f)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name string
		lane lane
		b    []byte
	}{
		{"empty", laneUrgent, length(0)},
		{"oversized", laneUrgent, length(maxFrame + 1)},
		{"huge", laneBulk, length(1<<32 - 1)},
		{"not protobuf", laneOrder, append(length(3), 0xff, 0xff, 0xff)},
		{"greeting again", laneUrgent, whole(helloOf(t, newParty(t)))},
		{"entry on the urgent lane", laneUrgent, whole(entry(1, 10))},
		{"heartbeat on the bulk lane", laneBulk, whole(heartbeat(1))},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := twoParties(t)
			b.start(a.peer(""))
			h, err := dialRaw(t, b, a.key, nil)
			if err != nil {
				t.Fatal(err)
			}
			h.greet(a)
			await[Up](b, "up")
			if _, err := h.lane[c.lane].Write(c.b); err != nil {
				t.Fatal(err)
			}
			var ae *quic.ApplicationError
			if err := h.ended(); !errors.As(err, &ae) || ae.ErrorCode != codeMalformed {
				t.Fatalf("closed with %v", err)
			}
			if d := await[Down](b, "down"); d.Reason != ReasonMalformed {
				t.Fatal(d.Reason)
			}
		})
	}
}

func TestBadGreetings(t *testing.T) {
	for _, c := range []struct {
		name string
		say  func(h *hostile, a *party)
		want error
	}{
		{"a frame instead of HELLO", func(h *hostile, _ *party) { h.open(); h.say(heartbeat(1)) }, nil},
		{"wrong lane byte", func(h *hostile, _ *party) {
			s, err := h.conn.OpenStream()
			if err != nil {
				h.t.Fatal(err)
			}
			_, _ = s.Write([]byte{9})
		}, nil},
		{"oversized HELLO", func(h *hostile, a *party) {
			h.open()
			_, _ = h.lane[0].Write(binary.BigEndian.AppendUint32(nil, maxGreeting+1))
		}, nil},
		{"silence", func(h *hostile, _ *party) { h.open() }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := twoParties(t)
			b.start(a.peer(""))
			h, err := dialRaw(t, b, a.key, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.say(h, a)
			var ae *quic.ApplicationError
			if err := h.ended(); !errors.As(err, &ae) {
				t.Fatalf("closed with %v", err)
			}
			if count[Up](b) != 0 {
				t.Fatal("up")
			}
		})
	}
}

// More frames than allowed: out, with a reason, and kept out for a while.
func TestQuota(t *testing.T) {
	a, b := twoParties(t)
	b.start(a.peer(""))
	h, err := dialRaw(t, b, a.key, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.greet(a)
	await[Up](b, "up")
	one, err := encodeFrame(heartbeat(1))
	if err != nil {
		t.Fatal(err)
	}
	for range 4000 {
		if _, err := h.lane[0].Write(one); err != nil {
			break
		}
	}
	var ae *quic.ApplicationError
	// The close travels once; a flooder that loses it hears a reset from whoever has forgotten the carrier. What b says decides.
	var reset *quic.StatelessResetError
	if err := h.ended(); !errors.As(err, &reset) && (!errors.As(err, &ae) || ae.ErrorCode != codeQuota) {
		t.Fatalf("closed with %v", err)
	}
	wantRefusal(t, b, problem.TooMany)
	if d := await[Down](b, "down"); d.Reason != ReasonQuota {
		t.Fatal(d.Reason)
	}
	again, err := dialRaw(t, b, a.key, nil)
	if err == nil {
		err = again.ended()
	}
	if !errors.As(err, &ae) || ae.ErrorCode != codeQuota {
		t.Fatalf("let in again: %v", err)
	}
}

// A stranger who knows the name and lets handshakes hang does not keep the peer out.
func TestHangingHandshakes(t *testing.T) {
	a, b := twoParties(t)
	b.start(a.peer(""))
	cert, err := certificate(mustKey(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	to, err := net.ResolveUDPAddr("udp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	var attempts sync.WaitGroup
	t.Cleanup(attempts.Wait)
	for range 3 {
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		tr := &quic.Transport{Conn: udp}
		t.Cleanup(func() { cancel(); _ = tr.Close(); _ = udp.Close() })
		for range 20 {
			attempts.Go(func() {
				_, _ = tr.Dial(ctx, to, &tls.Config{
					Certificates: []tls.Certificate{cert}, ServerName: serverName(b.root.Side()), NextProtos: []string{ALPN},
					InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768},
					VerifyConnection: func(tls.ConnectionState) error { <-ctx.Done(); return ctx.Err() },
				}, &quic.Config{InitialPacketSize: 1200, HandshakeIdleTimeout: time.Minute})
			})
		}
	}
	until(t, "strangers fill their part", func() bool { return b.e.strangers.Load() >= retryAbove })
	until(t, "no more than their part", func() bool { return b.e.strangers.Load() <= maxStrangers })
	// The peer's address is known from before (here: told), so its handshakes have their own part.
	b.e.mu.Lock()
	b.e.meet(netip.MustParseAddr("127.0.0.2"))
	b.e.mu.Unlock()
	a.cfg.Listen = "127.0.0.2:0"
	a.start(b.peer(b.addr))
	await[Up](a, "up")
	await[Up](b, "up")
}
