package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/store"
)

// people is the side's registry: who asked, who is accredited, whose accreditation has ended. It decides by signatures only;
// what it keeps is a copy of what officers signed.
type people struct {
	store *store.Store
	side  func() side.Checked
	hub   *seat.Hub
	now   func() time.Time
	note  func(kind, person, detail string) // security log
	ended func(ident.Revocation)            // stop the media of those it names, now

	mu          sync.Mutex // one change of the registry at a time
	revocations []ident.Revocation
	asking      map[[32]byte][limit.Levels]string // where the devices that wait asked from, since this start
}

// load reads the revocations, checking each again: a database that was tampered with may lose one (the log of a session still
// has it) but cannot gain one.
func (p *people) load(ctx context.Context) error {
	rows, err := p.store.Revocations(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		rev, err := ident.VerifyRevocation(r.Signed, p.side().Chain(nil))
		if err != nil {
			// Its officer's device may have been replaced since; the end of an accreditation is kept all the same.
			if rev, _, err = ident.Open[ident.Revocation](r.Signed); err != nil {
				return problem.New(problem.StoreDamaged, "what", "revocation")
			}
		}
		p.revocations = append(p.revocations, rev)
	}
	return nil
}

func (p *people) chain() ident.Chain {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.side().Chain(p.revocations)
}

// Admit implements seat.People.
func (p *people) Admit(ctx context.Context, device [32]byte, shown []byte) (seat.Device, error) {
	now := p.now().UnixMilli()
	d := seat.Device{Key: device}
	if o, ok := p.side().Officer(device[:], now); ok {
		d.OfficerOf = o.Person
	}
	kept, err := p.store.AccreditationOf(ctx, device[:])
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return d, err
	}
	signed := newer(shown, kept.Signed)
	if len(signed) == 0 {
		return d, nil
	}
	chain := p.chain()
	a, err := ident.VerifyAccreditation(signed, chain, device[:], now)
	if err != nil && len(kept.Signed) > 0 && !bytes.Equal(signed, kept.Signed) {
		// What the device shows may be altered or foreign; what an officer signed and this node kept still counts.
		if a2, err2 := ident.VerifyAccreditation(kept.Signed, chain, device[:], now); err2 == nil {
			a, err, signed = a2, nil, kept.Signed
		}
	}
	if err != nil {
		if d.Officer() && len(shown) == 0 {
			return d, nil // the officer's own accreditation has ended; the office has not
		}
		return d, withTimes(err, a)
	}
	d.Accreditation, d.Signed = a, signed
	return d, nil
}

// newer picks the accreditation that was signed later; anything unreadable is left to the check, which names the reason.
func newer(shown, kept []byte) []byte {
	if len(shown) == 0 {
		return kept
	}
	a, _, errA := ident.Open[ident.Accreditation](shown)
	b, _, errB := ident.Open[ident.Accreditation](kept)
	if errA == nil && errB == nil && b.At > a.At && bytes.Equal(a.Device, b.Device) {
		return kept
	}
	return shown
}

// withTimes adds what the person's sentence needs: from when, until when.
func withTimes(err error, a ident.Accreditation) error {
	var e *problem.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case problem.AccreditationExpired, problem.AccreditationEarly:
		return problem.New(e.Code, "from", stamp(a.From), "until", stamp(a.Until))
	}
	return err
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// Enrol implements seat.People.
func (p *people) Enrol(ctx context.Context, e store.Enrolment, from netip.Addr) (store.Enrolment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, err := p.store.EnrolmentOf(ctx, e.Device)
	switch {
	case err == nil && old.State == store.EnrolmentWaiting:
		// The same device asks again: it may correct its name, and keeps its place.
		old.Name, old.Note, old.Language = e.Name, e.Note, e.Language
		e = old
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return e, err
	default:
		if err := p.makeRoom(ctx, from); err != nil {
			return e, err
		}
		p.asking[[32]byte(e.Device)] = limit.Networks(from)
	}
	if err := p.store.SaveEnrolment(ctx, e); err != nil {
		return e, fmt.Errorf("keep an enrolment: %w", err)
	}
	p.tellOfficers(ctx)
	return e, nil
}

// Enrolled implements seat.People.
func (p *people) Enrolled(ctx context.Context, device [32]byte) (store.Enrolment, error) {
	return p.store.EnrolmentOf(ctx, device[:])
}

// expire ends the seats whose accreditation is no longer in force.
func (p *people) expire() {
	now := p.now().UnixMilli()
	for _, s := range p.hub.All(seat.Device.Accredited) {
		d := s.Device()
		if err := ident.InForce(d.Accreditation.From, d.Accreditation.Until, now); err != nil {
			var e *problem.Error
			if errors.As(withTimes(err, d.Accreditation), &e) {
				p.note("expired", d.Person(), "device "+d.Short())
				s.End(e)
			}
		}
	}
}
