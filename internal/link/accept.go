package link

import (
	"context"
	"errors"
	"sync"

	"github.com/quic-go/quic-go"
)

var errTooManyHandshakes = errors.New("link: too many handshakes")

type handshakeKey struct{}

// countHandshake bounds what strangers can make us compute: it runs before the first cryptographic step of a handshake.
func (e *Endpoint) countHandshake(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if e.shaking.Add(1) > maxHandshakes {
		e.shaking.Add(-1)
		return nil, errTooManyHandshakes
	}
	done := sync.OnceFunc(func() { e.shaking.Add(-1) })
	context.AfterFunc(ctx, done) // quic-go ends ctx when the handshake fails
	return context.WithValue(ctx, handshakeKey{}, done), nil
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
