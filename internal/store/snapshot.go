package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"

	"parley.link/parley/internal/ledger"
)

// sum finds a broken row before anybody opens it. It proves nothing: the ledger's seal does.
func sum(p ledger.Snapshot) []byte {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, p.Index)
	h.Write(p.Hash[:])
	h.Write(p.State)
	return h.Sum(nil)
}

// SaveSnapshot replaces the scope's snapshot.
func (s *Store) SaveSnapshot(ctx context.Context, scope ledger.Scope, p ledger.Snapshot) error {
	return s.write(ctx, "save a snapshot", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO snapshots(scope,idx,hash,state,sum) VALUES(?,?,?,?,?)
			ON CONFLICT(scope) DO UPDATE SET idx=excluded.idx, hash=excluded.hash, state=excluded.state, sum=excluded.sum`,
			scope[:], int64(p.Index), p.Hash[:], notNil(p.State), sum(p))
		return err
	})
}

// LoadSnapshot returns the scope's snapshot, for Saved.Snapshot: ErrNotFound when there is none, StoreDamaged when it is broken or does
// not stand on the log. It is a cache, so neither keeps anybody from replaying without it.
func (s *Store) LoadSnapshot(ctx context.Context, scope ledger.Scope) (ledger.Snapshot, error) {
	var p ledger.Snapshot
	var hash, kept []byte
	var stands bool
	err := s.db.QueryRowContext(ctx, `SELECT s.idx, s.hash, s.state, s.sum,
		EXISTS(SELECT 1 FROM entries e WHERE e.scope=s.scope AND e.idx=s.idx AND e.hash=s.hash) FROM snapshots s WHERE s.scope=?`, scope[:]).
		Scan(&p.Index, &hash, &p.State, &kept, &stands)
	switch copy(p.Hash[:], hash); {
	case errors.Is(err, sql.ErrNoRows):
		return ledger.Snapshot{}, ErrNotFound
	case err != nil:
		return ledger.Snapshot{}, typed("load a snapshot", err)
	case !stands || string(kept) != string(sum(p)):
		return ledger.Snapshot{}, damaged("snapshot of %x", scope[:4])
	}
	return p, nil
}
