package native

import (
	"crypto/rand"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
)

// Author makes acts signed by one device of one side.
type Author struct {
	Device ident.Key
	Side   []byte
	Now    func() time.Time
}

// Act is a new signed act and its id. Body is the structure of package act that kind names.
func (a Author) Act(scope []byte, kind act.Kind, body any) (act.Signed, act.ID) {
	nonce := make([]byte, act.NonceSize)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	b := act.Encode(act.Act{
		Version: act.Version, Scope: scope, Kind: kind, Side: a.Side, Key: a.Device.Public(),
		At: a.Now().UnixMilli(), Nonce: nonce, Body: act.Encode(body),
	})
	return act.Signed{Act: b, Sig: a.Device.Sign(act.ContextAct, b)}, act.IDOf(b)
}
