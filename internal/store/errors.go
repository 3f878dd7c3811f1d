package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"parley.link/parley/internal/problem"
)

var (
	// ErrInUse is returned when another node already serves from this file.
	ErrInUse = errors.New("store: another node uses this file")
	// ErrReadOnly is returned when the file, its folder or its file system cannot be written.
	ErrReadOnly = errors.New("store: cannot be written")
	// ErrUnreadable is returned when the file cannot be opened or read at all.
	ErrUnreadable = errors.New("store: cannot be read")
	// ErrConflict is returned for an entry or item that does not continue its chain. Nothing was written.
	ErrConflict = errors.New("store: does not continue the chain")
	// ErrNotFound is returned for a registry row that does not exist.
	ErrNotFound = errors.New("store: no such row")
)

// damaged names what failed to verify. Nothing is repaired or dropped: evidence must not mend itself.
func damaged(what string, args ...any) error {
	return problem.New(problem.StoreDamaged, "what", fmt.Sprintf(what, args...))
}

// typed turns what SQLite or the file system says into what an operator must be told.
func typed(doing string, err error) error {
	if err == nil {
		return nil
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		// SQLITE_IOERR and its extended codes come with ENOSPC lost in the text on some file systems.
		switch code := se.Code() & 0xff; {
		case code == lib.SQLITE_FULL, se.Code() == lib.SQLITE_IOERR_SHMSIZE, strings.Contains(err.Error(), "no space left"):
			// SHMSIZE: on a full disk even the index of the write-ahead log finds no room, so that a start fails before any write.
			return fmt.Errorf("%s: %w: %w", doing, problem.New(problem.DiskFull), err)
		case code == lib.SQLITE_CORRUPT, code == lib.SQLITE_NOTADB:
			return fmt.Errorf("%s: %w: %w", doing, damaged("file"), err)
		case code == lib.SQLITE_READONLY:
			return fmt.Errorf("%s: %w: %w", doing, ErrReadOnly, err)
		case code == lib.SQLITE_CANTOPEN, code == lib.SQLITE_PERM, code == lib.SQLITE_IOERR:
			return fmt.Errorf("%s: %w: %w", doing, ErrUnreadable, err)
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: %w: %w", doing, problem.New(problem.DiskFull), err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %w: %w", doing, ErrReadOnly, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w: %w", doing, ErrUnreadable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
