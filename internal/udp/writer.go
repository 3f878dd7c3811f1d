package udp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// MaxDatagram is the largest datagram taken, bytes of UDP payload. Media packets are smaller than an Ethernet frame.
const MaxDatagram = 1500

const (
	maxQueued = 8192 // datagrams; 12 MB, a tenth of a second of one saturated core
	enough    = 256  // datagrams that wait for nobody
	crowd     = 32   // a batch of so many promises that waiting for the rest of the runs pays
)

// Errors of Writer.Write.
var (
	ErrQueueFull = errors.New("udp: queue is full")
	ErrTooLarge  = errors.New("udp: datagram is too large")
)

// Counters say what became of the datagrams of a Writer.
type Counters struct {
	Sent       atomic.Uint64 // datagrams that the kernel took
	Calls      atomic.Uint64 // system calls
	Runs       atomic.Uint64 // messages that the kernel cut into several datagrams
	Unrun      atomic.Uint64 // runs that it refused and that went datagram by datagram
	QueueFull  atomic.Uint64 // dropped: the queue was full
	SendFailed atomic.Uint64 // dropped: the kernel refused it
}

// Writer sends datagrams over one UDP socket in batches. The zero value is not usable; see NewWriter. Safe for concurrent use.
type Writer struct {
	conn   *ipv4.PacketConn // its WriteBatch serves sockets of both families
	linger time.Duration
	count  Counters
	whole  atomic.Bool // the kernel cannot segment: no runs

	wake chan struct{} // the queue is not empty any more
	full chan struct{} // enough of them wait; an old token only cuts one wait short
	pool sync.Pool

	mu     sync.Mutex
	queue  []*datagram
	before int // datagrams in the last batch

	// Only used by Run:
	spare    []*datagram
	planner  planner
	messages []ipv4.Message
	taken    [][]*datagram // of each message
	memory   arena
}

// NewWriter makes a writer for a socket that stays the caller's. linger is how long the first datagram of a batch waits for the rest
// of its run, when many are being sent.
func NewWriter(conn *net.UDPConn, linger time.Duration) *Writer {
	return &Writer{
		conn: ipv4.NewPacketConn(conn), linger: linger, wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		pool: sync.Pool{New: func() any { return new(datagram) }},
	}
}

// Counters are the writer's.
func (w *Writer) Counters() *Counters { return &w.count }

// Write queues a copy of b. It never blocks.
func (w *Writer) Write(b []byte, to netip.AddrPort) error {
	if len(b) > MaxDatagram {
		return ErrTooLarge
	}
	d := w.pool.Get().(*datagram)
	d.n, d.to = copy(d.buf[:], b), to
	w.mu.Lock()
	n := len(w.queue)
	if n >= maxQueued {
		w.mu.Unlock()
		w.pool.Put(d)
		w.count.QueueFull.Add(1)
		return ErrQueueFull
	}
	w.queue = append(w.queue, d)
	w.mu.Unlock()
	switch n {
	case 0:
		signal(w.wake)
	case enough:
		signal(w.full)
	}
	return nil
}

// signal leaves a token that is taken once, however often it was left.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run sends until the context ends. Call it once.
func (w *Writer) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		runtime.Gosched() // on an idle core this goroutine would else run ahead of whoever is still writing to the other receivers
		if w.linger > 0 && w.crowded() {
			timer.Reset(w.linger)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			case <-w.full:
			}
		}
		w.flush()
	}
}

// crowded tells whether the last batch was, or this one already is, large. A conversation of few is not delayed at all.
func (w *Writer) crowded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(len(w.queue), w.before) >= crowd
}

// flush sends what waits. The next Write finds an empty queue and wakes Run again.
func (w *Writer) flush() {
	w.mu.Lock()
	batch := w.queue
	w.queue = w.spare[:0]
	w.before = len(batch)
	w.mu.Unlock()
	w.spare = batch
	w.send(batch)
	for i, d := range batch {
		w.pool.Put(d)
		batch[i] = nil
	}
}

func (w *Writer) send(batch []*datagram) {
	w.messages, w.taken = w.messages[:0], w.taken[:0]
	w.memory.reset(len(batch))
	w.planner.plan(batch, !w.whole.Load(), w.memory.scratch, func(run []*datagram) {
		m, kept := w.memory.message(run)
		w.messages, w.taken = append(w.messages, m), append(w.taken, kept)
	})
	for at := 0; at < len(w.messages); {
		n, err := w.conn.WriteBatch(w.messages[at:], 0)
		w.count.Calls.Add(1)
		n = max(n, 0)
		for _, run := range w.taken[at : at+n] {
			w.count.Sent.Add(uint64(len(run)))
			if len(run) > 1 {
				w.count.Runs.Add(1)
			}
		}
		at += n
		if err != nil && at < len(w.messages) { // the kernel says what is wrong with the first message that it did not take
			w.singly(w.taken[at], err)
			at++
		}
	}
}

// singly sends the datagrams of a refused run one by one.
func (w *Writer) singly(run []*datagram, err error) {
	if len(run) == 1 {
		w.count.SendFailed.Add(1)
		return
	}
	w.count.Unrun.Add(1)
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOPROTOOPT) || errors.Is(err, syscall.EOPNOTSUPP) {
		w.whole.Store(true) // no checksum offload on the way out, or an old kernel: it will say so each time
	}
	for i := range run {
		m, _ := w.memory.message(run[i : i+1])
		_, err := w.conn.WriteBatch([]ipv4.Message{m}, 0)
		w.count.Calls.Add(1)
		if err != nil {
			w.count.SendFailed.Add(1)
			continue
		}
		w.count.Sent.Add(1)
	}
}
