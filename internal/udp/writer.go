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
	plenty    = 2048 // datagrams that whoever queues them sends: three pictures for a hundred
	crowd     = 64   // a batch of so many promises that waiting for the rest of the runs pays: measured, a picture for ten does not
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

// Socket is what datagrams leave by. Only a *net.UDPConn takes batches; a simulated network gets them one by one.
type Socket interface {
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// Writer sends datagrams over one UDP socket in batches. The zero value is not usable; see NewWriter. Safe for concurrent use.
type Writer struct {
	conn   Socket
	many   *ipv4.PacketConn // conn again: its WriteBatch serves sockets of both families; nil: no batches
	linger time.Duration
	count  Counters
	whole  atomic.Bool // the kernel cannot segment: no runs

	wake chan struct{} // the queue is not empty any more
	full chan struct{} // enough of them wait; an old token only cuts one wait short
	pool sync.Pool

	mu     sync.Mutex
	queue  []*Datagram
	before int // datagrams in the last batch

	sending  sync.Mutex // held from taking a batch to its end, or a younger one could overtake it; guards what follows; before mu
	spare    []*Datagram
	planner  planner
	messages []ipv4.Message
	taken    [][]*Datagram // of each message
	memory   arena
}

// NewWriter makes a writer for a socket that stays the caller's. linger is how long the first datagram of a batch waits for the rest
// of its run, when many are being sent; 0: it never waits.
func NewWriter(conn Socket, linger time.Duration) *Writer {
	w := &Writer{
		conn: conn, linger: linger, wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		pool: sync.Pool{New: func() any { return new(Datagram) }},
	}
	if c, ok := conn.(*net.UDPConn); ok {
		w.many = ipv4.NewPacketConn(c)
	}
	return w
}

// Counters are the writer's.
func (w *Writer) Counters() *Counters { return &w.count }

// Write queues a copy of b, as Send does.
func (w *Writer) Write(b []byte, to netip.AddrPort) error {
	if len(b) > MaxDatagram {
		return ErrTooLarge
	}
	d := w.Get()
	d.N, d.To = copy(d.Buf[:], b), to
	return w.Send(d)
}

// Get lends a datagram to be filled in. Give it to Send or back to Put.
func (w *Writer) Get() *Datagram { return w.pool.Get().(*Datagram) }

// Put takes a datagram back that is not sent.
func (w *Writer) Put(d *Datagram) { w.pool.Put(d) }

// Send queues a datagram that Get lent, and keeps it, whatever it returns. It blocks for nobody but, when plenty are queued, for the kernel:
// Run did not get to run since, and what waits for it would only lie in memory, longer than any cache holds it.
func (w *Writer) Send(d *Datagram) error {
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
	switch {
	case n == 0:
		signal(w.wake)
	case n == enough:
		signal(w.full)
	case n >= plenty && w.sending.TryLock():
		w.flush()
		w.sending.Unlock()
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
		w.sending.Lock()
		w.flush()
		w.sending.Unlock()
	}
}

// crowded tells whether the last batch was, or this one already is, large. A conversation of few is not delayed at all.
func (w *Writer) crowded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(len(w.queue), w.before) >= crowd
}

// flush sends what waits. The next Write finds an empty queue and wakes Run again. Called with sending held.
func (w *Writer) flush() {
	w.mu.Lock()
	batch := w.queue
	w.queue = w.spare[:0]
	w.before = len(batch)
	w.mu.Unlock()
	w.spare = batch
	if len(batch) == 1 || w.many == nil {
		w.each(batch)
	} else {
		w.send(batch)
	}
	for i, d := range batch {
		w.pool.Put(d)
		batch[i] = nil
	}
}

// each sends datagrams one by one.
func (w *Writer) each(batch []*Datagram) {
	for _, d := range batch {
		w.count.Calls.Add(1)
		if _, err := w.conn.WriteToUDPAddrPort(d.bytes(), d.To); err != nil {
			w.count.SendFailed.Add(1)
			continue
		}
		w.count.Sent.Add(1)
	}
}

// send sends a batch with as few system calls as there can be.
func (w *Writer) send(batch []*Datagram) {
	w.messages, w.taken = w.messages[:0], w.taken[:0]
	w.memory.reset(len(batch))
	w.planner.plan(batch, !w.whole.Load(), w.memory.scratch, func(run []*Datagram) {
		m, kept := w.memory.message(run)
		w.messages, w.taken = append(w.messages, m), append(w.taken, kept)
	})
	for at := 0; at < len(w.messages); {
		n, err := w.many.WriteBatch(w.messages[at:], 0)
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
			w.refused(w.taken[at], err)
			at++
		}
	}
}

// refused sends the datagrams of a run that the kernel did not take one by one.
func (w *Writer) refused(run []*Datagram, err error) {
	if len(run) == 1 {
		w.count.SendFailed.Add(1)
		return
	}
	w.count.Unrun.Add(1)
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOPROTOOPT) || errors.Is(err, syscall.EOPNOTSUPP) {
		w.whole.Store(true) // no checksum offload on the way out, or an old kernel: it will say so each time
	}
	w.each(run)
}
