package turn

import (
	"net"
	"sync"
	"time"
)

// Bounds on what is open at a time.
const (
	maxPerUser = 48   // relays of one device: two connections, three transports, two families, and those of pages that were closed in the last minutes
	maxRelays  = 2048 // of all: each holds a socket
	maxStreams = 1024 // TCP or TLS connections per listener, also those that never authenticate

	firstBytes = 20 * time.Second // for a stream to say anything at all
	idle       = 5 * time.Minute  // between two messages; a client in use sends one at least every 30 s
)

// quota counts relays. Safe for concurrent use.
type quota struct {
	mu    sync.Mutex
	users map[string]int
	all   int
}

func newQuota() *quota { return &quota{users: map[string]int{}} }

func (q *quota) allows(user string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all < maxRelays && q.users[user] < maxPerUser
}

func (q *quota) add(user string, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all += n
	if q.users[user] += n; q.users[user] <= 0 {
		delete(q.users, user)
	}
}

func (q *quota) total() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all
}

// limited closes at once what comes over the limit: waiting for a free place would let idle connections lock everybody out quietly.
type limited struct {
	net.Listener
	free chan struct{}
}

func limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, free: make(chan struct{}, n)}
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			_ = c.SetReadDeadline(time.Now().Add(firstBytes))
			return &counted{Conn: c, free: l.free}, nil
		default:
			_ = c.Close()
		}
	}
}

type counted struct {
	net.Conn
	once sync.Once
	free chan struct{}
}

// Read gives a stream that speaks more time.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		_ = c.Conn.SetReadDeadline(time.Now().Add(idle))
	}
	return n, err
}

// Close gives the place back.
func (c *counted) Close() error {
	c.once.Do(func() { <-c.free })
	return c.Conn.Close()
}
