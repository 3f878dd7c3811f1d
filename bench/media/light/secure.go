//go:build linux

package light

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

const handshakeTime = 20 * time.Second

// profiles in our order: the cheapest first, which is what the comparison is made with; the last for servers that have nothing else.
var profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}

func random32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	return binary.BigEndian.Uint32(b[:])
}

// certificate is one for all ends of a loop, and its SDP fingerprint.
func certificate() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("light: certificate: %w", err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("light: certificate: %w", err)
	}
	hash := sha256.Sum256(der)
	pairs := make([]string, len(hash))
	for i, b := range hash {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, strings.Join(pairs, ":"), nil
}

// runSecure makes the DTLS connection and the SRTP contexts, then reads and drops what comes inside until the end closes.
func (e *End) runSecure() {
	conn, err := e.handshake()
	if err == nil {
		err = e.key(conn)
	}
	e.mu.Lock()
	e.err = err
	if err == nil {
		e.dtls = conn
	}
	e.mu.Unlock()
	close(e.stood)
	if err != nil {
		return
	}
	select {
	case <-e.gone:
		_ = conn.Close()
	default:
	}
	buf := make([]byte, 8192)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

func (e *End) handshake() (*dtls.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	e.mu.Lock()
	client := e.client
	e.mu.Unlock()
	var c *dtls.Conn
	var err error
	p := &records{e: e}
	if client {
		c, err = dtls.ClientWithOptions(p, p.RemoteAddr(),
			dtls.WithCertificates(e.loop.cert), dtls.WithInsecureSkipVerify(true), dtls.WithSRTPProtectionProfiles(profiles...),
			dtls.WithFlightInterval(300*time.Millisecond), dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret))
	} else {
		c, err = dtls.ServerWithOptions(p, p.RemoteAddr(),
			dtls.WithCertificates(e.loop.cert), dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerify(true),
			dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithInsecureSkipVerifyHello(true),
			dtls.WithFlightInterval(300*time.Millisecond), dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret))
	}
	if err != nil {
		return nil, fmt.Errorf("light: DTLS: %w", err)
	}
	if err := c.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("light: DTLS: %w", err)
	}
	return c, nil
}

func (e *End) key(conn *dtls.Conn) error {
	state, ok := conn.ConnectionState()
	profile, chosen := conn.SelectedSRTPProtectionProfile()
	if !ok || !chosen {
		return fmt.Errorf("light: no SRTP profile was agreed on")
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, e.client); err != nil {
		return fmt.Errorf("light: SRTP keys: %w", err)
	}
	opening, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile)
	if err != nil {
		return fmt.Errorf("light: SRTP keys: %w", err)
	}
	sealing, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		return fmt.Errorf("light: SRTP keys: %w", err)
	}
	e.mu.Lock()
	e.profile, e.opening, e.sealing = c.Profile, opening, sealing
	e.mu.Unlock()
	return nil
}

// records is the socket as pion/dtls sees it: only DTLS, one far end.
type records struct{ e *End }

func (r *records) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-r.e.gone:
		return 0, nil, net.ErrClosed
	case d := <-r.e.in:
		return copy(b, d), r.RemoteAddr(), nil
	}
}

func (r *records) WriteTo(b []byte, _ net.Addr) (int, error) {
	r.e.mu.Lock()
	to := r.e.remote
	r.e.mu.Unlock()
	sendTo(r.e.fd, b, to)
	return len(b), nil
}

func (r *records) RemoteAddr() net.Addr {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	return net.UDPAddrFromAddrPort(r.e.remote)
}
func (r *records) LocalAddr() net.Addr                { return net.UDPAddrFromAddrPort(r.e.local) }
func (r *records) Close() error                       { return nil }
func (r *records) SetDeadline(time.Time) error        { return os.ErrNoDeadline }
func (r *records) SetReadDeadline(time.Time) error    { return os.ErrNoDeadline }
func (r *records) SetWriteDeadline(t time.Time) error { return nil }
