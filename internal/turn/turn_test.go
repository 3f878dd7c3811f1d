package turn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testSecret = []byte("0123456789abcdef-test")

// media is a UDP port that answers what it gets.
func media(t *testing.T) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func serve(t *testing.T, m ...Media) *Server {
	t.Helper()
	s, err := New(Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Media: m, Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func dial(t *testing.T, s *Server, c Credential) *turn.Client {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: s.UDPAddr().String(), TURNServerAddr: s.UDPAddr().String(), Conn: conn,
		Username: c.Username, Password: c.Password, Realm: Realm, LoggerFactory: quietFactory{}, RTO: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); _ = conn.Close() })
	return client
}

func allocate(t *testing.T, s *Server, c Credential) (net.PacketConn, error) {
	t.Helper()
	relay, err := dial(t, s, c).Allocate()
	if err == nil {
		t.Cleanup(func() { _ = relay.Close() })
	}
	return relay, err
}

func exchange(relay net.PacketConn, to netip.AddrPort, wait time.Duration) (string, net.Addr, error) {
	if _, err := relay.WriteTo([]byte("ping"), net.UDPAddrFromAddrPort(to)); err != nil {
		return "", nil, err
	}
	_ = relay.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, 100)
	n, from, err := relay.ReadFrom(b)
	return string(b[:n]), from, err
}

func TestRelaysToTheMediaPortOnly(t *testing.T) {
	own, other := media(t), media(t)
	s := serve(t, Media{Told: own, Bound: own})
	relay, err := allocate(t, s, s.Credential(time.Now(), time.Hour, []byte("device")))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := exchange(relay, own, 3*time.Second); err != nil || got != "ping" {
		t.Fatalf("to the media port: %q %v", got, err)
	}
	if got, _, err := exchange(relay, other, 300*time.Millisecond); err == nil {
		t.Fatalf("another port of the node answered %q through the relay", got)
	}
	if _, _, err := exchange(relay, netip.MustParseAddrPort("192.0.2.1:53"), 300*time.Millisecond); err == nil {
		t.Fatal("another host was reached")
	}
	// Nobody but the media port reaches the client either.
	c, err := net.Dial("udp", relay.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("intruder"))
	if got, from, err := exchange(relay, own, 3*time.Second); err != nil || got != "ping" || from.String() != own.String() {
		t.Fatalf("%q from %v: %v", got, from, err)
	}
}

func TestToldAddressIsMappedToTheBoundOne(t *testing.T) {
	own := media(t)
	told := netip.MustParseAddrPort("203.0.113.7:50000")
	s := serve(t, Media{Told: told, Bound: own})
	relay, err := allocate(t, s, s.Credential(time.Now(), time.Hour, []byte("device")))
	if err != nil {
		t.Fatal(err)
	}
	if got, from, err := exchange(relay, told, 3*time.Second); err != nil || got != "ping" || from.String() != told.String() {
		t.Fatalf("%q from %v: %v", got, from, err)
	}
}

func TestCredentialsThatAreRefused(t *testing.T) {
	own := media(t)
	s := serve(t, Media{Told: own, Bound: own})
	now := time.Now()
	good := s.Credential(now, time.Hour, []byte("device"))
	longer := good
	longer.Username = fmt.Sprintf("%d:%s", now.Add(48*time.Hour).Unix(), strings.SplitN(good.Username, ":", 2)[1])
	for name, c := range map[string]Credential{
		"expired":        s.Credential(now.Add(-2*time.Hour), time.Hour, []byte("device")),
		"wrong password": {Username: good.Username, Password: "x"},
		"made longer":    longer,
		"no time":        {Username: "me", Password: good.Password},
		"huge":           {Username: strings.Repeat("9", 600) + ":a", Password: good.Password},
	} {
		if _, err := allocate(t, s, c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := allocate(t, s, good); err != nil {
		t.Fatal(err)
	}
}

func TestAnOpenRelayOutlivesItsCredential(t *testing.T) {
	s := secret{key: testSecret}
	srv := &Server{secret: s}
	now := time.Now()
	c := srv.Credential(now, time.Hour, []byte("device"))
	for _, x := range []struct {
		method stun.Method
		after  time.Duration
		want   bool
	}{
		{stun.MethodAllocate, 59 * time.Minute, true}, {stun.MethodAllocate, 61 * time.Minute, false},
		{stun.MethodRefresh, 61 * time.Minute, true}, {stun.MethodChannelBind, 61 * time.Minute, true}, {stun.MethodRefresh, 26 * time.Hour, false},
	} {
		_, _, ok := s.check(&turn.RequestAttributes{Username: c.Username, Realm: Realm, Method: x.method}, now.Add(x.after))
		if ok != x.want {
			t.Errorf("%v after %v: %v", x.method, x.after, ok)
		}
	}
}

func TestQuotas(t *testing.T) {
	own := media(t)
	s := serve(t, Media{Told: own, Bound: own})
	c := s.Credential(time.Now(), time.Hour, []byte("device"))
	for i := range maxPerUser {
		if i%8 == 7 { // the device opens a socket anew, and is given another credential
			c = s.Credential(time.Now().Add(time.Duration(i)*time.Second), time.Hour, []byte("device"))
		}
		if _, err := allocate(t, s, c); err != nil {
			t.Fatalf("relay %d: %v", i, err)
		}
	}
	if _, err := allocate(t, s, s.Credential(time.Now().Add(time.Minute), time.Hour, []byte("device"))); err == nil {
		t.Fatal("one relay too many, for a new credential")
	}
	if strings.Contains(c.Username, fmt.Sprintf("%x", "device")) {
		t.Fatal("the user name tells the device")
	}
	if _, err := allocate(t, s, s.Credential(time.Now(), time.Hour, []byte("another device"))); err != nil {
		t.Fatalf("another participant suffers: %v", err)
	}
	if s.Allocations() != maxPerUser+1 {
		t.Fatal(s.Allocations())
	}
	q := newQuota()
	q.all = maxRelays
	if q.allows("x") {
		t.Fatal("no bound over all users")
	}
}

func TestStreamsOverTheLimitAreClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lim := limit(l, 2)
	accepted := make(chan net.Conn, 8)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := lim.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	var conns []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	_ = conns[2].SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conns[2].Read(make([]byte, 1)); err == nil {
		t.Fatal("the third was kept")
	}
	a, b := <-accepted, <-accepted
	_ = a.Close()
	_ = a.Close()
	again, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = (<-accepted).Close()
	_ = b.Close()
	for _, c := range append(conns, again) {
		_ = c.Close()
	}
	_ = l.Close()
	<-done
}

func TestAddressesThatCannotBeUsedAreNamed(t *testing.T) {
	own := media(t)
	m := []Media{{Told: own, Bound: own}}
	for _, c := range []Config{
		{UDP: own.String(), Media: m, Secret: testSecret},
		{TLS: "127.0.0.1:0", Media: m, Secret: testSecret},
		{Media: m, Secret: testSecret}, {UDP: "127.0.0.1:0", Secret: testSecret}, {UDP: "127.0.0.1:0", Media: m},
	} {
		if s, err := New(c); err == nil {
			_ = s.Close()
			t.Error("accepted")
		} else {
			t.Log(err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := &Server{secret: secret{key: testSecret}}
	c := s.Credential(time.Now(), time.Hour, []byte("device"))
	var out bytes.Buffer
	for _, v := range []any{c, &c, s.secret} {
		fmt.Fprintf(&out, "%v %+v %#v %s", v, v, v, v)
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	for _, bad := range []string{c.Password, string(testSecret), fmt.Sprint([]byte(testSecret)), "0x30, 0x31"} {
		if strings.Contains(out.String(), bad) {
			t.Fatalf("printed: %s", out.String())
		}
	}
}

func FuzzExpiry(f *testing.F) {
	f.Add("1900000000:abcd")
	f.Add(":")
	f.Add("-1:x")
	f.Fuzz(func(_ *testing.T, user string) { expiry(user) })
}
