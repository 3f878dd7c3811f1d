package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"parley.link/parley/internal/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var bundle = fstest.MapFS{
	".keep":                {Data: []byte{}},
	"index.html":           {Data: []byte("<!doctype html>client")},
	"assets/main-abc.js":   {Data: []byte("export {}")},
	"assets/style-abc.css": {Data: []byte("a{}")},
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Client == nil {
		c, err := NewClient(bundle)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Client = c
	}
	if cfg.Accept == nil {
		cfg.Accept = func(ctx context.Context, s *Socket) { <-ctx.Done() }
	}
	cfg.Listen, cfg.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(b)
}

func TestClientAndHeaders(t *testing.T) {
	s := start(t, Config{})
	base := "http://" + s.Addr().String()
	for _, tt := range []struct {
		path, cache, body string
		status            int
	}{
		{"/", "no-store", "client", 200},
		{"/session/abc", "no-store", "client", 200},
		{"/assets/main-abc.js", "public, max-age=31536000, immutable", "export", 200},
		{"/assets/other.js", "no-store", "Not here", 404},
		{"/.keep", "no-store", "Not here", 404},
		{"/../../etc/passwd", "no-store", "client", 200},
	} {
		r, body := get(t, http.DefaultClient, base+tt.path)
		if r.StatusCode != tt.status || r.Header.Get("Cache-Control") != tt.cache || !strings.Contains(body, tt.body) {
			t.Errorf("%s: %d %q %q", tt.path, r.StatusCode, r.Header.Get("Cache-Control"), body)
		}
		for _, kv := range always {
			if r.Header.Get(kv[0]) != kv[1] {
				t.Errorf("%s lacks %s", tt.path, kv[0])
			}
		}
	}
}

func TestMissingBundleSaysWhatToDo(t *testing.T) {
	c, err := NewClient(fstest.MapFS{".keep": {}})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Client: c})
	r, body := get(t, http.DefaultClient, "http://"+s.Addr().String()+"/")
	if r.StatusCode != 503 || !strings.Contains(body, "Run “make”") || c.Bundle() != "" {
		t.Fatalf("%d %q", r.StatusCode, body)
	}
}

func TestBundleHashDependsOnEveryByteAndName(t *testing.T) {
	a, _ := NewClient(bundle)
	b, _ := NewClient(fstest.MapFS{"index.html": bundle["index.html"], "assets/main-abd.js": bundle["assets/main-abc.js"], "assets/style-abc.css": bundle["assets/style-abc.css"]})
	if a.Bundle() == b.Bundle() || len(a.Bundle()) != 64 {
		t.Fatal(a.Bundle(), b.Bundle())
	}
}

func TestTLSFloor(t *testing.T) {
	cert, err := SelfSigned(t.TempDir(), []string{"localhost", "127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{TLS: TLS(cert)})
	client := func(curve tls.CurveID) *http.Client {
		tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{curve}}}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	if r, _ := get(t, client(tls.X25519MLKEM768), "https://"+s.Addr().String()+"/"); r.StatusCode != 200 || r.Header.Get("Strict-Transport-Security") == "" {
		t.Fatalf("hybrid: %d", r.StatusCode)
	}
	if r, body := get(t, client(tls.X25519), "https://"+s.Addr().String()+"/"); r.StatusCode != http.StatusUpgradeRequired || !strings.Contains(body, "too old") {
		t.Fatalf("classical: %d %s", r.StatusCode, body)
	}
}

func TestSelfSignedIsKept(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	a, err := SelfSigned(dir, []string{"localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := SelfSigned(dir, []string{"localhost"}, now)
	if err != nil || Fingerprint(a) != Fingerprint(b) {
		t.Fatal("made anew", err)
	}
	for name, at := range map[string]time.Time{"other.example": now, "localhost": now.Add(380 * 24 * time.Hour)} {
		if c, err := SelfSigned(dir, []string{name}, at); err != nil || Fingerprint(c) == Fingerprint(a) {
			t.Fatal("kept although it does not fit", err)
		}
	}
}

func TestPortBusy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Listen(Config{Listen: l.Addr().String(), Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatal(err)
	}
}

func dial(t *testing.T, s *Server, origin string) (*websocket.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	c, r, err := websocket.Dial(ctx, "ws://"+s.Addr().String()+"/ws", &websocket.DialOptions{HTTPHeader: h})
	if r != nil && r.Body != nil {
		r.Body.Close()
	}
	if c != nil {
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, err
}

func TestForeignOriginRefused(t *testing.T) {
	s := start(t, Config{})
	if _, err := dial(t, s, "https://evil.example"); err == nil {
		t.Fatal("a foreign page was let in")
	}
	if _, err := dial(t, s, "http://"+s.Addr().String()); err != nil {
		t.Fatal(err)
	}
}

// echo answers every message and ends with the socket.
func echo(ended chan<- error) func(context.Context, *Socket) {
	return func(ctx context.Context, s *Socket) {
		defer func() { ended <- s.Err() }()
		for {
			select {
			case b, ok := <-s.Messages():
				if !ok {
					return
				}
				s.Send(b)
			case <-ctx.Done():
				s.Send([]byte("bye"))
				return
			}
		}
	}
}

func TestEchoAndLastWords(t *testing.T) {
	ended := make(chan error, 1)
	s := start(t, Config{Accept: echo(ended)})
	c, err := dial(t, s, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(ctx); err != nil || string(b) != "hello" {
		t.Fatal(string(b), err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(ctx) }()
	if _, b, err := c.Read(ctx); err != nil || string(b) != "bye" {
		t.Fatalf("the last words did not arrive: %q %v", b, err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

func TestBadInputEndsTheSocket(t *testing.T) {
	for name, send := range map[string]func(context.Context, *websocket.Conn){
		"text": func(ctx context.Context, c *websocket.Conn) { _ = c.Write(ctx, websocket.MessageText, []byte("x")) },
		"oversized": func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageBinary, make([]byte, MaxMessage+1))
		},
		"flood": func(ctx context.Context, c *websocket.Conn) {
			for range 5 * messagesPerSec * 2 {
				if c.Write(ctx, websocket.MessageBinary, []byte("x")) != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			s := start(t, Config{Accept: echo(ended)})
			c, err := dial(t, s, "")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			go func() {
				for {
					if _, _, err := c.Read(ctx); err != nil {
						return
					}
				}
			}()
			send(ctx, c)
			select {
			case err := <-ended:
				if err == nil {
					t.Fatal("no reason")
				}
			case <-ctx.Done():
				t.Fatal("the socket lives")
			}
		})
	}
}

func TestSlowReaderIsDisconnected(t *testing.T) {
	ended := make(chan error, 1)
	s := start(t, Config{Accept: func(ctx context.Context, s *Socket) {
		b := make([]byte, 64<<10)
		for ctx.Err() == nil {
			s.Send(b)
		}
		ended <- s.Err()
	}})
	if _, err := dial(t, s, ""); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, ErrSlowReader) {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a reader that does not read is still served")
	}
}

// A site whose name was re-bound to 127.0.0.1 must not reach a node that serves plain HTTP.
func TestPlainOnlyUnderLoopbackNames(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost:8441": true, "v-prin.localhost:8441": true, "127.0.0.1:8441": true, "[::1]:8441": true, "127.8.8.8": true,
		"evil.example:8441": false, "localhost.evil.example": false, "notlocalhost": false, "192.0.2.7:8441": false, "": false,
	} {
		if got := loopbackHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
		r := httptest.NewRequest(http.MethodGet, "http://node/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		floor(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != want {
			t.Errorf("%q: status %d", host, w.Code)
		}
	}
}

// A stranger that opens connections and says nothing is stopped at its network's share, and an answer that nobody reads does not last for ever.
func TestConnectionsAreBounded(t *testing.T) {
	s := start(t, Config{connections: limit.NewOpen(3, 100)})
	var kept []net.Conn
	defer func() {
		for _, c := range kept {
			_ = c.Close()
		}
	}()
	gone := 0
	for range 6 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, c)
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\n")) // and no more
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		var timeout net.Error
		if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
			gone++
		}
	}
	if gone != 3 {
		t.Errorf("%d of 6 were closed", gone)
	}
	if s.http.ReadTimeout == 0 || s.http.WriteTimeout == 0 {
		t.Error("a slow reader or writer is waited for without end")
	}
}

// Large messages, each below the bound, come to an end by their volume.
func TestVolumeOfMessages(t *testing.T) {
	ended := make(chan error, 1)
	s := start(t, Config{Accept: func(ctx context.Context, sock *Socket) {
		for range sock.Messages() {
		}
		ended <- sock.Err()
	}})
	c, err := Dial(t.Context(), "http://"+s.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	big := make([]byte, MaxMessage)
	for range 2*bytesBurst/MaxMessage + 1 {
		if c.Send(t.Context(), big) != nil {
			break
		}
	}
	select {
	case err := <-ended:
		if !errors.Is(err, ErrTooMany) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("still read")
	}
}

// What refuses a page is a page, too: it has the same headers.
func TestNoticesHaveTheHeaders(t *testing.T) {
	s := start(t, Config{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest || res.Header.Get("Content-Security-Policy") != policy {
		t.Errorf("%d, policy %q", res.StatusCode, res.Header.Get("Content-Security-Policy"))
	}
}
