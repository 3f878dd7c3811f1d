package link

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/quic-go/quic-go"
)

// Secret is 32 random bytes that a node keeps from start to start. From it come the keys with which a node that crashed and came back
// tells its peer, on the first packet, that the old carrier is gone (RFC 9000 §10.3). Nothing about identity hangs on it.
type Secret [32]byte

const redacted = "redacted"

// Format prints "redacted" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON writes "redacted".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText writes "redacted".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is "redacted".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// resetKey and tokenKey are derived (RFC 5869) with labels of their own, so that a token that leaks says nothing of resets.
func (s Secret) resetKey() *quic.StatelessResetKey {
	k := quic.StatelessResetKey(s.derive("stateless-reset"))
	return &k
}

func (s Secret) tokenKey() *quic.TokenGeneratorKey {
	k := quic.TokenGeneratorKey(s.derive("address-token"))
	return &k
}

func (s Secret) derive(purpose string) [32]byte {
	b, err := hkdf.Key(sha256.New, s[:], nil, secretContext+"\x00"+purpose, 32)
	if err != nil {
		panic(err) // only for lengths above 255 hashes
	}
	return [32]byte(b)
}

// serverName is the SNI under which a side's node is asked for. Whoever knows the side id can say it; a scanner cannot, and gets neither
// a certificate nor a word. It is no secret (SNI crosses the network in an Initial packet that anybody on the path can open)
// and names nobody to those who do not know the side already.
func serverName(side [32]byte) string {
	h := sha256.Sum256(append([]byte(sniContext+"\x00"), side[:]...))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(h[:20])) + ".link.invalid"
}
