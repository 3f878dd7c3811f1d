package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
)

// Append writes the records of one turn, whole or not at all. Entries must continue the log and items their chain, or
// ErrConflict is returned: a second writer, or an engine that lost its place, cannot overwrite what was signed.
// own is this node's side; peers' items leave the outbox table with the entry that contains them.
func (s *Store) Append(ctx context.Context, scope ledger.Scope, own ledger.Side, r ledger.Records) error {
	if err := s.step("begin"); err != nil {
		return typed("append", err)
	}
	err := s.write(ctx, "append", func(tx *sql.Tx) error {
		w := appender{ctx: ctx, tx: tx, scope: scope, own: own, step: s.step}
		for _, part := range []func(ledger.Records) error{w.items, w.entries, w.heads, w.evidence, w.promise} {
			if err := part(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return typed("append", s.step("committed"))
}

type appender struct {
	ctx   context.Context
	tx    *sql.Tx
	scope ledger.Scope
	own   ledger.Side
	step  func(string) error
}

func (w appender) exec(q string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, q, args...)
	return err
}

func (w appender) items(r ledger.Records) error {
	for _, it := range r.Items {
		if err := w.step("item"); err != nil {
			return err
		}
		var last sql.NullInt64
		row := w.tx.QueryRowContext(w.ctx, `SELECT max(seq) FROM outbox WHERE scope=? AND side=?`, w.scope[:], it.Side[:])
		if err := row.Scan(&last); err != nil {
			return err
		}
		if last.Valid && uint64(last.Int64)+1 != it.Seq || it.Side == w.own && !last.Valid && it.Seq != 0 {
			return fmt.Errorf("outbox item %d: %w", it.Seq, ErrConflict)
		}
		if err := w.exec(`INSERT INTO outbox(scope,side,seq,hash,bytes) VALUES(?,?,?,?,?)`,
			w.scope[:], it.Side[:], int64(it.Seq), it.Hash[:], it.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func (w appender) entries(r ledger.Records) error {
	for _, e := range r.Entries {
		if err := w.step("entry"); err != nil {
			return err
		}
		var entry act.Entry
		if err := canon.Decode(e.Bytes, &entry); err != nil {
			return err
		}
		last := make([]byte, 32)
		next := int64(0)
		row := w.tx.QueryRowContext(w.ctx, `SELECT idx, hash FROM entries WHERE scope=? ORDER BY idx DESC LIMIT 1`, w.scope[:])
		switch err := row.Scan(&next, &last); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		default:
			next++
		}
		if uint64(next) != e.Index || !bytes.Equal(last, entry.Prev) {
			return fmt.Errorf("entry %d: %w", e.Index, ErrConflict)
		}
		if err := w.exec(`INSERT INTO entries(scope,idx,term,hash,bytes,sigs) VALUES(?,?,?,?,?,?)`,
			w.scope[:], int64(e.Index), int64(e.Term), e.Hash[:], e.Bytes, canon.Encode(e.Sigs)); err != nil {
			return err
		}
		if err := w.ordered(entry); err != nil {
			return err
		}
	}
	return nil
}

// ordered drops a peer's item that the log now holds by value. The own chain stays: peers may still ask for it. A disk of yesterday lacks
// own items that a peer's log brings back; without them here, the next own item would stand after a gap and could not be kept.
func (w appender) ordered(e act.Entry) error {
	if e.From != act.ItemOutbox {
		return nil
	}
	var so act.SignedOutbox
	var o act.Outbox
	if err := errors.Join(canon.Decode(e.Item, &so), canon.Decode(so.Item, &o)); err != nil {
		return err
	}
	if bytes.Equal(o.Side, w.own[:]) {
		hash := sha256.Sum256(so.Item)
		return w.exec(`INSERT INTO outbox(scope,side,seq,hash,bytes) SELECT ?1,?2,?3,?4,?5
			WHERE ?3=(SELECT coalesce(max(seq),-1)+1 FROM outbox WHERE scope=?1 AND side=?2)`, w.scope[:], o.Side, int64(o.Seq), hash[:], e.Item)
	}
	return w.exec(`DELETE FROM outbox WHERE scope=? AND side=? AND seq<=?`, w.scope[:], o.Side, int64(o.Seq))
}

func (w appender) heads(r ledger.Records) error {
	for _, h := range r.Heads {
		if err := w.step("head"); err != nil {
			return err
		}
		if err := w.exec(`INSERT INTO heads(scope,side,idx,head,sig) VALUES(?,?,?,?,?)
			ON CONFLICT(scope,side) DO UPDATE SET idx=excluded.idx, head=excluded.head, sig=excluded.sig`,
			w.scope[:], h.Side[:], int64(h.Index), h.Head, h.Sig); err != nil {
			return err
		}
	}
	return nil
}

func (w appender) evidence(r ledger.Records) error {
	for _, e := range r.Evidence {
		if err := w.step("evidence"); err != nil {
			return err
		}
		if err := w.exec(`INSERT INTO evidence(scope,kind,of,term,at,a,b) VALUES(?,?,?,?,?,?,?)`,
			w.scope[:], string(e.Kind), e.Of[:], int64(e.Term), e.At, notNil(e.A), notNil(e.B)); err != nil {
			return err
		}
	}
	return nil
}

func (w appender) promise(r ledger.Records) error {
	if r.Promise == nil {
		return nil
	}
	if err := w.step("promise"); err != nil {
		return err
	}
	if r.Promise.Term == 0 {
		return w.exec(`DELETE FROM promises WHERE scope=?`, w.scope[:])
	}
	return w.exec(`INSERT INTO promises(scope,term,after,vote) VALUES(?,?,?,?)
		ON CONFLICT(scope) DO UPDATE SET term=excluded.term, after=excluded.after, vote=excluded.vote`,
		w.scope[:], int64(r.Promise.Term), int64(r.Promise.After), notNil(r.Promise.Vote))
}

// notNil keeps an empty value apart from NULL, which the schema refuses.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
