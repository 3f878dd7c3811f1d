package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/signalpb"
)

// An officer's signature is dated by the officer's device. Which of an accreditation and a revocation came later hangs on these
// dates, so one far from the node's clock is refused while it can still be made anew.
const (
	maxAhead  = 2_000  // ms
	maxBehind = 60_000 // ms
)

func (p *people) dated(at int64) error {
	now := p.now().UnixMilli()
	if at > now+maxAhead || at < now-maxBehind {
		return problem.New(problem.ClockOff, "device", stamp(at), "node", stamp(now))
	}
	return nil
}

// List implements seat.Office.
func (p *people) List(ctx context.Context) (*signalpb.OfficerReply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.list(ctx)
}

func (p *people) list(ctx context.Context) (*signalpb.OfficerReply, error) {
	r := &signalpb.OfficerReply{}
	waiting, err := p.store.Enrolments(ctx, store.EnrolmentWaiting)
	if err != nil {
		return nil, err
	}
	for _, e := range waiting {
		r.Pending = append(r.Pending, &signalpb.PendingEnrolment{
			Id: e.ID[:], Device: e.Device, Name: e.Name, Note: e.Note, Language: e.Language, Since: e.Since,
		})
	}
	rows, err := p.store.Accreditations(ctx)
	if err != nil {
		return nil, err
	}
	revoked, err := p.store.Revocations(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		a, _, err := ident.Open[ident.Accreditation](row.Signed)
		if err != nil {
			return nil, problem.New(problem.StoreDamaged, "what", "accreditation")
		}
		one := &signalpb.AccreditedPerson{Accreditation: row.Signed, Connected: p.hub.Of([32]byte(a.Device)) != nil}
		for _, v := range revoked {
			if rev, _, err := ident.Open[ident.Revocation](v.Signed); err == nil && rev.Ends(a) {
				one.Revocation = v.Signed
			}
		}
		r.People = append(r.People, one)
	}
	return r, nil
}

// tellOfficers pushes the list to every officer's device. Called with mu held, after the change is durable.
func (p *people) tellOfficers(ctx context.Context) {
	r, err := p.list(ctx)
	if err != nil {
		return
	}
	p.hub.Tell(&signalpb.ToClient{Body: &signalpb.ToClient_Officer{Officer: r}}, seat.Device.Officer)
}

// Accredit implements seat.Office.
func (p *people) Accredit(ctx context.Context, officer seat.Device, enrolment, signed []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, device, err := p.asked(ctx, enrolment, signed)
	if err != nil {
		return err
	}
	now := p.now().UnixMilli()
	a, err := ident.VerifyAccreditation(signed, p.side().Chain(p.revocations), device, now)
	if err != nil {
		// One that begins later is a good accreditation of somebody who may not come in yet.
		if problem.CodeOf(err) != problem.AccreditationEarly {
			return err
		}
	}
	if !bytes.Equal(a.By, officer.Key[:]) {
		return problem.New(problem.NotYours, "what", "accreditation")
	}
	if err := p.dated(a.At); err != nil {
		return err
	}
	if err := p.store.SaveAccreditation(ctx, store.Accreditation{Device: device, Person: a.Person, At: a.At, Signed: signed}); err != nil {
		return fmt.Errorf("keep an accreditation: %w", err)
	}
	if asked != nil {
		asked.State, asked.Accreditation = store.EnrolmentAccredited, signed
		if err := p.store.SaveEnrolment(ctx, *asked); err != nil {
			return fmt.Errorf("keep an enrolment: %w", err)
		}
		if s := p.hub.Of([32]byte(device)); s != nil {
			s.Push(seat.EnrolmentState(*asked))
		}
	}
	p.note("accredited", a.Person, "by "+officer.Person()+", verified "+a.Verified)
	p.tellOfficers(ctx)
	return nil
}

// asked finds the enrolment that is answered and the device that asked. Without an enrolment it is a renewal, for a device that
// holds an accreditation already.
func (p *people) asked(ctx context.Context, enrolment, signed []byte) (*store.Enrolment, []byte, error) {
	if len(enrolment) == 0 {
		a, _, err := ident.Open[ident.Accreditation](signed)
		if err != nil {
			return nil, nil, problem.New(problem.Malformed, "what", "accreditation")
		}
		if _, ok := p.side().Officer(a.Device, p.now().UnixMilli()); ok {
			return nil, a.Device, nil // an officer's device was compared when it was certified
		}
		if _, err := p.store.AccreditationOf(ctx, a.Device); err != nil {
			return nil, nil, unknown(err, "device")
		}
		return nil, a.Device, nil
	}
	if len(enrolment) != 16 {
		return nil, nil, problem.New(problem.Malformed, "what", "enrolment")
	}
	e, err := p.store.EnrolmentByID(ctx, [16]byte(enrolment))
	if err != nil {
		return nil, nil, unknown(err, "enrolment")
	}
	if e.State != store.EnrolmentWaiting {
		return nil, nil, problem.New(problem.AlreadyDone, "what", "enrolment")
	}
	return &e, e.Device, nil
}

func unknown(err error, what string) error {
	if errors.Is(err, store.ErrNotFound) {
		return problem.New(problem.AlreadyDone, "what", what)
	}
	return err
}

// Decline implements seat.Office.
func (p *people) Decline(ctx context.Context, officer seat.Device, enrolment []byte, reason string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(enrolment) == 0 {
		return problem.New(problem.Malformed, "what", "enrolment")
	}
	e, device, err := p.asked(ctx, enrolment, nil)
	if err != nil {
		return err
	}
	e.State, e.Answer = store.EnrolmentDeclined, reason
	if err := p.store.SaveEnrolment(ctx, *e); err != nil {
		return fmt.Errorf("keep an enrolment: %w", err)
	}
	if s := p.hub.Of([32]byte(device)); s != nil {
		s.Push(seat.EnrolmentState(*e))
	}
	p.note("declined", "", "device "+seat.Device{Key: [32]byte(device)}.Short()+" by "+officer.Person())
	p.tellOfficers(ctx)
	return nil
}

// Revoke implements seat.Office. Durable first; then, before anything else can happen, the media of the devices it names stops
// and their sockets close. The log of each session learns of it by the act that the officer's client submits.
func (p *people) Revoke(ctx context.Context, officer seat.Device, signed []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	rev, err := ident.VerifyRevocation(signed, p.side().Chain(nil))
	if err != nil {
		return err
	}
	if !bytes.Equal(rev.By, officer.Key[:]) {
		return problem.New(problem.NotYours, "what", "revocation")
	}
	if err := p.dated(rev.At); err != nil {
		return err
	}
	return p.revoke(ctx, rev, signed)
}

// revoke keeps and enforces a verified revocation, from an officer's request or from a session's log. The second time it
// changes nothing. Called with mu held.
func (p *people) revoke(ctx context.Context, rev ident.Revocation, signed []byte) error {
	if err := p.store.SaveRevocation(ctx, store.Revocation{Person: rev.Person, Device: rev.Device, At: rev.At, Signed: signed}); err != nil {
		return fmt.Errorf("keep a revocation: %w", err)
	}
	for _, r := range p.revocations {
		if r.Person == rev.Person && bytes.Equal(r.Device, rev.Device) && r.At == rev.At {
			return nil
		}
	}
	p.revocations = append(p.revocations, rev)
	p.ended(rev)
	for _, s := range p.hub.All(func(d seat.Device) bool { return d.Accredited() && rev.Ends(d.Accreditation) }) {
		s.End(problem.New(problem.AccreditationRevoked))
	}
	p.note("revoked", rev.Person, rev.Reason)
	p.tellOfficers(ctx)
	return nil
}

// learn takes a revocation that an own officer put into a session's log.
func (p *people) learn(ctx context.Context, signed []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	rev, err := ident.VerifyRevocation(signed, p.side().Chain(nil))
	if err != nil {
		return err
	}
	return p.revoke(ctx, rev, signed)
}
