package store

import (
	"context"
	"database/sql"
	"errors"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
)

// SessionRow is the index of a session: what a list shows without replaying its log.
type SessionRow struct {
	Scope    ledger.Scope
	Title    map[string]string
	Status   string // formal, informal, without-prejudice, test
	State    string // the session engine's phase
	From     int64  // ms
	Until    int64  // ms
	Proposer ledger.Side
}

// SaveSession inserts or replaces a row.
func (s *Store) SaveSession(ctx context.Context, r SessionRow) error {
	return s.write(ctx, "save a session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions(scope,title,status,state,starts,ends,proposer) VALUES(?,?,?,?,?,?,?)
			ON CONFLICT(scope) DO UPDATE SET title=excluded.title, status=excluded.status, state=excluded.state,
			starts=excluded.starts, ends=excluded.ends, proposer=excluded.proposer`,
			r.Scope[:], canon.Encode(r.Title), r.Status, r.State, r.From, r.Until, r.Proposer[:])
		return err
	})
}

// Sessions lists all, by start.
func (s *Store) Sessions(ctx context.Context) ([]SessionRow, error) {
	return collect(ctx, s.db, "list sessions", `SELECT scope,title,status,state,starts,ends,proposer FROM sessions ORDER BY starts, scope`,
		func(scan func(...any) error) (r SessionRow, err error) {
			var scope, title, proposer []byte
			if err = scan(&scope, &title, &r.Status, &r.State, &r.From, &r.Until, &proposer); err != nil {
				return r, err
			}
			copy(r.Scope[:], scope)
			copy(r.Proposer[:], proposer)
			if canon.Decode(title, &r.Title) != nil {
				return r, damaged("title of session %x", scope[:4])
			}
			return r, nil
		})
}

// Setting returns a small value by its key, or ErrNotFound.
func (s *Store) Setting(ctx context.Context, key string) ([]byte, error) {
	var v []byte
	err := s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE key=?`, key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return v, typed("read a setting", err)
}

// SetSetting writes a small value (at most 1 MiB).
func (s *Store) SetSetting(ctx context.Context, key string, value []byte) error {
	if len(key) > 256 || len(value) > 1<<20 {
		return errLong
	}
	return s.write(ctx, "write a setting", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings(key,value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value`, key, notNil(value))
		return err
	})
}

// SideIdentity is what makes this file a side's: public halves only. The node key stays in its own file and the delegation
// key never comes near a node.
type SideIdentity struct {
	Name       map[string]string `cbor:"name"`
	Language   string            `cbor:"language"`
	Delegation []byte            `cbor:"delegation"` // canonical ident.DelegationKey
	NodeCert   []byte            `cbor:"node"`       // canonical ident.Signed of an ident.NodeCert
	Officers   [][]byte          `cbor:"officers"`   // canonical ident.Signed of ident.OfficerCerts
}

const settingSide = "side"

// SetSideIdentity writes the side's identity.
func (s *Store) SetSideIdentity(ctx context.Context, id SideIdentity) error {
	return s.SetSetting(ctx, settingSide, canon.Encode(id))
}

// SideIdentity returns the side's identity, or ErrNotFound.
func (s *Store) SideIdentity(ctx context.Context) (SideIdentity, error) {
	var id SideIdentity
	b, err := s.Setting(ctx, settingSide)
	if err != nil {
		return id, err
	}
	if canon.Decode(b, &id) != nil {
		return id, damaged("side identity")
	}
	return id, nil
}
