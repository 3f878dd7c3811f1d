package link

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/quic-go/quic-go"

	"parley.link/parley/internal/problem"
)

// dialPlan is what the dialler of a peer is to do next.
type dialPlan struct {
	cfg   Peer
	after time.Duration // negative: only when woken
	rekey bool
	busy  bool
}

func (e *Endpoint) plan(p *peer, next time.Time, now time.Time) dialPlan {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := dialPlan{cfg: p.cfg, busy: p.busy, after: -1}
	switch {
	case !p.cfg.Verified || p.cfg.Address == "":
	case p.current == nil:
		if next.Before(p.notBefore) {
			next = p.notBefore
		}
		d.after = max(0, next.Sub(now))
	case p.current.dialled:
		d.rekey = true
		due := p.current.since.Add(e.cfg.Rekey)
		if due.Before(next) { // a re-key failed lately
			due = next
		}
		d.after = max(0, due.Sub(now))
	}
	return d
}

// runDial keeps the link with one peer up: it dials while there is no carrier, and makes a new one before the old one is too old.
func (e *Endpoint) runDial(ctx context.Context, p *peer) {
	var back redial
	next := time.Now()
	if lower := p.cfg.NodeKeys[0]; string(lower) < string(e.own) {
		next = next.Add(higherWaits)
	}
	timer := stoppedTimer()
	defer timer.Stop()
	for {
		plan := e.plan(p, next, time.Now())
		var due <-chan time.Time
		if plan.after >= 0 {
			timer.Reset(plan.after)
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wakeup:
			timer.Stop()
			continue
		case <-due:
		}
		if e.dial(ctx, p, plan) {
			back.reset()
			next = time.Now().Add(back.next(plan.busy, rand.Float64()))
			continue
		}
		next = time.Now().Add(back.next(plan.busy, rand.Float64()))
	}
}

// stoppedTimer fires only after a Reset.
func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop() // since Go 1.23 nothing can be in the channel after it
	return t
}

// dial makes one carrier, and says whether it was adopted or another stands.
func (e *Endpoint) dial(ctx context.Context, p *peer, plan dialPlan) bool {
	cfg := plan.cfg
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout+helloTimeout)
	defer cancel()
	to, err := resolve(ctx, cfg.Address)
	if err != nil {
		e.note(p, problem.NodeUnreachable)
		return false
	}
	if !e.admit(p) {
		return false
	}
	quicConf := e.quicConfig(-1)
	if plan.busy {
		quicConf.HandshakeIdleTimeout = handshakeBusy
	}
	conn, err := e.transport.Dial(ctx, to, e.clientTLS(cfg), quicConf)
	if err != nil {
		e.release(p)
		e.note(p, dialProblem(err))
		e.cfg.Log.Debug("link dial failed", "peer", cfg.Address, "error", err)
		return false
	}
	key, err := verifyCommon(conn.ConnectionState().TLS)
	if err != nil { // VerifyConnection has seen to it
		e.release(p)
		_ = conn.CloseWithError(codeRefused, "")
		return false
	}
	return e.start(ctx, newCarrier(conn, true, key, p), cfg, e.greetDialled)
}

// start greets, keys, adopts and runs a carrier. It has been admitted before. It returns when the carrier runs or was refused; true
// means that there is no reason to dial again at once.
func (e *Endpoint) start(ctx context.Context, c *carrier, cfg Peer, greet func(context.Context, *carrier, Peer) error) bool {
	// The greeting's streams end with the carrier; what cancels the greeting must end the carrier.
	stop := context.AfterFunc(ctx, func() { c.close(codeTimeout, "greeting cut short") })
	e.greets(c.peer, 1)
	err := greet(ctx, c, cfg)
	stop()
	if err == nil {
		c.keys, err = newGeneration(c.conn, c.dialled, e.own, c.key)
	}
	if err != nil {
		e.greets(c.peer, -1)
		e.failed(c, cfg, err)
		e.release(c.peer)
		return closedFor(context.Cause(c.conn.Context()), codeDuplicate)
	}
	adopted := e.adopt(c)
	e.greets(c.peer, -1)
	if !adopted {
		e.counters.add(DuplicateDial)
		c.close(codeDuplicate, "another stays")
		e.release(c.peer)
		return true
	}
	e.counters.add(Adopted)
	e.note(c.peer, "")
	e.wg.Go(func() {
		defer e.release(c.peer)
		e.runCarrier(c)
	})
	return true
}

// failed closes a carrier whose greeting ended badly, and tells the node whatever a person can do something about.
func (e *Endpoint) failed(c *carrier, cfg Peer, err error) {
	code, why := quic.ApplicationErrorCode(codeTimeout), "greeting"
	refused, isRefusal := asRefused(err)
	switch {
	case isRefusal:
		e.counters.add(GreetingRefused)
		code, why = codeRefused, "refused"
		e.note(c.peer, refused.problem.Code)
		e.refuse(Refused{Side: cfg.Side, Address: c.conn.RemoteAddr().String(), Theirs: refused.theirs, Problem: refused.problem})
	case isMalformed(err):
		code, why = codeMalformed, "malformed"
		e.note(c.peer, problem.Malformed)
		e.counters.add(GreetingFailed)
		e.refuse(Refused{Side: cfg.Side, Address: c.conn.RemoteAddr().String(), Problem: problem.New(problem.Malformed)})
	default:
		e.counters.add(GreetingFailed)
	}
	e.cfg.Log.Debug("link greeting failed", "address", c.conn.RemoteAddr().String(), "error", err)
	if isRefusal && !refused.theirs {
		// Our HELLO_ACK with the problem is on its way; CONNECTION_CLOSE would overtake it and the peer would not learn why.
		select {
		case <-c.conn.Context().Done():
		case <-time.After(refusalLinger):
		}
	}
	c.close(code, why)
}

func dialProblem(err error) problem.Code {
	switch {
	case errors.Is(err, errUnknownKey):
		return problem.LinkUnknownKey
	case errors.Is(err, errClassical):
		return problem.ClassicalOnly
	default:
		return problem.NodeUnreachable
	}
}

func resolve(ctx context.Context, address string) (*net.UDPAddr, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split peer address: %w", err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return nil, fmt.Errorf("look up peer port: %w", err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return nil, fmt.Errorf("look up peer host: %w", errors.Join(err, net.ErrClosed))
	}
	slices.SortStableFunc(ips, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ips[0].Unmap(), uint16(number))), nil
}
