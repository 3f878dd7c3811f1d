package native

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/web"
	"parley.link/parley/internal/wire/signalpb"
)

// Protocol versions that this package speaks.
const (
	ProtocolMin = 1
	ProtocolMax = 1
)

// ErrClosed is returned once the socket has ended.
var ErrClosed = errors.New("native: the socket has ended")

// DeskConfig is what a device needs to speak with its own node.
type DeskConfig struct {
	Address       string      // https://host:port, or http on loopback
	TLS           *tls.Config // nil: the system's authorities
	Device        ident.Key
	Accreditation []byte // canonical ident.Signed; empty before enrolment
	Language      string
	Build         string
}

// Desk is a device's socket to its own node after it has proved its key.
type Desk struct {
	call      *web.Call
	Welcome   *signalpb.Welcome
	Challenge *signalpb.Challenge

	pushes chan *signalpb.ToClient
	done   chan struct{}

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan *signalpb.ToClient
	err     error
}

// OpenDesk dials, proves the device key and returns with the node's Welcome. A refusal is a *problem.Error.
func OpenDesk(ctx context.Context, c DeskConfig) (*Desk, error) {
	call, err := web.Dial(ctx, c.Address, c.TLS)
	if err != nil {
		return nil, err
	}
	d := &Desk{call: call, pushes: make(chan *signalpb.ToClient, 256), done: make(chan struct{}), waiting: map[uint64]chan *signalpb.ToClient{}}
	go d.runRead()
	if err := d.open(ctx, c); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Desk) open(ctx context.Context, c DeskConfig) error {
	hello := &signalpb.Hello{ProtocolMin: ProtocolMin, ProtocolMax: ProtocolMax, Device: c.Device.Public(), Accreditation: c.Accreditation, Language: c.Language, ClientBuild: c.Build}
	r, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Hello{Hello: hello}})
	if err != nil {
		return err
	}
	if d.Challenge = r.GetChallenge(); d.Challenge == nil {
		return problem.New(problem.OutOfOrder, "want", "challenge")
	}
	m := append(append(append([]byte(nil), d.Challenge.Nonce...), d.Challenge.Node...), c.Device.Public()...)
	r, err = d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Prove{Prove: &signalpb.Prove{Signature: c.Device.Sign(ident.ContextChallenge, m)}}})
	if err != nil {
		return err
	}
	if d.Welcome = r.GetWelcome(); d.Welcome == nil {
		return problem.New(problem.OutOfOrder, "want", "welcome")
	}
	return nil
}

// Pushes are what the node sends unasked, in order. The channel closes when the socket ends.
func (d *Desk) Pushes() <-chan *signalpb.ToClient { return d.pushes }

// Err is why the socket ended.
func (d *Desk) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Ask sends a request and waits for its answer. A Problem comes back as a *problem.Error.
func (d *Desk) Ask(ctx context.Context, m *signalpb.ToNode) (*signalpb.ToClient, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	ch := make(chan *signalpb.ToClient, 1)
	d.mu.Lock()
	if d.err != nil {
		d.mu.Unlock()
		return nil, d.err
	}
	d.next++
	id := d.next
	d.waiting[id] = ch
	d.mu.Unlock()
	defer func() { d.mu.Lock(); delete(d.waiting, id); d.mu.Unlock() }()
	m.Id = id
	if err := d.Send(ctx, m); err != nil {
		return nil, err
	}
	select {
	case r := <-ch:
		if p := r.GetProblem(); p != nil {
			return nil, &problem.Error{Code: problem.Code(p.Code), Params: p.Params}
		}
		return r, nil
	case <-d.done:
		return nil, d.Err()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the node's answer: %w", ctx.Err())
	}
}

// Send sends without waiting for an answer.
func (d *Desk) Send(ctx context.Context, m *signalpb.ToNode) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	return d.call.Send(ctx, b)
}

// Close ends the socket and waits for its reader.
func (d *Desk) Close() {
	d.call.Close()
	for range d.pushes { // the reader may wait for room
	}
	<-d.done
}

func (d *Desk) runRead() {
	err := d.read()
	d.mu.Lock()
	d.err = err
	d.mu.Unlock()
	close(d.done)
	close(d.pushes)
}

func (d *Desk) read() error {
	for {
		b, err := d.call.Receive(context.Background())
		if err != nil {
			return errors.Join(ErrClosed, err)
		}
		m := &signalpb.ToClient{}
		if err := proto.Unmarshal(b, m); err != nil {
			return problem.New(problem.Malformed, "from", "node")
		}
		if m.ReplyTo != 0 {
			d.mu.Lock()
			ch := d.waiting[m.ReplyTo]
			d.mu.Unlock()
			if ch != nil {
				select {
				case ch <- m:
				default: // answered already: a node that answers twice
				}
			}
			continue
		}
		d.pushes <- m
	}
}
