package native

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Office is an officer's work over the ordinary API: accredit, revoke, propose, consent. The officer's key never leaves it.
type Office struct {
	Desk   *Desk
	Author Author
}

// List is who waits, who is accredited, and the links.
func (o Office) List(ctx context.Context) (*signalpb.OfficerReply, error) {
	return o.ask(ctx, &signalpb.Officer{Ask: &signalpb.Officer_List{List: &signalpb.OfficerList{}}})
}

// Accredit signs an accreditation and hands it to the node for the waiting device. Version, Side, By and At are filled here.
func (o Office) Accredit(ctx context.Context, enrolment []byte, a ident.Accreditation) ([]byte, error) {
	a.Version, a.Side, a.By, a.At = ident.Version, o.Author.Side, o.Author.Device.Public(), o.Author.Now().UnixMilli()
	signed := canon.Encode(o.Author.Device.SignBody(ident.ContextAccreditation, a))
	_, err := o.ask(ctx, &signalpb.Officer{Ask: &signalpb.Officer_Accredit{Accredit: &signalpb.Accredit{Enrolment: enrolment, Accreditation: signed}}})
	return signed, err
}

// Decline refuses a waiting device.
func (o Office) Decline(ctx context.Context, enrolment []byte, reason string) error {
	_, err := o.ask(ctx, &signalpb.Officer{Ask: &signalpb.Officer_Decline{Decline: &signalpb.Decline{Enrolment: enrolment, Reason: reason}}})
	return err
}

// Revoke ends a person's accreditation on a device (nil: on every device), and says so in each of the sessions given.
func (o Office) Revoke(ctx context.Context, person string, device []byte, reason string, scopes ...[]byte) error {
	r := ident.Revocation{Version: ident.Version, Side: o.Author.Side, Person: person, Device: device, Reason: reason,
		At: o.Author.Now().UnixMilli(), By: o.Author.Device.Public()}
	signed := canon.Encode(o.Author.Device.SignBody(ident.ContextRevocation, r))
	_, err := o.ask(ctx, &signalpb.Officer{Ask: &signalpb.Officer_Revoke{Revoke: &signalpb.RevokePerson{Revocation: signed}}})
	for _, scope := range scopes {
		if err != nil {
			return err
		}
		_, err = o.Submit(ctx, scope, act.KindRevoke, act.Revoke{Revocation: signed})
	}
	return err
}

// Propose makes a session: a plan under a fresh scope.
func (o Office) Propose(ctx context.Context, p act.Plan) (scope []byte, plan act.ID, err error) {
	scope = make([]byte, act.ScopeSize)
	_, _ = rand.Read(scope)
	plan, err = o.Submit(ctx, scope, act.KindPlan, p)
	return scope, plan, err
}

// Submit signs an act and waits until the node has taken it.
func (o Office) Submit(ctx context.Context, scope []byte, kind act.Kind, body any) (act.ID, error) {
	s, id := o.Author.Act(scope, kind, body)
	_, err := o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope, Act: canon.Encode(s)}}})
	return id, err
}

func (o Office) ask(ctx context.Context, m *signalpb.Officer) (*signalpb.OfficerReply, error) {
	r, err := o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: m}})
	if err != nil {
		return nil, err
	}
	return r.GetOfficer(), nil
}

// Introduction is how a side appears in a plan, from what its node says of it.
func Introduction(s *signalpb.Side) act.PlanSide {
	return act.PlanSide{ID: s.Id, Name: s.Name, Language: s.Language, Zone: s.Zone, Delegation: s.Delegation, Node: s.NodeCert, Officers: s.OfficerCerts}
}

// PeerIntroduction is how the other side appears in a plan, as its link introduced it. The delegation key is that of the card the
// officers verified by hand; the node has checked the introduction against it, and so does this.
func PeerIntroduction(l *signalpb.Link) (act.PlanSide, error) {
	var p act.PlanSide
	var k ident.DelegationKey
	if len(l.Introduction) == 0 {
		return p, problem.New(problem.LinkLost)
	}
	if err := canon.Decode(l.Introduction, &p); err != nil {
		return p, fmt.Errorf("read the other side's introduction: %w", err)
	}
	if err := canon.Decode(p.Delegation, &k); err != nil {
		return p, fmt.Errorf("read the other side's delegation key: %w", err)
	}
	if id := ident.SideID(k); !bytes.Equal(id[:], p.ID) || !bytes.Equal(p.ID, l.Side) {
		return p, problem.New(problem.LinkSwappedKey)
	}
	return p, nil
}
