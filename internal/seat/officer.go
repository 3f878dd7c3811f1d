package seat

import (
	"context"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Office is what officers may do. It is a part of People for those who hold an officer's certificate.
type Office interface {
	// List is every pending enrolment and every accredited person.
	List(ctx context.Context) (*signalpb.OfficerReply, error)
	// Accredit checks and keeps an accreditation that the officer's own device signed. An empty enrolment renews a known device.
	Accredit(ctx context.Context, officer Device, enrolment, signed []byte) error
	Decline(ctx context.Context, officer Device, enrolment []byte, reason string) error
	// Revoke keeps a revocation and ends the person's presence here at once.
	Revoke(ctx context.Context, officer Device, signed []byte) error
}

// Links are the links of this node as a seat sees them.
type Links interface {
	Status(ctx context.Context) []*signalpb.Link
	Add(ctx context.Context, by Device, card []byte, address string) error
	// Verify compares a fingerprint typed by hand; wrong stores nothing.
	Verify(ctx context.Context, by Device, side []byte, typed string) error
}

// onOfficer is refused to everybody whose device the delegation key has not certified, whatever else they may be.
func (s *Seat) onOfficer(ctx context.Context, o *signalpb.Officer, reply func(*signalpb.ToClient)) error {
	d := s.Device()
	if !d.Officer() {
		s.refused(d.Key, problem.New(problem.NotOfficer))
		return problem.New(problem.NotOfficer)
	}
	office, ok := s.cfg.People.(Office)
	if !ok {
		return problem.New(problem.NotOfficer)
	}
	if !s.asks.AllowN(s.cfg.Now(), 1) {
		return problem.New(problem.TooMany, "what", "requests")
	}
	if err := s.officerAsk(ctx, d, office, o); err != nil {
		return err
	}
	r, err := office.List(ctx)
	if err != nil {
		return err
	}
	r.Links = s.cfg.Links.Status(ctx)
	reply(&signalpb.ToClient{Body: &signalpb.ToClient_Officer{Officer: r}})
	return nil
}

func (s *Seat) officerAsk(ctx context.Context, d Device, office Office, o *signalpb.Officer) error {
	switch a := o.Ask.(type) {
	case *signalpb.Officer_List:
		return nil
	case *signalpb.Officer_Accredit:
		if len(a.Accredit.Accreditation) > maxAccreditation {
			return problem.New(problem.TooLarge, "what", "accreditation")
		}
		return office.Accredit(ctx, d, a.Accredit.Enrolment, a.Accredit.Accreditation)
	case *signalpb.Officer_Decline:
		if a.Decline.Reason != "" && ident.Text(a.Decline.Reason, ident.MaxText) != nil {
			return problem.New(problem.Malformed, "what", "reason")
		}
		return office.Decline(ctx, d, a.Decline.Enrolment, a.Decline.Reason)
	case *signalpb.Officer_Revoke:
		if len(a.Revoke.Revocation) > maxAccreditation {
			return problem.New(problem.TooLarge, "what", "revocation")
		}
		return office.Revoke(ctx, d, a.Revoke.Revocation)
	case *signalpb.Officer_AddLink:
		if len(a.AddLink.Card) > 4*ident.MaxChain || len(a.AddLink.Address) > 255 {
			return problem.New(problem.TooLarge, "what", "card")
		}
		return s.cfg.Links.Add(ctx, d, a.AddLink.Card, a.AddLink.Address)
	case *signalpb.Officer_VerifyLink:
		if len(a.VerifyLink.Fingerprint) > 256 {
			return problem.New(problem.TooLarge, "what", "fingerprint")
		}
		return s.cfg.Links.Verify(ctx, d, a.VerifyLink.Side, a.VerifyLink.Fingerprint)
	}
	return problem.New(problem.Malformed, "what", "officer")
}
