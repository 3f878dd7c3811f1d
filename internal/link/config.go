package link

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"parley.link/parley/internal/ident"
)

// Socket is what the link needs of a UDP port. *net.UDPConn is one; so is a simulated network.
type Socket interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// Config is what an Endpoint is made of. It has no printable form: it holds the node key.
type Config struct {
	Listen string // UDP host:port of the link, for example ":7443"; ignored when Socket is set
	Socket Socket // closed by Run

	Key        ident.Key           // the node key; it is the TLS key too
	Delegation ident.DelegationKey // of the own side
	NodeCert   []byte              // of the own node by the own delegation key: canonical ident.Signed; see SetNodeCert
	Secret     Secret              // kept from start to start
	Boot       uint64              // differs from start to start; not 0
	Build      string              // what HELLO tells the peer, at most 64 bytes

	// Introduction is what HELLO says of the own side: canonical act.PlanSide, at most 32 KiB. Nil: nothing.
	Introduction func() []byte

	ProtocolMin uint32        // 0: ProtocolMin
	ProtocolMax uint32        // 0: ProtocolMax
	Rekey       time.Duration // between two carriers of one link; 0: 6 h

	Log *slog.Logger // nil: none
}

// Peer is what the link card and a human's comparison say about the other side.
type Peer struct {
	Side       [32]byte
	Delegation ident.DelegationKey
	NodeKeys   []ed25519.PublicKey
	Address    string // UDP host:port; empty: the peer dials
	Verified   bool   // by hand, out of band; without it the link stays down
	How        string // how and when, for Status
}

// Format prints "redacted" for every verb.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON writes "redacted".
func (Config) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue is "redacted".
func (Config) LogValue() slog.Value { return slog.StringValue(redacted) }

// ErrConfig is returned for a configuration that cannot work.
var ErrConfig = errors.New("link: configuration")

func (c *Config) complete() error {
	switch {
	case c.Key.IsZero():
		return fmt.Errorf("%w: no node key", ErrConfig)
	case c.Secret == Secret{}:
		return fmt.Errorf("%w: no stored secret", ErrConfig)
	case c.Boot == 0: // a restart would look like a redial, and the peer would keep tracks we have forgotten
		return fmt.Errorf("%w: no boot number", ErrConfig)
	case len(c.Build) > 64:
		return fmt.Errorf("%w: build of %d bytes", ErrConfig, len(c.Build))
	}
	if c.ProtocolMin == 0 {
		c.ProtocolMin = ProtocolMin
	}
	if c.ProtocolMax == 0 {
		c.ProtocolMax = ProtocolMax
	}
	if c.Rekey == 0 {
		c.Rekey = defaultRekey
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

func (p *Peer) check() error {
	switch {
	case ident.SideID(p.Delegation) != p.Side:
		return fmt.Errorf("%w: peer's side is not the hash of its delegation key", ErrConfig)
	case len(p.NodeKeys) == 0 || len(p.NodeKeys) > 8:
		return fmt.Errorf("%w: peer has %d node keys", ErrConfig, len(p.NodeKeys))
	}
	for _, k := range p.NodeKeys {
		if len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("%w: peer's node key of %d bytes", ErrConfig, len(k))
		}
	}
	return nil
}
