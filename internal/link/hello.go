package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/quic-go/quic-go"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// The greeting, on the urgent lane. D dials, A accepts.
//
//	D → A  lane byte, HELLO
//	A → D  HELLO_ACK (protocol or problem), HELLO unless it was a problem
//	D → A  HELLO_ACK (protocol or problem)
//
// D's link is up when it has sent its good answer, A's when it has read it. TLS already proved the node keys; HELLO
// proves that the side's delegation key stands behind them.

// errGreeting is a greeting that broke off without a word from either side.
var errGreeting = errors.New("link: greeting failed")

// refusedError is a greeting one side answered with a problem.
type refusedError struct {
	problem *problem.Error
	theirs  bool
}

func (r *refusedError) Error() string { return "link: refused: " + r.problem.Error() }
func (r *refusedError) Unwrap() error { return r.problem }

const (
	maxDelegation   = 4 << 10
	maxNodeCert     = 8 << 10
	MaxIntroduction = 32 << 10
	maxGreeting     = 48 << 10
)

func (e *Endpoint) hello(now time.Time) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Hello{Hello: &linkpb.LinkHello{
		ProtocolMin: e.cfg.ProtocolMin,
		ProtocolMax: e.cfg.ProtocolMax,
		Side:        e.side[:],
		Delegation:  canon.Encode(e.cfg.Delegation),
		NodeCert:    e.NodeCert(),
		Now:         now.UnixMilli(),
		Boot:        e.cfg.Boot,
		Build:       e.cfg.Build,

		Introduction: e.introduction(),
	}}}
}

func (e *Endpoint) introduction() []byte {
	if e.cfg.Introduction == nil {
		return nil
	}
	return e.cfg.Introduction()
}

// checkHello is pure: what this peer, with this TLS key, says of itself, against what we know. It returns the protocol both speak.
func (e *Endpoint) checkHello(p Peer, key ed25519.PublicKey, h *linkpb.LinkHello, now time.Time) (uint32, *problem.Error) {
	if len(h.GetDelegation()) > maxDelegation || len(h.GetNodeCert()) > maxNodeCert || len(h.GetBuild()) > 64 || len(h.GetIntroduction()) > MaxIntroduction {
		return 0, problem.New(problem.TooLarge)
	}
	low, high := max(e.cfg.ProtocolMin, h.GetProtocolMin()), min(e.cfg.ProtocolMax, h.GetProtocolMax())
	if low > high || h.GetProtocolMin() > h.GetProtocolMax() {
		return 0, problem.New(problem.WrongVersion,
			"ours", versions(e.cfg.ProtocolMin, e.cfg.ProtocolMax), "theirs", versions(h.GetProtocolMin(), h.GetProtocolMax()))
	}
	// The delegation key is compared as bytes, not through the side id it claims: a peer with a node key we know and a new root is
	// the attack that verification by hand is for.
	if !bytes.Equal(h.GetSide(), p.Side[:]) || !bytes.Equal(h.GetDelegation(), canon.Encode(p.Delegation)) {
		return 0, problem.New(problem.LinkSwappedKey)
	}
	cert, err := ident.VerifyNode(h.GetNodeCert(), p.Delegation, now.UnixMilli())
	if err != nil {
		return 0, problem.New(problem.LinkUnknownKey, "reason", string(problem.CodeOf(err)))
	}
	if !bytes.Equal(cert.Key, key) || !bytes.Equal(cert.Side, p.Side[:]) {
		return 0, problem.New(problem.LinkUnknownKey, "reason", "other-certificate")
	}
	if !p.Verified {
		return 0, problem.New(problem.LinkNotVerified)
	}
	return high, nil
}

func versions(low, high uint32) string {
	return strconv.FormatUint(uint64(low), 10) + "-" + strconv.FormatUint(uint64(high), 10)
}

// greetDialled greets on a carrier that we dialled.
func (e *Endpoint) greetDialled(ctx context.Context, c *carrier, p Peer) error {
	for l := range lanes {
		s, err := c.conn.OpenStreamSync(ctx)
		if err != nil {
			return fmt.Errorf("%w: open lane: %w", errGreeting, err)
		}
		if err := c.take(l, s); err != nil {
			return err
		}
		if _, err := s.Write([]byte{byte(l)}); err != nil { // a stream exists for the peer only when a byte came
			return fmt.Errorf("%w: open lane: %w", errGreeting, err)
		}
	}
	if err := c.say(e.hello(time.Now())); err != nil {
		return err
	}
	if err := c.readAck(); err != nil {
		return err
	}
	return e.answer(c, p)
}

// greetAccepted greets on a carrier that the peer dialled.
func (e *Endpoint) greetAccepted(ctx context.Context, c *carrier, p Peer) error {
	for l := range lanes {
		s, err := c.conn.AcceptStream(ctx)
		if err != nil {
			return fmt.Errorf("%w: accept lane: %w", errGreeting, err)
		}
		if err := c.take(l, s); err != nil {
			return err
		}
		var b [1]byte
		if _, err := io.ReadFull(s, b[:]); err != nil {
			return fmt.Errorf("%w: accept lane: %w", errGreeting, err)
		}
		if b[0] != byte(l) {
			return fmt.Errorf("%w: lane %d is called %d", ErrFrame, l, b[0])
		}
	}
	if err := e.answer(c, p); err != nil {
		return err
	}
	if err := c.say(e.hello(time.Now())); err != nil {
		return err
	}
	return c.readAck()
}

// answer reads the peer's HELLO and answers it.
func (e *Endpoint) answer(c *carrier, p Peer) error {
	f, err := c.hear()
	if err != nil {
		return err
	}
	h := f.GetHello()
	if h == nil {
		return fmt.Errorf("%w: no HELLO where one belongs", ErrFrame)
	}
	now := time.Now()
	protocol, refusal := e.checkHello(p, c.key, h, now)
	ack := &linkpb.LinkHelloAck{Protocol: protocol, Now: now.UnixMilli()}
	if refusal != nil {
		ack.Problem = string(refusal.Code)
	}
	if err := c.say(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_HelloAck{HelloAck: ack}}); err != nil {
		return err
	}
	if refusal != nil {
		return &refusedError{problem: refusal}
	}
	c.protocol, c.boot, c.build, c.introduction = protocol, h.GetBoot(), h.GetBuild(), h.GetIntroduction()
	c.skew = time.UnixMilli(h.GetNow()).Sub(now)
	return nil
}

// take keeps a lane's stream and bounds the greeting in time.
func (c *carrier) take(l lane, s *quic.Stream) error {
	c.streams[l] = s
	c.readers[l] = &frameReader{r: s}
	s.SetPriority(int8(l), true)
	if err := s.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return fmt.Errorf("%w: %w", errGreeting, err)
	}
	return nil
}

func (c *carrier) say(f *linkpb.LinkFrame) error {
	b, err := encodeFrame(f)
	if err != nil {
		return err
	}
	if _, err := c.streams[laneUrgent].Write(b); err != nil {
		return fmt.Errorf("%w: write: %w", errGreeting, err)
	}
	return nil
}

func (c *carrier) hear() (*linkpb.LinkFrame, error) {
	f, err := c.readers[laneUrgent].next(func(n int) error {
		if n > maxGreeting {
			return ErrFrameTooLarge
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: read: %w", errGreeting, err)
	}
	return f, nil
}

func (c *carrier) readAck() error {
	f, err := c.hear()
	if err != nil {
		return err
	}
	a := f.GetHelloAck()
	if a == nil {
		return fmt.Errorf("%w: no HELLO_ACK where one belongs", ErrFrame)
	}
	if a.GetProblem() != "" {
		return &refusedError{problem: problem.New(theirProblem(a.GetProblem())), theirs: true}
	}
	return nil
}

// theirProblem lets a peer say only what a greeting can end with: its words never reach a page.
func theirProblem(s string) problem.Code {
	switch c := problem.Code(s); c {
	case problem.LinkSwappedKey, problem.LinkNotVerified, problem.LinkUnknownKey, problem.WrongVersion, problem.TooLarge,
		problem.Malformed, problem.TooMany, problem.ClockOff:
		return c
	default:
		return problem.Internal
	}
}

func asRefused(err error) (*refusedError, bool) {
	var r *refusedError
	ok := errors.As(err, &r)
	return r, ok
}

func isMalformed(err error) bool { return errors.Is(err, ErrFrame) || errors.Is(err, ErrFrameTooLarge) }
