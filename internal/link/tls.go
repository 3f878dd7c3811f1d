package link

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

var (
	errUnknownName = errors.New("link: asked for by a name that is not ours")
	errClassical   = errors.New("link: no post-quantum key exchange")
	errUnknownKey  = errors.New("link: node key not pinned")
	errWrongALPN   = errors.New("link: wrong application protocol")
)

// certificate wraps the node key so that TLS can show it. Nobody reads anything but the key; it names nothing.
func certificate(node ident.Key) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 §4.1.2.5: no good end known; NodeCert has the real one
	}
	key := node.Signer()
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("wrap node key: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// baseTLS is what both ends share. Curves: the hybrid alone, so a classical peer fails in the handshake, and VerifyConnection checks the
// outcome besides, so that no later change of defaults opens the door. No tickets and no 0-RTT: resumption would skip nothing we do in
// VerifyConnection, but there is no reason to have it.
func (e *Endpoint) baseTLS() *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{e.cert},
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{ALPN},
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768},
		SessionTicketsDisabled: true,
	}
}

// serverTLS rejects in GetConfigForClient, which runs before anything of ours is sent: a wrong name, a classical offer.
func (e *Endpoint) serverTLS() *tls.Config {
	c := e.baseTLS()
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		from := ""
		if hello.Conn != nil {
			from = hello.Conn.RemoteAddr().String()
		}
		if hello.ServerName != e.name {
			e.counters.add(NameRefused)
			e.refuse(Refused{Address: from, Problem: problem.New(problem.LinkUnknownKey, "reason", "name")})
			return nil, errUnknownName
		}
		if !slices.Contains(hello.SupportedCurves, tls.X25519MLKEM768) {
			e.counters.add(ClassicalRefused)
			e.refuse(Refused{Address: from, Problem: problem.New(problem.ClassicalOnly)})
			return nil, errClassical
		}
		c := e.baseTLS()
		c.ClientAuth = tls.RequireAnyClientCert // pinned below; no authority is asked
		c.VerifyConnection = func(cs tls.ConnectionState) error {
			key, err := verifyCommon(cs)
			if err != nil {
				if errors.Is(err, errClassical) {
					e.refuse(Refused{Address: from, Problem: problem.New(problem.ClassicalOnly)})
				}
				return err
			}
			if e.peerByKey(key) == nil {
				e.counters.add(KeyRefused)
				e.refuse(Refused{Address: from, Problem: problem.New(problem.LinkUnknownKey, "reason", "key")})
				return errUnknownKey
			}
			return nil
		}
		return c, nil
	}
	return c
}

// clientTLS pins the keys of one peer.
func (e *Endpoint) clientTLS(p Peer) *tls.Config {
	c := e.baseTLS()
	c.ServerName = serverName(p.Side)
	c.InsecureSkipVerify = true // there is no authority; VerifyConnection pins the key, and runs on every handshake
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		key, err := verifyCommon(cs)
		if err != nil {
			if errors.Is(err, errClassical) {
				e.refuse(Refused{Side: p.Side, Address: p.Address, Problem: problem.New(problem.ClassicalOnly)})
			}
			return err
		}
		if !hasKey(p.NodeKeys, key) {
			e.counters.add(KeyRefused)
			e.refuse(Refused{Side: p.Side, Address: p.Address, Problem: problem.New(problem.LinkUnknownKey, "reason", "key")})
			return errUnknownKey
		}
		return nil
	}
	return c
}

// verifyCommon checks what does not depend on who the peer is, and returns the peer's key. TLS has not yet checked at this point that
// the peer holds the private key (CertificateVerify follows); a handshake without that proof never completes.
func verifyCommon(cs tls.ConnectionState) (ed25519.PublicKey, error) {
	switch {
	case cs.Version != tls.VersionTLS13 || cs.DidResume:
		return nil, fmt.Errorf("link: TLS version %x, resumed %t", cs.Version, cs.DidResume)
	case cs.CurveID != tls.X25519MLKEM768:
		return nil, errClassical
	case cs.NegotiatedProtocol != ALPN:
		return nil, errWrongALPN
	case len(cs.PeerCertificates) != 1:
		return nil, fmt.Errorf("%w: %d certificates", errUnknownKey, len(cs.PeerCertificates))
	}
	key, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: not an Ed25519 key", errUnknownKey)
	}
	return key, nil
}

func hasKey(keys []ed25519.PublicKey, key ed25519.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return bytes.Equal(k, key) })
}
