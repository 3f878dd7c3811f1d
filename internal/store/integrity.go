package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
)

// inspect looks at an existing file without writing to it.
func inspect(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return typed("read the store", errors.Join(ErrUnreadable, err))
	}
	magic := make([]byte, 16)
	_, err = f.ReadAt(magic, 0)
	_ = f.Close()
	if err != nil || string(magic) != "SQLite format 3\x00" {
		return damaged("header")
	}
	db, err := sql.Open("sqlite", dsn(path, "ro", 0))
	if err != nil {
		return typed("read the store", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var app, version int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return typed("read the store", err)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return typed("read the store", err)
	}
	if app != applicationID || version != schemaVersion {
		return damaged("version %d of application %d, want %d of %d", version, app, schemaVersion, applicationID)
	}
	return inspectContent(ctx, db)
}

func inspectContent(ctx context.Context, db *sql.DB) error {
	faults, err := collect(ctx, db, "check the store", "PRAGMA quick_check(4)", func(scan func(...any) error) (s string, err error) {
		err = scan(&s)
		return s, err
	})
	if err != nil {
		return err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return damaged("pages: %v", faults)
	}
	all, err := scopes(ctx, db)
	if err != nil {
		return err
	}
	for _, scope := range all {
		saved, err := load(ctx, db, scope)
		if err != nil {
			return err
		}
		if err := verify(saved); err != nil {
			return err
		}
	}
	return nil
}

// verify proves the columns against the bytes, and the bytes against each other. It finds a row changed, dropped, swapped
// or taken from another scope. Cutting the tail off is not visible here: the peers' heartbeats and heads show that.
func verify(s ledger.Saved) error {
	prev := make([]byte, 32)
	for i, e := range s.Entries {
		var entry act.Entry
		if canon.Decode(e.Bytes, &entry) != nil {
			return damaged("entry %d of %x: bytes", e.Index, s.Scope[:4])
		}
		if e.Index != uint64(i) || entry.Index != e.Index || entry.Term != e.Term || !bytes.Equal(entry.Scope, s.Scope[:]) {
			return damaged("entry %d of %x: place", e.Index, s.Scope[:4])
		}
		if act.Hash(e.Bytes) != e.Hash || !bytes.Equal(entry.Prev, prev) {
			return damaged("entry %d of %x: chain", e.Index, s.Scope[:4])
		}
		prev = s.Entries[i].Hash[:]
	}
	return verifyItems(s)
}

func verifyItems(s ledger.Saved) error {
	for i, it := range s.Items {
		var so act.SignedOutbox
		var o act.Outbox
		if canon.Decode(it.Bytes, &so) != nil || canon.Decode(so.Item, &o) != nil {
			return damaged("outbox item %d of %x: bytes", it.Seq, s.Scope[:4])
		}
		if o.Seq != it.Seq || !bytes.Equal(o.Side, it.Side[:]) || !bytes.Equal(o.Scope, s.Scope[:]) {
			return damaged("outbox item %d of %x: place", it.Seq, s.Scope[:4])
		}
		if sha256.Sum256(so.Item) != it.Hash {
			return damaged("outbox item %d of %x: chain", it.Seq, s.Scope[:4])
		}
		if i > 0 && s.Items[i-1].Side == it.Side && (s.Items[i-1].Seq+1 != it.Seq || !bytes.Equal(o.Prev, s.Items[i-1].Hash[:])) {
			return damaged("outbox item %d of %x: chain", it.Seq, s.Scope[:4])
		}
	}
	return nil
}
