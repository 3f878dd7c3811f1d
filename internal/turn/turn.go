// Package turn is the node's own TURN server (RFC 8656), for people whose network lets nothing else through. It is no relay to
// anywhere: what it relays goes to this node's media address and to nothing else, whoever asks. It is the only user of pion/turn.
package turn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// Errors a caller may tell apart.
var (
	ErrAddress = errors.New("turn: cannot listen")
	ErrNoMedia = errors.New("turn: no media address to relay to")
)

// Realm is told to clients; it has no meaning.
const Realm = "parley"

// Media is one address of this node's UDP media port: as clients know it, and as it is bound here. They differ behind a one-to-one NAT;
// then relayed packets take the short way.
type Media struct {
	Told  netip.AddrPort
	Bound netip.AddrPort
}

// Config says where TURN listens and what it relays to. At least one of UDP, TCP, TLS and Listeners is needed.
type Config struct {
	UDP, TCP string // host:port; empty: none
	TLS      string // host:port; needs Certificate
	// Certificate gives the certificate for TLS, as tls.Config.GetCertificate does.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Listeners   []net.Listener // more streams, already TLS: the web server's port can be shared by ALPN "stun.turn"

	Media  []Media
	Secret []byte // for credentials, at least 16 bytes; a new one at every start is fine
}

// Server is a running TURN server.
type Server struct {
	server *turn.Server
	quota  *quota
	secret secret
	udp    net.PacketConn
	tcp    net.Listener
	tls    net.Listener
}

// New listens and serves until Close.
func New(cfg Config) (*Server, error) {
	if len(cfg.Media) == 0 {
		return nil, ErrNoMedia
	}
	if len(cfg.Secret) < 16 {
		return nil, errors.New("turn: secret shorter than 16 bytes")
	}
	s := &Server{quota: newQuota(), secret: secret{key: cfg.Secret}}
	if err := s.listen(cfg); err != nil {
		s.closePorts()
		return nil, err
	}
	relay := &relays{media: cfg.Media}
	conf := turn.ServerConfig{
		Realm:         Realm,
		LoggerFactory: quietFactory{},
		AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
			return s.secret.check(ra, time.Now())
		},
		QuotaHandler: func(user, _ string, _ net.Addr) bool { return s.quota.allows(deviceOf(user)) },
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) { s.quota.add(deviceOf(user), 1) },
			OnAllocationDeleted: func(_, _ net.Addr, _, user, _ string) { s.quota.add(deviceOf(user), -1) },
		},
		InboundMTU: 1600,
	}
	if s.udp != nil {
		conf.PacketConnConfigs = append(conf.PacketConnConfigs, turn.PacketConnConfig{
			PacketConn: s.udp, RelayAddressGenerator: relay, PermissionHandler: relay.permits,
		})
	}
	streams := cfg.Listeners
	if s.tcp != nil {
		streams = append(streams[:len(streams):len(streams)], s.tcp)
	}
	if s.tls != nil {
		streams = append(streams[:len(streams):len(streams)], s.tls)
	}
	for _, l := range streams {
		conf.ListenerConfigs = append(conf.ListenerConfigs, turn.ListenerConfig{
			Listener: limit(l, maxStreams), RelayAddressGenerator: relay, PermissionHandler: relay.permits,
		})
	}
	server, err := turn.NewServer(conf)
	if err != nil {
		s.closePorts()
		return nil, fmt.Errorf("turn: %w", err)
	}
	s.server = server
	return s, nil
}

func (s *Server) listen(cfg Config) (err error) {
	fail := func(setting, addr string, err error) error {
		return fmt.Errorf("%w: %s %q (host:port, as in 0.0.0.0:3478): %w", ErrAddress, setting, addr, err)
	}
	if cfg.UDP != "" {
		if s.udp, err = net.ListenPacket("udp", cfg.UDP); err != nil {
			return fail("TURN UDP address", cfg.UDP, err)
		}
	}
	if cfg.TCP != "" {
		if s.tcp, err = net.Listen("tcp", cfg.TCP); err != nil {
			return fail("TURN TCP address", cfg.TCP, err)
		}
	}
	if cfg.TLS != "" {
		if cfg.Certificate == nil {
			return fail("TURN TLS address", cfg.TLS, errors.New("no certificate is configured"))
		}
		l, err := net.Listen("tcp", cfg.TLS)
		if err != nil {
			return fail("TURN TLS address", cfg.TLS, err)
		}
		s.tls = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cfg.Certificate})
	}
	if s.udp == nil && s.tcp == nil && s.tls == nil && len(cfg.Listeners) == 0 {
		return fmt.Errorf("%w: no TURN address is set", ErrAddress)
	}
	return nil
}

// UDPAddr, TCPAddr and TLSAddr are where it listens, nil for what was not asked for.
func (s *Server) UDPAddr() net.Addr {
	if s.udp == nil {
		return nil
	}
	return s.udp.LocalAddr()
}

// TCPAddr is the address for TURN over TCP.
func (s *Server) TCPAddr() net.Addr { return addrOf(s.tcp) }

// TLSAddr is the address for TURN over TLS.
func (s *Server) TLSAddr() net.Addr { return addrOf(s.tls) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

// Allocations is how many relays are open.
func (s *Server) Allocations() int { return s.quota.total() }

// Close ends all relays and stops listening.
func (s *Server) Close() error { return s.server.Close() }

func (s *Server) closePorts() {
	if s.udp != nil {
		_ = s.udp.Close()
	}
	if s.tcp != nil {
		_ = s.tcp.Close()
	}
	if s.tls != nil {
		_ = s.tls.Close()
	}
}

// quietFactory keeps the library silent: it logs user names and addresses.
type quietFactory struct{}

func (quietFactory) NewLogger(string) logging.LeveledLogger {
	return &logging.DefaultLeveledLogger{} // level "disabled" is the zero value
}
