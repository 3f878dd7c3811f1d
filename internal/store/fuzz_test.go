package store

import (
	"context"
	"crypto/sha256"
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

// FuzzOpen: a file with bytes changed opens or is refused; it does not panic, and a refusal leaves it as it is.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed")
	s := open(f, path, Options{})
	if err := s.Append(context.Background(), testScope, testOwn, (&chain{}).turn()); err != nil {
		f.Fatal(err)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(18), []byte{9}, uint32(len(good)))
	f.Add(uint32(100), []byte("\xff\xff\xff\xff"), uint32(len(good)))
	f.Add(uint32(60), []byte{0, 0, 0, 2}, uint32(len(good)))
	f.Add(uint32(5000), []byte("parley"), uint32(9000))
	f.Fuzz(func(t *testing.T, at uint32, change []byte, size uint32) {
		b := append([]byte(nil), good...)
		copy(b[int(at)%len(b):], change)
		b = b[:min(int(size), len(b))]
		path := filepath.Join(t.TempDir(), "db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, Options{})
		if err == nil {
			_ = s.Close()
			return
		}
		after, err := os.ReadFile(path)
		if err != nil || string(after) != string(b) {
			t.Fatal("the file was touched")
		}
	})
}
