// Package web is the one door for people: HTTPS with strict headers, the embedded client, and the WebSocket that carries
// signalling. It knows nothing of what the messages mean.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"parley.link/parley/internal/limit"
)

// Config is what a Server needs.
type Config struct {
	Listen string
	TLS    *tls.Config // nil: plain HTTP, which the caller allows only on loopback
	Client *Client
	// Accept runs one device's socket until it is done with it. It is called on the socket's own goroutine; ctx ends when the
	// server stops.
	Accept func(ctx context.Context, s *Socket)
	Log    *slog.Logger

	connections *limit.Open // of tests; nil: the bounds of socket.go
}

// Server serves until Stop.
type Server struct {
	cfg      Config
	http     *http.Server
	listener net.Listener
	opening  *limit.Tiers // sockets opened
	open     *limit.Open  // sockets open now
	sockets  sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc
	served   chan struct{}
}

// Listen takes the port and serves. An address in use comes back as an error that wraps syscall.EADDRINUSE.
func Listen(cfg Config) (*Server, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for browsers: %w", err)
	}
	if cfg.connections == nil {
		cfg.connections = limit.NewOpen(connectionsOpen, connectionsOfAll)
	}
	l = &bounded{Listener: l, open: cfg.connections}
	s := &Server{cfg: cfg, listener: l, opening: limit.NewTiers(socketsPerMinute, time.Minute), open: limit.NewOpen(socketsOpen, socketsOfAll), served: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second, // neither holds for a socket: it is the library's from the upgrade on
		WriteTimeout:      2 * time.Minute,  // a reader of the bundle that does not read
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug), // handshakes of scanners are no news
	}
	go s.runServe()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

func (s *Server) runServe() {
	defer close(s.served)
	var err error
	if s.cfg.TLS != nil {
		err = s.http.Serve(tls.NewListener(s.listener, s.cfg.TLS))
	} else {
		err = s.http.Serve(s.listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.cfg.Log.Error("the web server ended", "error", err)
	}
}

// Stop ends new requests, then the sockets, and waits for both. Whoever runs a socket tells its person before it returns.
func (s *Server) Stop(ctx context.Context) error {
	s.cancel()
	err := s.http.Shutdown(ctx)
	done := make(chan struct{})
	go func() { s.sockets.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err(), s.http.Close())
		<-done
	}
	<-s.served
	return err
}

// Routes are all that a browser can ask for. A test walks this list: there is no other door.
var Routes = []string{"GET /ws", "GET /"}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(Routes[0], s.serveSocket)
	mux.Handle(Routes[1], s.cfg.Client)
	return headers(floor(mux), s.cfg.TLS != nil)
}
