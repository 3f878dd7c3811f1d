package store

import (
	"context"
	"database/sql"
	"errors"
)

// Enrolment states.
const (
	EnrolmentWaiting    = "waiting"
	EnrolmentAccredited = "accredited"
	EnrolmentDeclined   = "declined"
)

// Enrolment is a device asking its side's officers for an accreditation. Name, Note and Language are what the person says
// of themselves.
type Enrolment struct {
	ID            [16]byte
	Device        []byte
	Name          string
	Note          string
	Language      string
	Since         int64 // ms
	State         string
	Accreditation []byte // canonical ident.Signed, once accredited
	Answer        string // the officer's reason, once declined
}

// SaveEnrolment inserts an enrolment or replaces the one with its id.
func (s *Store) SaveEnrolment(ctx context.Context, e Enrolment) error {
	return s.write(ctx, "save an enrolment", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO enrolments(id,device,name,note,language,since,state,accreditation,answer)
			VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET device=excluded.device, name=excluded.name, note=excluded.note,
			language=excluded.language, since=excluded.since, state=excluded.state, accreditation=excluded.accreditation,
			answer=excluded.answer`,
			e.ID[:], notNil(e.Device), e.Name, e.Note, e.Language, e.Since, e.State, notNil(e.Accreditation), e.Answer)
		return err
	})
}

// DeleteEnrolment forgets an enrolment that nobody answered.
func (s *Store) DeleteEnrolment(ctx context.Context, id [16]byte) error {
	return s.write(ctx, "delete an enrolment", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM enrolments WHERE id=? AND state='waiting'`, id[:])
		return err
	})
}

// Enrolments lists those in the given state, oldest first; an empty state lists all.
func (s *Store) Enrolments(ctx context.Context, state string) ([]Enrolment, error) {
	return collect(ctx, s.db, "list enrolments", enrolmentColumns+` WHERE ?='' OR state=? ORDER BY since, id`, scanEnrolment, state, state)
}

// EnrolmentByID returns one enrolment, or ErrNotFound.
func (s *Store) EnrolmentByID(ctx context.Context, id [16]byte) (Enrolment, error) {
	return one(collect(ctx, s.db, "read an enrolment", enrolmentColumns+` WHERE id=?`, scanEnrolment, id[:]))
}

// EnrolmentOf returns a device's newest enrolment, or ErrNotFound.
func (s *Store) EnrolmentOf(ctx context.Context, device []byte) (Enrolment, error) {
	return one(collect(ctx, s.db, "read an enrolment", enrolmentColumns+` WHERE device=? ORDER BY since DESC LIMIT 1`, scanEnrolment, notNil(device)))
}

const enrolmentColumns = `SELECT id,device,name,note,language,since,state,accreditation,answer FROM enrolments`

func scanEnrolment(scan func(...any) error) (e Enrolment, err error) {
	var id []byte
	err = scan(&id, &e.Device, &e.Name, &e.Note, &e.Language, &e.Since, &e.State, &e.Accreditation, &e.Answer)
	copy(e.ID[:], id)
	return e, err
}

// Accreditation is the newest accreditation of a device.
type Accreditation struct {
	Device []byte
	Person string
	At     int64
	Signed []byte // canonical ident.Signed of an ident.Accreditation
}

// SaveAccreditation replaces what the device had.
func (s *Store) SaveAccreditation(ctx context.Context, a Accreditation) error {
	return s.write(ctx, "save an accreditation", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO accreditations(device,person,at,signed) VALUES(?,?,?,?)
			ON CONFLICT(device) DO UPDATE SET person=excluded.person, at=excluded.at, signed=excluded.signed`,
			a.Device, a.Person, a.At, a.Signed)
		return err
	})
}

// Accreditations lists them by person.
func (s *Store) Accreditations(ctx context.Context) ([]Accreditation, error) {
	return collect(ctx, s.db, "list accreditations", `SELECT device,person,at,signed FROM accreditations ORDER BY person, at`, scanAccreditation)
}

// AccreditationOf returns a device's accreditation, or ErrNotFound.
func (s *Store) AccreditationOf(ctx context.Context, device []byte) (Accreditation, error) {
	return one(collect(ctx, s.db, "read an accreditation", `SELECT device,person,at,signed FROM accreditations WHERE device=?`, scanAccreditation, notNil(device)))
}

func scanAccreditation(scan func(...any) error) (a Accreditation, err error) {
	err = scan(&a.Device, &a.Person, &a.At, &a.Signed)
	return a, err
}

// Revocation is an officer's signed end of an accreditation. With Device empty it ends all of the person's.
type Revocation struct {
	Person string
	Device []byte
	At     int64
	Signed []byte // canonical ident.Signed of an ident.Revocation
}

// SaveRevocation keeps a revocation for ever; the same bytes twice are one.
func (s *Store) SaveRevocation(ctx context.Context, r Revocation) error {
	return s.write(ctx, "save a revocation", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO revocations(person,device,at,signed) VALUES(?,?,?,?) ON CONFLICT(signed) DO NOTHING`,
			r.Person, notNil(r.Device), r.At, r.Signed)
		return err
	})
}

// Revocations lists all, oldest first.
func (s *Store) Revocations(ctx context.Context) ([]Revocation, error) {
	return collect(ctx, s.db, "list revocations", `SELECT person,device,at,signed FROM revocations ORDER BY n`,
		func(scan func(...any) error) (r Revocation, err error) {
			err = scan(&r.Person, &r.Device, &r.At, &r.Signed)
			return r, err
		})
}

// one is the first row, or ErrNotFound.
func one[T any](rows []T, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	if len(rows) == 0 {
		return zero, ErrNotFound
	}
	return rows[0], nil
}

var errLong = errors.New("store: text too long")
