package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// Call is a program's end of a socket: `parley person`, native participants, tests.
type Call struct{ ws *websocket.Conn }

// Dial opens the socket of the node at an address like https://node.example:8443. A nil tls.Config trusts the system's
// authorities; a side's own authority goes into RootCAs. There is no way to skip verification.
func Dial(ctx context.Context, address string, conf *tls.Config) (*Call, error) {
	transport := &http.Transport{TLSClientConfig: conf, Proxy: nil}
	ws, _, err := websocket.Dial(ctx, strings.TrimRight(address, "/")+"/ws", &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: transport},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, fmt.Errorf("reach the node at %s: %w", address, err)
	}
	ws.SetReadLimit(4 * MaxMessage) // a node may send a batch of entries
	return &Call{ws}, nil
}

// Send writes one message.
func (c *Call) Send(ctx context.Context, b []byte) error {
	if err := c.ws.Write(ctx, websocket.MessageBinary, b); err != nil {
		return fmt.Errorf("write to the node: %w", err)
	}
	return nil
}

// Receive waits for one message.
func (c *Call) Receive(ctx context.Context) ([]byte, error) {
	kind, b, err := c.ws.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read from the node: %w", err)
	}
	if kind != websocket.MessageBinary {
		return nil, ErrNotBinary
	}
	return b, nil
}

// Close ends the socket without waiting for the node.
func (c *Call) Close() { _ = c.ws.CloseNow() }
