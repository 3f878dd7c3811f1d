package store

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ledger"
)

// FuzzVerify: whatever the rows hold, verify answers and does not panic; what it passes has a sound chain.
func FuzzVerify(f *testing.F) {
	c := &chain{}
	for range 4 {
		r := c.turn()
		item := []byte{}
		if len(r.Items) > 0 {
			item = r.Items[0].Bytes
		}
		f.Add(r.Entries[0].Bytes, item, r.Entries[0].Index)
	}
	f.Fuzz(func(t *testing.T, entry, item []byte, n uint64) {
		s := ledger.Saved{Scope: testScope, Entries: []ledger.Entry{{Index: n, Term: 1, Hash: act.Hash(entry), Bytes: entry}}}
		if verify(s) == nil && n != 0 {
			t.Fatal("a log that does not begin at 0")
		}
		s = ledger.Saved{Scope: testScope, Items: []ledger.Item{{Side: testPeer, Seq: n, Hash: sha256.Sum256(item), Bytes: item}}}
		_ = verify(s)
	})
}

// TestOpenMutated: a file with bytes changed opens or is refused by a name; it does not panic, and a refusal leaves it as it is.
// (A fuzz target would instrument the whole of SQLite and get nowhere; this is a few hundred changes from a seed.)
func TestOpenMutated(t *testing.T) {
	good, err := os.ReadFile(filled(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	refused := 0
	for i := range 200 {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		b := append([]byte(nil), good...)
		at := r.IntN(len(b))
		if i%2 == 0 {
			at = r.IntN(200) // the header
		}
		for k := range 1 + r.IntN(4) {
			b[(at+k)%len(b)] = byte(r.IntN(256))
		}
		if i%10 == 9 {
			b = b[:r.IntN(len(b))]
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, Options{})
		if err == nil {
			_ = s.Close()
			continue
		}
		refused++
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(after, b) {
			t.Fatalf("change %d: the file was touched", i)
		}
	}
	t.Logf("%d of 200 refused", refused)
}
