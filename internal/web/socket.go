package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// Bounds of one socket. A person's client stays far below each.
const (
	MaxMessage       = 1 << 20 // bytes of one message
	queueMessages    = 2048    // waiting to be written; more is a reader that does not read
	queueBytes       = 32 << 20
	messagesPerSec   = 200 // sustained, with a burst of four times that
	bytesPerSec      = 1 << 20
	bytesBurst       = 16 << 20
	socketsPerMinute = 240 // opened from one network: a whole delegation behind one router reloads at once
	socketsOpen      = 512 // open from one network; a full session's delegation behind one router has 256
	socketsOfAll     = 8192
	connectionsOpen  = 4096 // of one network: a browser that loads the page holds six
	connectionsOfAll = 16384
	pingEvery        = 5 * time.Second
	pingWithin       = 10 * time.Second
	writeWithin      = 10 * time.Second
)

// Why a socket ended, beyond the far end closing it.
var (
	ErrSlowReader = errors.New("web: the device does not read what it is sent")
	ErrTooMany    = errors.New("web: too many messages")
	ErrNotBinary  = errors.New("web: a message that is not binary")
)

// Socket is one device's WebSocket. One goroutine reads; any may send.
type Socket struct {
	ws     *websocket.Conn
	remote netip.Addr
	rate   *rate.Limiter // messages
	volume *rate.Limiter // bytes

	read chan []byte

	mu     sync.Mutex
	queue  [][]byte
	bytes  int
	closed error // set once; nothing is queued after it
	wake   chan struct{}
	cancel context.CancelCauseFunc
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	remote := addressOf(r)
	if !s.opening.Allow(remote, time.Now()) || !s.open.Take(remote) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many connections from this address; wait ten seconds", http.StatusTooManyRequests)
		return
	}
	defer s.open.Give(remote)
	// Without OriginPatterns, Accept requires Origin's host to equal Host: another site's page cannot speak for a person.
	// A missing Origin is a native participant; a browser always sends one.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	s.sockets.Add(1)
	defer s.sockets.Done()
	ws.SetReadLimit(MaxMessage)
	// The request's context ends with the handler, the server's when the node stops; the socket heeds both.
	ctx, cancel := context.WithCancelCause(s.ctx)
	sock := &Socket{ws: ws, remote: remote, rate: rate.NewLimiter(messagesPerSec, 4*messagesPerSec), volume: rate.NewLimiter(bytesPerSec, bytesBurst), wake: make(chan struct{}, 1),
		read: make(chan []byte), cancel: cancel}
	var readers, writers sync.WaitGroup
	// Neither reads nor writes end with ctx: the library drops the whole socket when a read is cancelled, and the last words
	// ("the node stops") are still to be written then.
	ioctx, iocancel := context.WithCancel(context.Background())
	readers.Add(1)
	go func() { defer readers.Done(); sock.runRead(ioctx) }()
	pctx, pcancel := context.WithCancel(ioctx)
	stop := make(chan struct{})
	writers.Add(2)
	go func() { defer writers.Done(); sock.runWrite(ioctx, stop) }()
	go func() { defer writers.Done(); sock.runPing(pctx) }()
	s.cfg.Accept(ctx, sock)
	sock.finish(nil)
	close(stop)
	pcancel()
	writers.Wait()
	sock.flush(ioctx)
	_ = ws.Close(websocket.StatusNormalClosure, sock.reason())
	iocancel()
	cancel(nil)
	readers.Wait()
}

// Remote is the address the device comes from, for rate limits and the security log only.
func (s *Socket) Remote() netip.Addr { return s.remote }

// Messages are what the device sends, one at a time: the next is read when the last was taken. The channel closes when the
// socket ends; Err says why.
func (s *Socket) Messages() <-chan []byte { return s.read }

// Err is why the socket ended, nil while it lives.
func (s *Socket) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Socket) runRead(ctx context.Context) {
	defer close(s.read)
	for {
		b, err := s.readOne(ctx)
		if err != nil {
			s.Close(err)
			return
		}
		select {
		case s.read <- b:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Socket) readOne(ctx context.Context) ([]byte, error) {
	kind, b, err := s.ws.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read from a device: %w", err)
	}
	if kind != websocket.MessageBinary {
		return nil, ErrNotBinary
	}
	if !s.rate.Allow() || !s.volume.AllowN(time.Now(), len(b)) {
		return nil, ErrTooMany
	}
	return b, nil
}

// Send queues a message and never waits: one slow reader must not hold up a session. A full queue ends the socket.
func (s *Socket) Send(b []byte) {
	s.mu.Lock()
	if s.closed != nil {
		s.mu.Unlock()
		return
	}
	if len(s.queue) >= queueMessages || s.bytes+len(b) > queueBytes {
		s.closed = ErrSlowReader
		s.queue, s.bytes = nil, 0
		s.mu.Unlock()
		s.cancel(ErrSlowReader)
		return
	}
	s.queue = append(s.queue, b)
	s.bytes += len(b)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Queued is how many bytes wait to be written.
func (s *Socket) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Close ends the socket after what is queued has been written; Accept's context ends with the cause.
func (s *Socket) Close(cause error) {
	s.finish(cause)
	s.cancel(cause)
}

func (s *Socket) finish(cause error) {
	if cause == nil {
		cause = net.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed = cause
	}
}

func (s *Socket) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil || errors.Is(s.closed, net.ErrClosed) {
		return ""
	}
	r := s.closed.Error()
	return r[:min(len(r), 120)] // RFC 6455 §5.5 leaves 123 bytes
}

func (s *Socket) next() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, false
	}
	b := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.bytes -= len(b)
	return b, true
}

// runWrite ends between two messages when stop closes: a write that is cancelled would take the socket with it.
func (s *Socket) runWrite(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-s.wake:
		}
		if !s.write(ctx) {
			return
		}
	}
}

func (s *Socket) write(ctx context.Context) bool {
	for {
		b, ok := s.next()
		if !ok {
			return true
		}
		wctx, cancel := context.WithTimeout(ctx, writeWithin)
		err := s.ws.Write(wctx, websocket.MessageBinary, b)
		cancel()
		if err != nil {
			s.Close(fmt.Errorf("write to a device: %w", err))
			return false
		}
	}
}

// flush writes what is left, at most for a second: "the node stops" should still arrive.
func (s *Socket) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s.write(ctx)
}

func (s *Socket) runPing(ctx context.Context) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		pctx, cancel := context.WithTimeout(ctx, pingWithin)
		err := s.ws.Ping(pctx)
		cancel()
		if err != nil && ctx.Err() == nil {
			s.Close(fmt.Errorf("a device does not answer: %w", err))
			return
		}
	}
}

func addressOf(r *http.Request) netip.Addr { return addrOf(r.RemoteAddr) }
