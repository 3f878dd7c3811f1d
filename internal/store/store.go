// Package store keeps what a node must not lose in one SQLite file: the logs, outboxes and heads of its scopes, and its
// side's registry. It is the only user of the database.
//
// Durability. A commit returns when SQLite has fsynced the write-ahead log (journal_mode=WAL, synchronous=FULL). Before
// that point a crash, or kill -9 at any step, leaves the file as it was: the WAL frames lack a commit mark and are ignored.
// After it, the next open sees the whole transaction. A transaction is one turn of a ledger (Records), so a log never holds
// half of what the node was about to say; and because a ledger says nothing before its turn is durable, whatever anybody
// heard is in the file. There is one writer, in one process: the file is locked by flock for as long as a node serves.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Options of Open.
type Options struct {
	// Shared opens without the lock, for a command of the same side beside a serving node. It must not append.
	Shared bool
	// Step, if set, is called before each named step of an append. An error breaks the append there. Only tests set it.
	Step func(name string) error
	// MaxPages, if above 0, caps the file (SQLITE_MAX_PAGE_COUNT), for a node with a quota and for tests of a full disk.
	MaxPages int
}

// Store is the open file. Its methods may be called from any goroutine; they run one at a time.
type Store struct {
	db   *sql.DB
	lock *os.File
	step func(string) error
}

// Open opens or creates the file at path. An existing file is first read without writing: its header, version, SQLite's
// quick_check and the hash chain of every log. If anything is wrong the file is left exactly as it is and the problem
// StoreDamaged names what.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{step: o.Step}
	if s.step == nil {
		s.step = func(string) error { return nil }
	}
	if !o.Shared {
		if err := s.takeLock(path); err != nil {
			return nil, err
		}
	}
	if err := s.open(ctx, path, o); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, o Options) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return typed("look at the store", err)
	case info.IsDir():
		return fmt.Errorf("open the store: %w: %s is a folder", ErrUnreadable, filepath.Base(path))
	case info.Size() > 0:
		if err := inspect(ctx, path); err != nil {
			return err
		}
	}
	s.db, err = sql.Open("sqlite", dsn(path, "rwc", o.MaxPages))
	if err != nil {
		return typed("open the store", err)
	}
	s.db.SetMaxOpenConns(1)
	if info == nil || info.Size() == 0 {
		return s.create(ctx)
	}
	// A read-only file opens without complaint; a node that cannot write must say so now, not at the first act.
	return s.write(ctx, "probe the store", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings(key,value) VALUES('probe',x'01') ON CONFLICT(key) DO UPDATE SET value=excluded.value`)
		return err
	})
}

func (s *Store) create(ctx context.Context) error {
	return s.write(ctx, "create the store", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", applicationID, schemaVersion))
		return err
	})
}

// dsn sets the pragmas on every connection that the pool may open.
func dsn(path, mode string, maxPages int) string {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}}
	q.Add("_pragma", "busy_timeout(5000)")
	q.Add("_pragma", "foreign_keys(1)")
	if mode != "ro" {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(FULL)")
	}
	if maxPages > 0 {
		q.Add("_pragma", fmt.Sprintf("max_page_count(%d)", maxPages))
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func (s *Store) takeLock(path string) error {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return typed("lock the store", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return ErrInUse
		}
		return typed("lock the store", err)
	}
	s.lock = f
	return nil
}

// Close checkpoints and closes the file. The kernel drops the lock with the descriptor, also after kill -9.
func (s *Store) Close() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return typed("close the store", err)
}

// write runs f in one transaction: all of it or nothing.
func (s *Store) write(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return typed(doing, err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return typed(doing, err)
	}
	if err := s.step("commit"); err != nil {
		_ = tx.Rollback()
		return typed(doing, err)
	}
	return typed(doing, tx.Commit())
}
