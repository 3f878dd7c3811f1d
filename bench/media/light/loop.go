//go:build linux

package light

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sweepEvery is how long a packet may wait to be read. It is no latency: the kernel's stamp is what counts.
const sweepEvery = 2 * time.Millisecond

// maxSamples bounds the latencies kept of one window.
const maxSamples = 1 << 20

// Loop serves all ends of the process from one thread.
type Loop struct {
	host  netip.Addr
	cert  tls.Certificate
	print string // the certificate's fingerprint
	calls chan func()

	mu      sync.Mutex
	ends    []*End // replaced as a whole
	sources []*Source

	// Of the loop's thread:
	received uint64
	sampling bool
	late     []int32 // µs
	bad      uint64  // packets that did not open, or were not ours
	open     []byte  // scratch
	sealed   [][]byte
	spare    [PerFrame][]byte
	out      run
}

// NewLoop makes a loop whose ends have sockets on host, an IPv4 address of this machine.
func NewLoop(host netip.Addr) (*Loop, error) {
	if !host.Is4() {
		return nil, fmt.Errorf("light: %s is no IPv4 address of this machine", host)
	}
	cert, print, err := certificate()
	if err != nil {
		return nil, err
	}
	return &Loop{host: host, cert: cert, print: print, calls: make(chan func(), 64), open: make([]byte, 0, datagramRoom)}, nil
}

func (l *Loop) add(e *End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(slices.Clone(l.ends), e)
}

func (l *Loop) remove(e *End) {
	l.mu.Lock()
	l.ends = slices.DeleteFunc(slices.Clone(l.ends), func(x *End) bool { return x == e })
	l.sources = slices.DeleteFunc(slices.Clone(l.sources), func(s *Source) bool { return s.end == e })
	l.mu.Unlock()
	l.Do(func() {}) // a sweep that had the old list is over now
}

// Do runs f on the loop's thread, where the figures of sources and streams are still, and waits for it.
func (l *Loop) Do(f func()) {
	done := make(chan struct{})
	l.calls <- func() { f(); close(done) }
	<-done
}

// Run serves until ctx ends. Calls of Do must have ended by then.
func (l *Loop) Run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b := newBatch()
	next := time.Now()
	for ctx.Err() == nil {
		for more := true; more; {
			select {
			case f := <-l.calls:
				f()
			default:
				more = false
			}
		}
		l.mu.Lock()
		ends, sources := l.ends, l.sources
		l.mu.Unlock()
		now := time.Now()
		due := next
		for _, s := range sources {
			if d := s.emit(now); d.Before(due) {
				due = d
			}
		}
		if !now.Before(next) {
			for _, e := range ends {
				e.sweep(b, now)
			}
			if next = next.Add(sweepEvery); next.Before(time.Now()) {
				next = time.Now().Add(sweepEvery / 4) // behind: sweep on, but let handshakes have the core for a moment
			}
			if due = next; len(sources) > 0 {
				continue // what became due meanwhile goes first
			}
		}
		if wait := time.Until(due); wait > 20*time.Microsecond {
			t := unix.NsecToTimespec(int64(wait))
			_ = unix.Nanosleep(&t, nil)
		}
	}
}

// Begin starts to keep latencies; call it in Do.
func (l *Loop) Begin() {
	if l.late == nil {
		l.late = make([]int32, 0, maxSamples)
	}
	l.late, l.sampling, l.bad = l.late[:0], true, 0
}

// End stops and gives a copy of the latencies in µs, and how many packets of those looked into were not what was sent. Call it in Do.
func (l *Loop) End() (late []int32, bad uint64) {
	l.sampling = false
	return slices.Clone(l.late), l.bad
}
