package node

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/store"
)

// A node that stops in order starts from where it was; one whose snapshot was changed replays everything. Either way the state is the same.
func TestStartFromSnapshot(t *testing.T) {
	w := newWorld(t)
	scope, _ := w.gather()
	id := ledger.Scope(scope)
	w.b.halt()
	look := func(f func(*store.Store)) {
		s, err := store.Open(context.Background(), filepath.Join(w.b.data, storeFile), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var snap ledger.Snapshot
	var want []byte
	look(func(s *store.Store) {
		saved, err := s.Load(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		cfg := w.b.node.ledgerConfig()
		cfg.Scope = id
		l, err := ledger.Replay(cfg, saved, 0)
		if err != nil {
			t.Fatal(err)
		}
		want = l.State().Snapshot()
		if snap, err = s.LoadSnapshot(context.Background(), id); err != nil || snap.Index+1 != uint64(len(saved.Entries)) {
			t.Fatal("no snapshot of the end", err, snap.Index, len(saved.Entries))
		}
	})
	starts := func(resumed uint64) {
		t.Helper()
		s, err := store.Open(context.Background(), filepath.Join(w.b.data, storeFile), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		env := &scopeEnv{own: w.b.id, ledger: w.b.node.ledgerConfig(), store: s, clock: newClock(), log: w.b.node.log}
		sc, err := restore(context.Background(), env, id)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := sc.led.Resumed(); n != resumed || !bytes.Equal(sc.led.State().Snapshot(), want) {
			t.Fatalf("resumed %d entries, want %d", n, resumed)
		}
	}
	starts(snap.Index + 1)
	look(func(s *store.Store) {
		snap.State[len(snap.State)-1] ^= 1 // with the sum made right again
		if err := s.SaveSnapshot(context.Background(), id, snap); err != nil {
			t.Fatal(err)
		}
	})
	starts(0)
	w.b.start()
	w.linked()
}
