package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"

	"parley.link/parley/internal/ledger"
)

// Snapshot is an engine's state after an entry, kept so that a long log need not be replayed from its beginning. It is a
// cache: anything wrong with it means replaying, never a problem.
type Snapshot struct {
	Index uint64   // of the last entry applied
	Hash  [32]byte // of that entry
	State []byte
}

func (p Snapshot) sum() []byte {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, p.Index)
	h.Write(p.Hash[:])
	h.Write(p.State)
	return h.Sum(nil)
}

// SaveSnapshot replaces the scope's snapshot.
func (s *Store) SaveSnapshot(ctx context.Context, scope ledger.Scope, p Snapshot) error {
	return s.write(ctx, "save a snapshot", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO snapshots(scope,idx,hash,state,sum) VALUES(?,?,?,?,?)
			ON CONFLICT(scope) DO UPDATE SET idx=excluded.idx, hash=excluded.hash, state=excluded.state, sum=excluded.sum`,
			scope[:], int64(p.Index), p.Hash[:], notNil(p.State), p.sum())
		return err
	})
}

// LoadSnapshot returns the scope's snapshot, or ErrNotFound when there is none that is whole and stands on the log.
func (s *Store) LoadSnapshot(ctx context.Context, scope ledger.Scope) (Snapshot, error) {
	var p Snapshot
	var hash, sum []byte
	err := s.db.QueryRowContext(ctx, `SELECT s.idx, s.hash, s.state, s.sum FROM snapshots s
		JOIN entries e ON e.scope=s.scope AND e.idx=s.idx AND e.hash=s.hash WHERE s.scope=?`, scope[:]).
		Scan(&p.Index, &hash, &p.State, &sum)
	copy(p.Hash[:], hash)
	if errors.Is(err, sql.ErrNoRows) || err == nil && string(sum) != string(p.sum()) {
		return Snapshot{}, ErrNotFound
	}
	return p, typed("load a snapshot", err)
}
