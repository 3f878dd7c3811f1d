//go:build linux

package light

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

// ErrClosed is returned when an end was closed before it stood.
var ErrClosed = errors.New("light: closed")

// End is one peer connection: a socket, one far end, any number of streams each way. Safe for concurrent use.
type End struct {
	loop       *Loop
	fd         int
	local      netip.AddrPort
	ufrag, pwd string
	in         chan []byte // DTLS records for pion/dtls
	stood      chan struct{}
	gone       chan struct{}
	once       sync.Once
	wait       sync.WaitGroup

	mu                     sync.Mutex // taken once per sweep, not once per packet
	remoteUfrag, remotePwd string
	candidates             []netip.AddrPort
	remote                 netip.AddrPort
	controlling            bool
	nextCheck              time.Time

	client  bool // of DTLS
	started bool
	err     error
	dtls    net.Conn
	profile srtp.ProtectionProfile
	opening *srtp.Context
	sealing *srtp.Context

	streams   map[uint32]*Stream
	kinds     [128]Kind // by payload type
	feedback  uint8     // id of the transport-wide sequence number extension in what we receive; 0: none
	recorder  *twcc.Recorder
	remb      bool
	reporter  uint32 // our SSRC in reports
	nextTell  time.Time
	nextArriv time.Time

	sends map[string]*sending // by mid
	src   *Source
}

// NewEnd makes an end with a socket on the loop's host.
func (l *Loop) NewEnd() (*End, error) {
	fd, local, err := openSocket(l.host)
	if err != nil {
		return nil, err
	}
	e := &End{
		loop: l, fd: fd, local: local, ufrag: secret(5), pwd: secret(20), in: make(chan []byte, 64),
		stood: make(chan struct{}), gone: make(chan struct{}), streams: map[uint32]*Stream{}, sends: map[string]*sending{}, reporter: random32(),
	}
	l.add(e)
	return e, nil
}

// Stood waits until the connection is secured, and gives the SRTP profile.
func (e *End) Stood(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		e.mu.Lock()
		defer e.mu.Unlock()
		return "", fmt.Errorf("light: connection to %v (of %v) does not stand: %w", e.remote, e.candidates, ctx.Err())
	case <-e.gone:
		return "", ErrClosed
	case <-e.stood:
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.profile.String(), e.err
}

// State tells in a few words how far the connection has come, for whoever has to find out why it went no further.
func (e *End) State() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.err != nil:
		return e.err.Error()
	case e.remoteUfrag == "":
		return "no description of the far end"
	case !e.remote.IsValid():
		return fmt.Sprintf("no answer from any of %v", e.candidates)
	case e.sealing == nil:
		return "no DTLS yet"
	}
	return fmt.Sprintf("stands, %d streams", len(e.streams))
}

// AddCandidate takes a candidate of the far end, as in a=candidate: or in a trickled message; what is of no use is ignored.
func (e *End) AddCandidate(line string) {
	if c, ok := candidate(line); ok {
		e.mu.Lock()
		e.candidates = append(e.candidates, c)
		e.nextCheck = time.Time{}
		e.mu.Unlock()
	}
}

// found is called with mu held: the far end answers at an address.
func (e *End) found(a netip.AddrPort) {
	e.remote = a
	if !e.started {
		e.started = true
		e.wait.Go(e.runSecure)
	}
}

// Close ends the connection and waits for all that ran for it.
func (e *End) Close() {
	e.once.Do(func() {
		e.loop.remove(e)
		close(e.gone)
		e.mu.Lock()
		d := e.dtls
		e.started = true // nothing starts any more
		e.mu.Unlock()
		if d != nil {
			_ = d.Close()
		}
		e.wait.Wait()
		_ = unix.Close(e.fd)
	})
}

// Streams are the streams received so far. Their figures belong to the loop: read them in Loop.Do.
func (e *End) Streams() []*Stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*Stream, 0, len(e.streams))
	for _, s := range e.streams {
		all = append(all, s)
	}
	return all
}

// sweep takes all that came. Called by the loop.
func (e *End) sweep(b *batch, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		n := b.receive(e.fd)
		for i := range n {
			data, from, arrived := b.at(i)
			switch {
			case len(data) == 0:
			case data[0] < 4:
				e.binding(data, from)
			case data[0] >= 20 && data[0] < 64:
				select {
				case e.in <- append([]byte(nil), data...):
				default:
				}
			case len(data) < 12 || data[0]>>6 != 2:
			case data[1] >= 192 && data[1] < 224:
				e.report(data, now)
			default:
				e.media(data, arrived)
			}
		}
		e.loop.received += uint64(n)
		if n < batchSize {
			break
		}
	}
	e.tickICE(now)
	if e.sealing != nil {
		e.tell(now)
	}
}
