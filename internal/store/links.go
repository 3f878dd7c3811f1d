package store

import (
	"context"
	"database/sql"
	"fmt"

	"parley.link/parley/internal/ledger"
)

// Verification says how, when and by whom a link card's fingerprint was compared. How "" means: not verified.
type Verification struct {
	How string // in-person, demonstration
	At  int64  // ms
	By  string // person id of the officer, or the operator's name
}

// Link is another side as this side knows it.
type Link struct {
	Side     ledger.Side
	Card     []byte // canonical ident.Signed of an ident.LinkCard
	Address  string // host:port, UDP; overrides the card's
	Added    int64  // ms
	Verified Verification
}

// SaveLink adds a link card or replaces it. A card with another content loses its verification: what was compared by hand
// was the old one, so a swapped card cannot inherit it.
func (s *Store) SaveLink(ctx context.Context, l Link) error {
	return s.write(ctx, "save a link card", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM verifications WHERE side=? AND NOT EXISTS(SELECT 1 FROM links WHERE side=? AND card=?)`,
			l.Side[:], l.Side[:], l.Card); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links(side,card,address,added) VALUES(?,?,?,?)
			ON CONFLICT(side) DO UPDATE SET card=excluded.card, address=excluded.address, added=excluded.added`,
			l.Side[:], l.Card, l.Address, l.Added)
		return err
	})
}

// VerifyLink records that the fingerprint of this very card was compared; ErrNotFound if the card is another by now.
func (s *Store) VerifyLink(ctx context.Context, side ledger.Side, card []byte, v Verification) error {
	return s.write(ctx, "verify a link", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO verifications(side,how,at,by)
			SELECT side,?,?,? FROM links WHERE side=? AND card=?
			ON CONFLICT(side) DO UPDATE SET how=excluded.how, at=excluded.at, by=excluded.by`, v.How, v.At, v.By, side[:], card)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("link card: %w", ErrNotFound)
		}
		return nil
	})
}

// RemoveLink forgets a side's card and its verification.
func (s *Store) RemoveLink(ctx context.Context, side ledger.Side) error {
	return s.write(ctx, "remove a link", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM links WHERE side=?`, side[:])
		return err
	})
}

// Links lists all, oldest first.
func (s *Store) Links(ctx context.Context) ([]Link, error) {
	return collect(ctx, s.db, "list links", linkColumns+` ORDER BY l.added, l.side`, scanLink)
}

// LinkOf returns one side's link, or ErrNotFound.
func (s *Store) LinkOf(ctx context.Context, side ledger.Side) (Link, error) {
	return one(collect(ctx, s.db, "read a link", linkColumns+` WHERE l.side=?`, scanLink, side[:]))
}

const linkColumns = `SELECT l.side,l.card,l.address,l.added,coalesce(v.how,''),coalesce(v.at,0),coalesce(v.by,'')
	FROM links l LEFT JOIN verifications v ON v.side=l.side`

func scanLink(scan func(...any) error) (l Link, err error) {
	var side []byte
	err = scan(&side, &l.Card, &l.Address, &l.Added, &l.Verified.How, &l.Verified.At, &l.Verified.By)
	copy(l.Side[:], side)
	return l, err
}
