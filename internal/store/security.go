package store

import (
	"context"
	"database/sql"

	"parley.link/parley/internal/ledger"
)

// securityKept bounds the security log: a hostile peer that provokes a line per message must not fill the disk.
const securityKept = 20000

// SecurityLine is one line of the security log: refusals, alarms, verifications, revocations. Detail holds codes and ids,
// never content.
type SecurityLine struct {
	N      int64
	At     int64 // ms
	Kind   string
	Scope  ledger.Scope // zero: none
	Side   ledger.Side  // zero: none
	Person string
	Detail string
}

// Log appends a line and drops the oldest beyond the bound. Texts are cut at 512 bytes.
func (s *Store) Log(ctx context.Context, l SecurityLine) error {
	return s.write(ctx, "write the security log", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO security(at,kind,scope,side,person,detail) VALUES(?,?,?,?,?,?)`,
			l.At, cut(l.Kind), l.Scope[:], l.Side[:], cut(l.Person), cut(l.Detail))
		if err != nil {
			return err
		}
		n, err := res.LastInsertId()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM security WHERE n<=?`, n-securityKept)
		return err
	})
}

// SecurityLog returns the newest lines, newest first.
func (s *Store) SecurityLog(ctx context.Context, limit int) ([]SecurityLine, error) {
	return collect(ctx, s.db, "read the security log", `SELECT n,at,kind,scope,side,person,detail FROM security ORDER BY n DESC LIMIT ?`,
		func(scan func(...any) error) (l SecurityLine, err error) {
			var scope, side []byte
			err = scan(&l.N, &l.At, &l.Kind, &scope, &side, &l.Person, &l.Detail)
			copy(l.Scope[:], scope)
			copy(l.Side[:], side)
			return l, err
		}, limit)
}

func cut(s string) string {
	if len(s) > 512 {
		return s[:512]
	}
	return s
}
