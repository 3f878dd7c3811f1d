package link

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"sync"

	"github.com/quic-go/quic-go"
)

var errTooManyHandshakes = errors.New("link: too many handshakes")

type handshakeKey struct{}

// countHandshake bounds what strangers can make us compute: it runs before the first cryptographic step of a handshake. Addresses where
// a peer was found before have a number of their own, so that strangers who fill theirs do not keep a peer out; above retryAbove of either,
// QUIC first makes whoever comes show that the address is theirs.
func (e *Endpoint) countHandshake(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	n, limit := &e.strangers, int64(maxStrangers)
	if u, ok := info.RemoteAddr.(*net.UDPAddr); ok && (*e.familiar.Load())[unmap(u.AddrPort()).Addr()] {
		n, limit = &e.friends, maxFriends
	}
	if n.Add(1) > limit {
		n.Add(-1)
		e.counters.add(Crowded)
		return nil, errTooManyHandshakes
	}
	done := sync.OnceFunc(func() { n.Add(-1) })
	context.AfterFunc(ctx, done) // quic-go ends ctx when the handshake fails
	return context.WithValue(ctx, handshakeKey{}, done), nil
}

// crowded says whether newcomers must first answer from their address (RFC 9000 §8.1.2).
func (e *Endpoint) crowded(net.Addr) bool { return e.strangers.Load()+e.friends.Load() > retryAbove }

// meet remembers an address where a peer answers to its key. Called under mu; readers take no lock.
func (e *Endpoint) meet(a netip.Addr) {
	old := *e.familiar.Load()
	if old[a] || len(old) >= maxFamiliar {
		return
	}
	next := maps.Clone(old)
	next[a] = true
	e.familiar.Store(&next)
}

// runAccept takes carriers whose handshake is complete, the peer's key proven.
func (e *Endpoint) runAccept(ctx context.Context, l *quic.Listener) {
	for {
		conn, err := l.Accept(ctx)
		if err != nil {
			return
		}
		if done, ok := conn.Context().Value(handshakeKey{}).(func()); ok {
			done()
		}
		e.wg.Go(func() { e.runAccepted(ctx, conn) })
	}
}

func (e *Endpoint) runAccepted(ctx context.Context, conn *quic.Conn) {
	key, err := verifyCommon(conn.ConnectionState().TLS)
	if err != nil { // VerifyConnection has seen to it
		_ = conn.CloseWithError(codeRefused, "")
		return
	}
	p := e.peerByKey(key)
	if p == nil { // removed since the handshake
		_ = conn.CloseWithError(codeNotWanted, "not wanted")
		return
	}
	if !e.admit(p) {
		_ = conn.CloseWithError(codeQuota, "too many")
		return
	}
	e.mu.Lock()
	cfg := p.cfg
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	e.start(ctx, newCarrier(conn, false, key, p), cfg, e.greetAccepted)
}
