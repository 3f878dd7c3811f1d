package node

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/store"
)

// ledgerConfig is what every log of this node is kept with.
func (n *Node) ledgerConfig() ledger.Config {
	return ledger.Config{
		Own: n.side().ID, Key: n.key.Public(), Sign: n.key.Sign, Verify: session.Verify,
		Nonce: func() (b [act.NonceSize]byte) {
			_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
			return b
		},
	}
}

var nodeStopping = problem.New(problem.NodeStopping)

func openStore(ctx context.Context, dir string) (*store.Store, error) {
	path := filepath.Join(dir, storeFile)
	st, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return nil, opening(path, err)
	}
	return st, nil
}

func noteTo(ctx context.Context, st *store.Store, kind, person, detail string) {
	_ = st.Log(ctx, store.SecurityLine{At: millis(time.Now()), Kind: kind, Person: person, Detail: detail})
}

// introductionOf is what the peer said of itself in its hello.
func introductionOf(e link.Up) []byte { return nil }

// seen remembers keys for a minute.
type seen struct {
	mu    sync.Mutex
	since time.Time
	keys  map[string]bool
}

const maxSeen = 4096

func (s *seen) first(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || now.Sub(s.since) > time.Minute || len(s.keys) >= maxSeen {
		s.since, s.keys = now, map[string]bool{}
	}
	if s.keys[key] {
		return false
	}
	s.keys[key] = true
	return true
}
