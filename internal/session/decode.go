package session

import (
	"errors"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
)

// decoded is an act with what the rules need of its envelope.
type decoded struct {
	act.Act
	id  act.ID
	raw []byte // the act's bytes
	sig []byte
}

func malformed(err error, what string) error {
	if errors.Is(err, canon.ErrTooLarge) {
		return problem.New(problem.TooLarge, "what", what)
	}
	return problem.New(problem.Malformed, "what", what)
}

func decodeEntry(b []byte) (act.Entry, error) {
	var e act.Entry
	if err := canon.Decode(b, &e); err != nil {
		return e, malformed(err, "entry")
	}
	switch {
	case e.Version != act.Version:
		return e, problem.New(problem.WrongVersion, "what", "entry")
	case len(e.Scope) != act.ScopeSize, len(e.Prev) != act.IDSize, e.At < 0, e.At > maxInt, e.Index > maxInt, e.Term > maxInt, e.Term == 0:
		return e, problem.New(problem.Malformed, "what", "entry")
	}
	return e, nil
}

func decodeSigned(b []byte) (decoded, error) {
	var s act.Signed
	if err := canon.Decode(b, &s); err != nil {
		return decoded{}, malformed(err, "act")
	}
	if len(s.Act) > act.MaxAct {
		return decoded{}, problem.New(problem.TooLarge, "what", "act")
	}
	d := decoded{id: act.IDOf(s.Act), raw: s.Act, sig: s.Sig}
	if err := canon.Decode(s.Act, &d.Act); err != nil {
		return d, malformed(err, "act")
	}
	switch {
	case d.Version != act.Version:
		return d, problem.New(problem.WrongVersion, "what", "act")
	case len(d.Scope) != act.ScopeSize, len(d.Side) != act.IDSize, len(d.Key) != act.KeySize, len(d.Nonce) != act.NonceSize,
		d.At < 0, d.At > maxInt, len(s.Sig) != 64:
		return d, problem.New(problem.Malformed, "what", "act")
	}
	return d, nil
}

func decodeOutbox(b []byte) (act.Outbox, act.SignedOutbox, error) {
	var s act.SignedOutbox
	var o act.Outbox
	if err := canon.Decode(b, &s); err != nil {
		return o, s, malformed(err, "outbox")
	}
	if err := canon.Decode(s.Item, &o); err != nil {
		return o, s, malformed(err, "outbox")
	}
	switch {
	case o.Version != act.Version:
		return o, s, problem.New(problem.WrongVersion, "what", "outbox")
	case len(o.Scope) != act.ScopeSize, len(o.Side) != act.IDSize, len(o.Prev) != act.IDSize, o.Seq > maxInt, o.At < 0, o.At > maxInt, len(s.Sig) != 64:
		return o, s, problem.New(problem.Malformed, "what", "outbox")
	}
	return o, s, nil
}

// body reads the body of an act.
func body[T any](a decoded) (T, error) {
	var v T
	if err := canon.Decode(a.Body, &v); err != nil {
		return v, malformed(err, "body")
	}
	return v, nil
}
