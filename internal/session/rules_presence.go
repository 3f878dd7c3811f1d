package session

import (
	"bytes"
	"slices"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

// join brings a device into the session. A second join of the same person replaces the first, whatever the device: nobody
// is in the room twice, and a reload needs no goodbye.
func (s *step) join(a decoded) error {
	b, err := body[act.Join](a)
	if err != nil {
		return err
	}
	if err := s.inForce(); err != nil {
		return err
	}
	if len(b.KeyPackage) == 0 || len(b.KeyPackage) > MaxKeyPackage {
		return problem.New(problem.Malformed, "what", "keypackage")
	}
	acc, err := s.accreditation(a, b.Accreditation)
	if err != nil {
		return err
	}
	key, err := s.sessionKey(a, acc, b.SessionCert)
	if err != nil {
		return err
	}
	all, each, here := 0, 0, false
	for _, j := range s.m.Members {
		if bytes.Equal(j.Side, a.Side) {
			all++
			if j.Person == acc.Person {
				each++
				here = here || j.State == Live || j.State == Lost
			}
		}
	}
	if s.m.over(s.at) && !here { // a reload in overtime puts nobody out
		return problem.New(problem.TimeOver)
	}
	if all >= MaxJoins || each >= MaxJoinsEach { // one person's device must not use up the joins of the others
		return problem.New(problem.TooMany, "what", "joins")
	}
	for i := range s.m.Members {
		j := &s.m.Members[i]
		same := bytes.Equal(j.Side, acc.Side) && j.Person == acc.Person
		if j.State != Live && j.State != Lost {
			continue
		}
		if !same {
			if j.State == Live && bytes.Equal(j.Device, a.Key) {
				return problem.New(problem.AccreditationDevice) // one device is one person at a time
			}
			continue
		}
		s.m.end(j, Replaced)
		s.effect(Effect{Kind: EffectReplaced, Act: a.id, Side: j.Side, Join: j.Join})
	}
	s.m.Members = append(s.m.Members, Member{
		Join: a.id[:], Side: acc.Side, Person: acc.Person, Role: acc.Role, Name: acc.Name, Office: acc.Office,
		Verified: acc.Verified, VerifiedAt: acc.At, By: acc.By, Device: a.Key, Key: key, KeyPackage: b.KeyPackage,
		Index: s.m.Next, At: s.at, State: Live,
	})
	s.effect(Effect{Kind: EffectJoined, Act: a.id, Side: acc.Side, Join: a.id[:]})
	return nil
}

// accreditation checks that an accreditation of the author's side admits this device and person to this format now.
func (s *step) accreditation(a decoded, raw []byte) (ident.Accreditation, error) {
	acc, signed, err := ident.Open[ident.Accreditation](raw)
	if err != nil {
		return acc, problem.New(problem.NotAccredited)
	}
	sd := s.m.side(a.Side)
	if !bytes.Equal(acc.Side, a.Side) {
		return acc, problem.New(problem.AccreditationForeign)
	}
	o := sd.officer(acc.By)
	if o == nil || ident.InForce(o.From, o.Until, acc.At) != nil {
		return acc, problem.New(problem.AccreditationForeign)
	}
	s.check(Ed25519, acc.By, ident.ContextAccreditation, signed.Body, signed.Ed25519, "accreditation", problem.AccreditationAltered)
	if !bytes.Equal(acc.Device, a.Key) {
		return acc, problem.New(problem.AccreditationDevice)
	}
	if err := ident.InForce(acc.From, acc.Until, s.at); err != nil {
		return acc, err
	}
	for _, r := range s.m.Revocations {
		if r.ends(acc.Side, acc.Person, acc.Device, acc.At) {
			return acc, problem.New(problem.AccreditationRevoked)
		}
	}
	seat := s.m.seat(acc.Side, acc.Person)
	if seat == nil || seat.Role != acc.Role || !slices.Contains(acc.Formats, s.m.Format) {
		return acc, problem.New(problem.NotSeated)
	}
	return acc, nil
}

func (r revoked) ends(side []byte, person string, device []byte, at int64) bool {
	return bytes.Equal(r.Side, side) && r.Person == person && at <= r.At && (len(r.Device) == 0 || bytes.Equal(r.Device, device))
}

// sessionKey checks the certificate of the MLS signature key: the device's own statement, for this scope and no other, over a
// key that no join had before (a reused key would let an old leaf speak for a new one).
func (s *step) sessionKey(a decoded, acc ident.Accreditation, raw []byte) ([]byte, error) {
	c, signed, err := ident.Open[ident.SessionCert](raw)
	if err != nil {
		return nil, problem.New(problem.Malformed, "what", "session-cert")
	}
	s.check(Ed25519, a.Key, ident.ContextSession, signed.Body, signed.Ed25519, "session-cert", problem.BadSignature)
	if !bytes.Equal(c.Scope, s.m.Scope) || !bytes.Equal(c.Side, acc.Side) || c.Person != acc.Person || !bytes.Equal(c.Device, a.Key) {
		return nil, problem.New(problem.NotYours)
	}
	if slices.ContainsFunc(s.m.Members, func(j Member) bool { return bytes.Equal(j.Key, c.Key) }) {
		return nil, problem.New(problem.Replayed)
	}
	return c.Key, nil
}

// leave ends the author's own presence.
func (s *step) leave(a decoded) error {
	b, err := body[act.Leave](a)
	if err != nil {
		return err
	}
	if err := s.inForce(); err != nil {
		return err
	}
	j := s.m.member(b.Join)
	if j == nil {
		return problem.New(problem.NotJoined)
	}
	if !bytes.Equal(j.Side, a.Side) || !bytes.Equal(j.Device, a.Key) {
		return problem.New(problem.NotYours)
	}
	if j.State != Live {
		return problem.New(problem.NotJoined)
	}
	s.m.end(j, Left)
	s.effect(Effect{Kind: EffectLeft, Act: a.id, Side: j.Side, Join: j.Join})
	return nil
}

// lost is a node's statement about a device of its own side.
func (s *step) lost(a decoded) error {
	b, err := body[act.Lost](a)
	if err != nil {
		return err
	}
	if err := s.inForce(); err != nil {
		return err
	}
	if !bytes.Equal(s.m.side(a.Side).Node, a.Key) {
		return problem.New(problem.NotYours)
	}
	j := s.m.member(b.Join)
	if j == nil {
		return problem.New(problem.NotJoined)
	}
	if !bytes.Equal(j.Side, a.Side) {
		return problem.New(problem.NotYours)
	}
	if j.State != Live {
		return problem.New(problem.NotJoined)
	}
	s.m.end(j, Lost)
	s.effect(Effect{Kind: EffectLost, Act: a.id, Side: j.Side, Join: j.Join})
	return nil
}

// revoke ends accreditations of the officer's own side, and the presence that rests on them.
func (s *step) revoke(a decoded) error {
	b, err := byOfficer[act.Revoke](s, a)
	if err != nil {
		return err
	}
	r, signed, err := ident.Open[ident.Revocation](b.Revocation)
	if err != nil {
		return problem.New(problem.Malformed, "what", "revocation")
	}
	if !bytes.Equal(r.Side, a.Side) {
		return problem.New(problem.NotYours)
	}
	if s.m.side(a.Side).officer(r.By) == nil {
		return problem.New(problem.NotOfficer)
	}
	s.check(Ed25519, r.By, ident.ContextRevocation, signed.Body, signed.Ed25519, "revocation", problem.BadSignature)
	if count(s.m.Revocations, func(x revoked) []byte { return x.Side }, a.Side) >= MaxRevocations {
		return problem.New(problem.TooMany, "what", "revocations")
	}
	v := revoked{Side: r.Side, Person: r.Person, Device: r.Device, At: r.At}
	s.m.Revocations = append(s.m.Revocations, v)
	s.effect(Effect{Kind: EffectRevoked, Act: a.id, Side: a.Side})
	for i := range s.m.Members {
		j := &s.m.Members[i]
		if (j.State == Live || j.State == Lost) && v.ends(j.Side, j.Person, j.Device, j.VerifiedAt) {
			s.m.end(j, Revoked)
			s.effect(Effect{Kind: EffectRevoked, Act: a.id, Side: j.Side, Join: j.Join})
		}
	}
	return nil
}
