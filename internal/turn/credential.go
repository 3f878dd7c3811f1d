package turn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

const (
	// afterwards is how long an open relay may be kept after its credential ended: refreshing asks for authentication again, and a session
	// may last longer than a credential. No new relay is made.
	afterwards  = 24 * time.Hour
	maxUsername = 64 // bytes
	redacted    = "redacted"
)

// Credential lets one accredited participant use the relay for a while. The user name says nothing about the person. Password is a secret
// and prints as redacted; read the field to hand it over.
type Credential struct {
	Username string
	Password string
	Until    time.Time
}

// String, GoString, LogValue and MarshalJSON keep the password out of logs.
func (c Credential) String() string               { return redacted }
func (c Credential) GoString() string             { return redacted }
func (c Credential) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (c Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// secret makes and checks credentials without remembering any: the password is a MAC of the user name, which holds the time it ends.
type secret struct{ key []byte }

func (secret) String() string               { return redacted }
func (secret) GoString() string             { return redacted }
func (secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Credential makes a credential for one device. Relays are counted by the device, however many credentials it was given: each socket brings a new
// one. Whoever sees the user name can tell that two relays are one device's, and not whose.
func (s *Server) Credential(now time.Time, life time.Duration, device []byte) Credential {
	m := hmac.New(sha256.New, s.secret.key)
	m.Write([]byte("parley turn device\x00"))
	m.Write(device)
	until := now.Add(life)
	user := strconv.FormatInt(until.Unix(), 10) + ":" + hex.EncodeToString(m.Sum(nil)[:8])
	return Credential{Username: user, Password: s.secret.password(user), Until: until}
}

func (s secret) password(user string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte("parley turn\x00" + user))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// check gives the key to verify a request with (RFC 8489 §9.2.2). Anybody may name any user; only the right password makes the request's
// own MAC come out.
func (s secret) check(ra *turn.RequestAttributes, now time.Time) (user string, key []byte, ok bool) {
	until, ok := expiry(ra.Username)
	if !ok {
		return "", nil, false
	}
	if ra.Method != stun.MethodAllocate {
		until = until.Add(afterwards)
	}
	if !now.Before(until) {
		return "", nil, false
	}
	return ra.Username, turn.GenerateAuthKey(ra.Username, ra.Realm, s.password(ra.Username)), true
}

// deviceOf is the part of a user name that is the same in all credentials of a device. It is asked only of names whose password was right.
func deviceOf(user string) string {
	_, device, _ := strings.Cut(user, ":")
	return device
}

func expiry(user string) (time.Time, bool) {
	if len(user) > maxUsername {
		return time.Time{}, false
	}
	at, id, found := strings.Cut(user, ":")
	n, err := strconv.ParseInt(at, 10, 64)
	if !found || id == "" || err != nil || n < 0 || n > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}
