package office

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// FormatID is the one format that the accreditations of synthetic people are for: they open no other session.
const FormatID = "rehearsal"

const (
	personPrefix = "rehearsal-"
	lasts        = time.Hour              // a rehearsal's time
	enterWithin  = 60 * time.Second       // everybody heard and seen by everybody
	closeWithin  = 90 * time.Second       // the other side may measure longer
	resumeEvery  = 2 * time.Second        // a link that was lost, and is back
	lookEvery    = 250 * time.Millisecond // below what a node answers one officer
	validFor     = 2 * time.Hour
)

// Rehearsal is one side's half of a rehearsal; the other side's officer runs the other half at its own node. Which of the two proposes the
// session is settled by the sides' ids, so that both say the same words.
type Rehearsal struct {
	Follower *Follower
	Desk     native.DeskConfig // address and authority of the node, for the synthetic people
	With     string            // the other side, see Follower.Peer
	People   int               // on each side; of the side that proposes
	Hold     time.Duration     // how long everybody must hear and see everybody without a break
	Patience time.Duration     // for the other side's officer
	Loopback bool              // the node is on this machine
	Say      func(string)      // what happens, for the terminal
}

// Run rehearses and reports what was heard and seen here. The synthetic people are revoked at the end, whatever happened.
func (r Rehearsal) Run(ctx context.Context) (rep Report, err error) {
	f := r.Follower
	own := native.Introduction(f.Office.Desk.Welcome.Side)
	peer, err := f.Peer(ctx, r.With, r.Patience)
	if err != nil {
		return rep, err
	}
	first := bytes.Compare(own.ID, peer.ID) < 0
	if first {
		err = r.propose(ctx, own, peer)
	} else {
		err = r.agree(ctx, own, peer)
	}
	if err != nil {
		return rep, err
	}
	st, err := f.state()
	if err != nil {
		return rep, err
	}
	seats := st.Seats()
	r.Say(fmt.Sprintf("The rehearsal is agreed: %d synthetic people.", len(seats)))
	run, stop := context.WithCancel(ctx)
	troupe, err := r.admit(run, seats)
	defer func() {
		stop()
		troupe.ran.Wait()
		err = errors.Join(err, r.dismiss(troupe))
	}()
	if err != nil {
		return rep, err
	}
	rep, err = r.hold(ctx, troupe, first)
	return rep, err
}

// propose plans the rehearsal and waits until the other side's officer has agreed.
func (r Rehearsal) propose(ctx context.Context, own, peer act.PlanSide) error {
	plan := act.Plan{
		Title: titles, Status: "test", Sides: []act.PlanSide{own, peer}, Sequencer: own.ID, Format: act.Format{ID: FormatID, Name: titles},
		Profile: act.Profile, Recording: "none", From: time.Now().Add(-time.Minute).UnixMilli(), Until: time.Now().Add(lasts).UnixMilli(),
	}
	for i := range 2 * r.People {
		side := own.ID
		if i >= r.People {
			side = peer.ID
		}
		plan.Format.Seats = append(plan.Format.Seats, act.Seat{Side: side, Person: person(i), Role: "adviser"})
	}
	f := r.Follower
	scope, _, err := f.Office.Propose(ctx, plan)
	if err != nil {
		return fmt.Errorf("propose the rehearsal: %w", err)
	}
	if err := f.Watch(ctx, scope); err != nil {
		return err
	}
	r.Say("Proposed. Now the other side's officer runs the same command at the other node.")
	return f.Until(ctx, r.Patience, "the other side's officer", agreed)
}

// agree waits for the other side's proposal and consents to it, if it is a rehearsal and nothing else.
func (r Rehearsal) agree(ctx context.Context, own, peer act.PlanSide) error {
	f := r.Follower
	r.Say("Waiting for the other side's officer, who runs the same command at the other node.")
	var found []byte
	newest := time.Now().Add(-r.Patience - 2*time.Minute).UnixMilli() // one that was given up earlier is not taken up
	err := f.Until(ctx, r.Patience, "the other side's proposal", func(*session.State) (bool, error) {
		for _, s := range f.sessions {
			if s.State == session.PhasePlanned && s.Status == "test" && s.From > newest && s.Title["en"] == titles["en"] {
				found, newest = s.Scope, s.From
			}
		}
		return found != nil, nil
	})
	if err != nil {
		return err
	}
	if err := f.Watch(ctx, found); err != nil {
		return err
	}
	st, err := f.state()
	if err != nil {
		return err
	}
	plan, ok := st.Plan()
	if !ok || !isRehearsal(plan, own, peer) || len(st.Proposals()) == 0 {
		return fmt.Errorf("what the other side proposed is no rehearsal: %w", problem.New(problem.NotYours, "what", "plan"))
	}
	to := st.Proposals()[0].ID
	if _, err := f.Office.Submit(ctx, found, act.KindConsent, act.Consent{To: to}); err != nil {
		return fmt.Errorf("consent to the rehearsal: %w", err)
	}
	return f.Until(ctx, r.Patience, "the rehearsal to be agreed", agreed)
}

func agreed(st *session.State) (bool, error) {
	switch st.Phase() {
	case session.PhaseAgreed, session.PhaseSuspended:
		return true, nil
	case session.PhaseClosed:
		return false, problem.New(problem.SessionClosed)
	}
	return false, nil
}

// isRehearsal: a consent given by a command must not seat a person, or open anything but this.
func isRehearsal(p act.Plan, own, peer act.PlanSide) bool {
	if p.Status != "test" || p.Format.ID != FormatID || len(p.Sides) != 2 || len(p.Format.Seats) > 2*MaxPeople {
		return false
	}
	for _, s := range p.Sides {
		if !bytes.Equal(s.ID, own.ID) && !bytes.Equal(s.ID, peer.ID) {
			return false
		}
	}
	for i, s := range p.Format.Seats {
		if s.Person != person(i) {
			return false
		}
	}
	return true
}

// person is the id of a synthetic person, by its seat.
func person(seat int) string { return fmt.Sprintf("%s%d", personPrefix, seat+1) }

// enrol makes a device for a synthetic person the ordinary way: it asks its node, and the officer accredits it for rehearsals alone.
func (r Rehearsal) enrol(ctx context.Context, seat act.Seat) (key ident.Key, signed []byte, err error) {
	if key, err = ident.GenerateKey(rand.Reader); err != nil {
		return key, nil, err
	}
	conf := r.Desk
	conf.Device, conf.Language, conf.Build = key, "en", "parley rehearse"
	d, err := native.OpenDesk(ctx, conf)
	if err != nil {
		return key, nil, err
	}
	defer d.Close()
	a, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: seat.Person, Language: "en"}}})
	if err != nil {
		return key, nil, fmt.Errorf("enrol %s: %w", seat.Person, err)
	}
	now, number := time.Now(), strings.TrimPrefix(seat.Person, personPrefix)
	called := map[string]string{}
	for l, t := range titles {
		called[l] = t + " " + number
	}
	signed, err = r.Follower.Office.Accredit(ctx, a.GetEnrolment().GetId(), ident.Accreditation{
		Person: seat.Person, Name: called, Office: offices, Role: seat.Role, Formats: []string{FormatID}, Device: key.Public(),
		From: now.Add(-time.Minute).UnixMilli(), Until: now.Add(validFor).UnixMilli(), Verified: "demonstration",
	})
	if err != nil {
		return key, nil, fmt.Errorf("accredit %s: %w", seat.Person, err)
	}
	return key, signed, nil
}

var titles = map[string]string{"en": "Rehearsal", "ar": "تمرين", "fr": "Répétition", "es": "Ensayo", "ru": "Репетиция", "zh": "彩排"}

var offices = map[string]string{"en": "Synthetic person", "ar": "شخص اصطناعي", "fr": "Personne synthétique", "es": "Persona sintética",
	"ru": "Синтетический участник", "zh": "合成人员"}
