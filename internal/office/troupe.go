package office

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/synth"
)

// troupe are one side's synthetic people, running.
type troupe struct {
	seats  []act.Seat // of all sides; the index is a person's number
	people []actor
	signed []string // whom an accreditation was signed for
	ran    sync.WaitGroup

	// What was observed last while the session ran.
	lines []Line
	words []string
}

type actor struct {
	seat int
	*native.Participant
}

// admit accredits the own side's synthetic people and lets them in.
func (r Rehearsal) admit(ctx context.Context, seats []act.Seat) (*troupe, error) {
	t := &troupe{seats: seats}
	for i, s := range seats {
		if !bytes.Equal(s.Side, r.Follower.Office.Author.Side) {
			continue
		}
		key, signed, err := r.enrol(ctx, s)
		if err != nil {
			return t, err
		}
		t.signed = append(t.signed, s.Person)
		p, err := native.New(native.Config{Address: r.Desk.Address, TLS: r.Desk.TLS, Device: key, Accreditation: signed, Scope: r.Follower.scope,
			Language: "en", Number: i, Initials: fmt.Sprintf("R%d", i+1), Tone: synth.ToneOf(i), FPS: 10, Loopback: r.Loopback})
		if err != nil {
			return t, err
		}
		t.people = append(t.people, actor{i, p})
		t.ran.Go(func() { _ = p.Run(ctx) })
	}
	return t, nil
}

// dismiss revokes the synthetic people of this side: a rehearsal leaves nobody accredited.
func (r Rehearsal) dismiss(t *troupe) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var errs []error
	for _, p := range t.signed {
		if err := r.Follower.Office.Revoke(ctx, p, nil, "rehearsal over"); err != nil {
			errs = append(errs, fmt.Errorf("%s stays accredited, for rehearsals, for %v: %w", p, validFor, err))
		}
	}
	return errors.Join(errs...)
}

// hold waits until everybody is heard and seen, holds that for a while, and closes the session with the other side.
func (r Rehearsal) hold(ctx context.Context, t *troupe, first bool) (Report, error) {
	var m measure
	m.begin(time.Now())
	var closing time.Time
	var asked, resumed time.Time
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		st, err := r.Follower.state()
		if err != nil {
			return m.report(t), err
		}
		now := time.Now()
		switch st.Phase() {
		case session.PhaseClosed:
			return m.report(t), nil
		case session.PhaseSuspended:
			m.interrupt(now)
			if now.Sub(resumed) > resumeEvery {
				resumed = now
				r.consider(ctx, st, act.KindResume, act.Resume{}, first)
			}
		case session.PhaseAgreed:
			if closing.IsZero() {
				m.look(now, t)
				t.observe(m.began, now)
			}
		}
		if closing.IsZero() && m.done(now, r.Hold) {
			closing = now
			r.Say("Heard and seen. Closing with the other side.")
		}
		if !closing.IsZero() && now.Sub(asked) > resumeEvery {
			asked = now
			r.consider(ctx, st, act.KindClose, act.Close{}, first)
		}
		if !closing.IsZero() && now.Sub(closing) > closeWithin {
			return m.report(t), fmt.Errorf("the other side did not close the rehearsal: %w", ErrWait)
		}
		select {
		case <-ctx.Done():
			return m.report(t), ctx.Err()
		case <-tick.C:
		}
	}
}

// consider proposes a joint act, if this side is the one that proposes and has not, or consents to the other side's. A refusal passes: the
// session is asked again.
func (r Rehearsal) consider(ctx context.Context, st *session.State, kind act.Kind, body any, first bool) {
	own := r.Follower.Office.Author.Side
	for _, p := range st.Proposals() {
		if p.Kind != kind || p.Done || st.Lapsed(p, time.Now().UnixMilli()) {
			continue
		}
		agreed := false
		for _, c := range p.Consents {
			agreed = agreed || bytes.Equal(c, own)
		}
		if !agreed {
			_, _ = r.Follower.Office.Submit(ctx, r.Follower.scope, act.KindConsent, act.Consent{To: p.ID})
			return
		}
		if kind == act.KindClose {
			return // it waits for the other side
		}
	}
	if first {
		_, _ = r.Follower.Office.Submit(ctx, r.Follower.scope, kind, body)
	}
}
