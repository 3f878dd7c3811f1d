package store

import (
	"context"
	"database/sql"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
)

// Scopes lists the logs in this file.
func (s *Store) Scopes(ctx context.Context) ([]ledger.Scope, error) { return scopes(ctx, s.db) }

// Load reads everything of one scope and proves its chains again. The ledger replays it by the same code that ran when
// the entries were new.
func (s *Store) Load(ctx context.Context, scope ledger.Scope) (ledger.Saved, error) {
	saved, err := load(ctx, s.db, scope)
	if err != nil {
		return ledger.Saved{}, err
	}
	return saved, verify(saved)
}

func scopes(ctx context.Context, db *sql.DB) ([]ledger.Scope, error) {
	return collect(ctx, db, "list scopes", `SELECT scope FROM entries UNION SELECT scope FROM outbox UNION SELECT scope FROM promises`,
		func(scan func(...any) error) (sc ledger.Scope, err error) {
			var b []byte
			err = scan(&b)
			copy(sc[:], b)
			return sc, err
		})
}

func load(ctx context.Context, db *sql.DB, scope ledger.Scope) (saved ledger.Saved, err error) {
	saved.Scope = scope
	saved.Entries, err = collect(ctx, db, "read a log", `SELECT idx,term,hash,bytes,sigs FROM entries WHERE scope=? ORDER BY idx`, scanEntry, scope[:])
	if err != nil {
		return saved, err
	}
	saved.Items, err = collect(ctx, db, "read outboxes", `SELECT side,seq,hash,bytes FROM outbox WHERE scope=? ORDER BY side,seq`, scanItem, scope[:])
	if err != nil {
		return saved, err
	}
	saved.Heads, err = collect(ctx, db, "read heads", `SELECT side,idx,head,sig FROM heads WHERE scope=? ORDER BY side`, scanHead, scope[:])
	if err != nil {
		return saved, err
	}
	saved.Evidence, err = collect(ctx, db, "read evidence", `SELECT kind,of,term,at,a,b FROM evidence WHERE scope=? ORDER BY n`, scanEvidence, scope[:])
	if err != nil {
		return saved, err
	}
	promises, err := collect(ctx, db, "read promises", `SELECT term,after,vote FROM promises WHERE scope=?`,
		func(scan func(...any) error) (p ledger.Promise, err error) {
			err = scan(&p.Term, &p.After, &p.Vote)
			return p, err
		}, scope[:])
	if len(promises) > 0 {
		saved.Promise = &promises[0]
	}
	return saved, err
}

func scanEntry(scan func(...any) error) (e ledger.Entry, err error) {
	var hash, sigs []byte
	if err = scan(&e.Index, &e.Term, &hash, &e.Bytes, &sigs); err != nil {
		return e, err
	}
	copy(e.Hash[:], hash)
	var ns []act.NodeSig
	if canon.Decode(sigs, &ns) != nil {
		return e, damaged("signatures of entry %d", e.Index)
	}
	e.Sigs = ns
	return e, nil
}

func scanItem(scan func(...any) error) (it ledger.Item, err error) {
	var side, hash []byte
	err = scan(&side, &it.Seq, &hash, &it.Bytes)
	copy(it.Side[:], side)
	copy(it.Hash[:], hash)
	return it, err
}

func scanHead(scan func(...any) error) (h ledger.HeadSig, err error) {
	var side []byte
	err = scan(&side, &h.Index, &h.Head, &h.Sig)
	copy(h.Side[:], side)
	return h, err
}

func scanEvidence(scan func(...any) error) (e ledger.Evidence, err error) {
	var of []byte
	err = scan(&e.Kind, &of, &e.Term, &e.At, &e.A, &e.B)
	copy(e.Of[:], of)
	return e, err
}

// collect reads all rows of a query. Every table behind it is bounded by what this node itself wrote.
func collect[T any](ctx context.Context, db *sql.DB, doing, query string, row func(func(...any) error) (T, error), args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, typed(doing, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := row(rows.Scan)
		if err != nil {
			return nil, typed(doing, err)
		}
		out = append(out, v)
	}
	return out, typed(doing, rows.Err())
}
