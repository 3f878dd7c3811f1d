package sim

import (
	"path/filepath"
	"reflect"
	"testing"

	"parley.link/parley/internal/store"
)

// reloadStore starts from the real file: closed, opened with all its checks, loaded, replayed. What it holds is what the
// simulated disk holds.
func (n *node) reloadStore() {
	ctx := n.s.t.Context()
	if err := n.db.Close(); err != nil {
		n.s.fail("close: %v", err)
	}
	n.openStore()
	saved, err := n.db.Load(ctx, n.s.scope)
	if err != nil {
		n.s.fail("load: %v", err)
		return
	}
	if len(saved.Entries) != len(n.disk.Entries) || len(saved.Items) != len(n.disk.Items) || len(saved.Evidence) != len(n.disk.Evidence) ||
		!reflect.DeepEqual(saved.Entries, n.disk.Entries) || !reflect.DeepEqual(saved.Promise, n.disk.Promise) {
		n.s.fail("node %d: the file holds something else than was written", n.index)
	}
	if err := n.book.Restore(n.withSnapshot(saved), n.clock()); err != nil {
		n.s.fail("node %d does not start: %v", n.index, err)
	}
}

func (n *node) openStore() {
	db, err := store.Open(n.s.t.Context(), filepath.Join(n.dir, "db"), store.Options{})
	if err != nil {
		n.s.fail("open: %v", err)
		return
	}
	n.db = db
}

// TestSeedsOnSQLite is TestSeeds with the real store under every node.
func TestSeedsOnSQLite(t *testing.T) {
	n := 12
	if testing.Short() {
		n = 4
	}
	for seed := uint64(1001); seed < 1001+uint64(n) && !t.Failed(); seed++ {
		runSeedOn(t, seed, false, func(s *sim) {
			for _, n := range s.nodes {
				n.dir = t.TempDir()
				n.openStore()
				t.Cleanup(func() { _ = n.db.Close() })
			}
		})
	}
}
