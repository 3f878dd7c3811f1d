package ident

import (
	"fmt"

	"parley.link/parley/internal/canon"
)

// Body is any structure of this package that is signed.
type Body interface{ bounds() error }

func (k DelegationKey) bounds() error {
	return ok(k.Version == Version, isKey(k.Ed25519), len(k.MLDSA65) == mldsaKeySize)
}

func (c NodeCert) bounds() error {
	return ok(c.Version == Version, isKey(c.Side), isKey(c.Key), isSpan(c.From, c.Until))
}

func (c OfficerCert) bounds() error {
	if err := ok(c.Version == Version, isKey(c.Side), isKey(c.Device), IsID(c.Person), isSpan(c.From, c.Until)); err != nil {
		return err
	}
	return Text(c.Name, MaxText)
}

func (a Accreditation) bounds() error {
	if err := ok(a.Version == Version, isKey(a.Side), isKey(a.Device), isKey(a.By), IsID(a.Person), IsRole(a.Role),
		IsID(a.Verified), isSpan(a.From, a.Until), isTime(a.At), len(a.Formats) >= 1, len(a.Formats) <= MaxFormats); err != nil {
		return err
	}
	for _, f := range a.Formats {
		if !IsID(f) {
			return ErrBounds
		}
	}
	if err := Texts(a.Name, MaxText); err != nil {
		return err
	}
	return Texts(a.Office, MaxText)
}

func (r Revocation) bounds() error {
	if err := ok(r.Version == Version, isKey(r.Side), isKey(r.By), IsID(r.Person), isTime(r.At),
		len(r.Device) == 0 || isKey(r.Device)); err != nil {
		return err
	}
	if r.Reason == "" {
		return nil
	}
	return Text(r.Reason, MaxText)
}

func (c SessionCert) bounds() error {
	return ok(c.Version == Version, isKey(c.Scope), isKey(c.Side), isKey(c.Device), isKey(c.Key), IsID(c.Person))
}

func (l Leaf) bounds() error {
	return ok(l.Version == Version, isKey(l.Scope), isKey(l.Side), isKey(l.Device), IsID(l.Person))
}

func (c LinkCard) bounds() error {
	if err := ok(c.Version == Version, isKey(c.Side), isTime(c.Until), len(c.Delegation) <= MaxChain, len(c.Node) <= MaxChain,
		len(c.Address) >= 3, len(c.Address) <= 255); err != nil {
		return err
	}
	if err := Text(c.Address, 255); err != nil {
		return err
	}
	return Texts(c.Name, MaxText)
}

func (s Signed) bounds() error {
	return ok(len(s.Body) >= 1, len(s.Body) <= MaxChain, len(s.Ed25519) == 64, len(s.MLDSA65) == 0 || len(s.MLDSA65) == mldsaSigSize)
}

// Decode reads one structure of this package from its canonical bytes and checks its bounds.
func Decode[T Body](b []byte) (T, error) {
	var v T
	if len(b) > 2*MaxChain {
		return v, canon.ErrTooLarge
	}
	if err := canon.Decode(b, &v); err != nil {
		return v, fmt.Errorf("decode %T: %w", v, err)
	}
	if err := v.bounds(); err != nil {
		var zero T
		return zero, fmt.Errorf("decode %T: %w", v, err)
	}
	return v, nil
}

// Open reads a Signed and the body in it. It checks no signature.
func Open[T Body](b []byte) (T, Signed, error) {
	var zero T
	s, err := Decode[Signed](b)
	if err != nil {
		return zero, s, err
	}
	v, err := Decode[T](s.Body)
	return v, s, err
}
