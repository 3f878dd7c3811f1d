package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
)

func testContext() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}

func filled(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, Options{})
	c := &chain{}
	for range 9 {
		if err := s.Append(t.Context(), testScope, testOwn, c.turn()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTampered changes one thing at a time behind the store's back. Every one is refused by name and the file is left as
// it was, byte for byte.
func TestTampered(t *testing.T) {
	sqls := map[string]string{
		"entry bytes":       `UPDATE entries SET bytes=(SELECT bytes FROM entries WHERE idx=4) WHERE idx=5`,
		"entry hash":        `UPDATE entries SET hash=zeroblob(32) WHERE idx=5`,
		"entry dropped":     `DELETE FROM entries WHERE idx=5`,
		"entries swapped":   `UPDATE entries SET idx=CASE idx WHEN 5 THEN 104 ELSE idx END; UPDATE entries SET idx=5 WHERE idx=4; UPDATE entries SET idx=4 WHERE idx=104`,
		"other scope":       `UPDATE entries SET scope=zeroblob(32)`,
		"term":              `UPDATE entries SET term=9 WHERE idx=3`,
		"signatures":        `UPDATE entries SET sigs=x'00' WHERE idx=3`,
		"own item dropped":  `DELETE FROM outbox WHERE side=(SELECT side FROM outbox GROUP BY side ORDER BY count(*) DESC LIMIT 1) AND seq=0; UPDATE outbox SET seq=seq-1`,
		"outbox hash":       `UPDATE outbox SET hash=zeroblob(32)`,
		"outbox other side": `UPDATE outbox SET side=zeroblob(32)`,
		"schema version":    `PRAGMA user_version=2`,
		"application":       `PRAGMA application_id=7`,
	}
	for name, q := range sqls {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			refusedUntouched(t, path)
		})
	}
}

func TestBadFiles(t *testing.T) {
	t.Run("not a database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "db")
		if err := os.WriteFile(path, bytes.Repeat([]byte("no"), 3000), 0o600); err != nil {
			t.Fatal(err)
		}
		refusedUntouched(t, path)
	})
	t.Run("a page overwritten", func(t *testing.T) {
		path := filled(t)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 4096; i < 4096*3; i++ {
			b[i] ^= 0x5a
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		refusedUntouched(t, path)
	})
	t.Run("cut short", func(t *testing.T) {
		path := filled(t)
		if err := os.Truncate(path, 4096*3+100); err != nil {
			t.Fatal(err)
		}
		refusedUntouched(t, path)
	})
	t.Run("a folder", func(t *testing.T) {
		if _, err := Open(t.Context(), t.TempDir(), Options{}); !errors.Is(err, ErrUnreadable) {
			t.Fatal(err)
		}
	})
}

func refusedUntouched(t *testing.T, path string) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err == nil {
		_ = s.Close()
		t.Fatal("opened")
	}
	if problem.CodeOf(err) != problem.StoreDamaged {
		t.Fatalf("not named as damage: %v", err)
	}
	t.Log(err)
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Fatal("the file was touched")
	}
}

// TestDiskFull fills the file to its bound: the turn that does not fit is refused by name, nothing of it is there, and the
// log goes on once there is room.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, Options{MaxPages: 120})
	c := &chain{size: 20000}
	n := uint64(0)
	var err error
	for range 100 {
		if err = s.Append(t.Context(), testScope, testOwn, c.turn()); err != nil {
			break
		}
		n++
	}
	if problem.CodeOf(err) != problem.DiskFull {
		t.Fatalf("after %d turns: %v", n, err)
	}
	saved, err := s.Load(t.Context(), testScope)
	if err != nil || uint64(len(saved.Entries)) != n {
		t.Fatalf("%d entries, want %d: %v", len(saved.Entries), n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	c = &chain{size: 20000}
	for range n {
		c.turn()
	}
	for range 3 {
		if err := s.Append(t.Context(), testScope, testOwn, c.turn()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	path := filled(t)
	// Root ignores permission bits, so the read-only file is made by SQLite's own open mode.
	db, err := sql.Open("sqlite", dsn(path, "ro", 0))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db, step: func(string) error { return nil }}
	defer s.Close()
	c := &chain{}
	for range 9 {
		c.turn()
	}
	if err := s.Append(t.Context(), testScope, testOwn, c.turn()); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	checkLog(t, s, 9)
}

func TestOneWriter(t *testing.T) {
	path := filled(t)
	first := open(t, path, Options{})
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatal(err)
	}
	beside := open(t, path, Options{Shared: true})
	if err := beside.SetSetting(t.Context(), "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if v, err := first.Setting(t.Context(), "k"); err != nil || string(v) != "v" {
		t.Fatal(v, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, Options{})
}

func BenchmarkAppend(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "db"), Options{})
	c := &chain{size: 1000}
	for b.Loop() {
		if err := s.Append(b.Context(), testScope, testOwn, c.turn()); err != nil {
			b.Fatal(err)
		}
	}
}

// A backup lacks own outbox items that were ordered since. They come back by value, in a peer's entries, and the own chain goes on after them.
func TestOwnItemsOfADiskOfYesterday(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "parley.db"), Options{})
	c := &chain{}
	entry := func(item []byte) ledger.Records {
		c.waiting = item
		r := c.turn()
		r.Items = nil
		return r
	}
	put := func(r ledger.Records) {
		t.Helper()
		if err := s.Append(t.Context(), testScope, testOwn, r); err != nil {
			t.Fatal(err)
		}
	}
	first, second := c.item(testOwn, &c.ownSeq, &c.ownPrev), c.item(testOwn, &c.ownSeq, &c.ownPrev)
	put(ledger.Records{Items: []ledger.Item{first}})
	put(entry(first.Bytes)) // was here already
	put(entry(second.Bytes))
	third := c.item(testOwn, &c.ownSeq, &c.ownPrev)
	put(ledger.Records{Items: []ledger.Item{third}})
	saved, err := s.Load(t.Context(), testScope)
	if err != nil || len(saved.Items) != 3 || saved.Items[1].Hash != second.Hash || saved.Items[2].Hash != third.Hash {
		t.Fatal(err, saved.Items)
	}
}
