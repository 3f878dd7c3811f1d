package seat

import (
	"context"
	"crypto/rand"
	"fmt"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/signalpb"
)

// onEnrol asks the side's officers. It admits nobody: the request waits until an officer, having compared the device's words
// in person, signs an accreditation on the officer's own device.
func (s *Seat) onEnrol(ctx context.Context, e *signalpb.Enrol, reply func(*signalpb.ToClient)) error {
	d := s.Device()
	if s.stage == stageAdmitted && d.Accredited() {
		return problem.New(problem.AlreadyDone, "what", "enrol")
	}
	if err := ident.Text(e.Name, ident.MaxText); err != nil {
		return problem.New(problem.Malformed, "what", "name")
	}
	if e.Note != "" && ident.Text(e.Note, 2*ident.MaxText) != nil {
		return problem.New(problem.Malformed, "what", "note")
	}
	if !ident.IsLanguage(e.Language) {
		return problem.New(problem.Malformed, "what", "language")
	}
	now := s.cfg.Now()
	from := s.sock.Remote()
	if !s.cfg.Hub.enrolling.Allow(from, now) {
		if network := limit.Network(from); s.cfg.Hub.refusals.Allow("enrol"+network, now) {
			s.cfg.Security("refused", "", "too many enrolments from "+network)
		}
		return problem.New(problem.TooMany, "what", "enrolments")
	}
	want := store.Enrolment{Device: d.Key[:], Name: e.Name, Note: e.Note, Language: e.Language, Since: now.UnixMilli(), State: store.EnrolmentWaiting}
	if _, err := rand.Read(want.ID[:]); err != nil {
		return fmt.Errorf("make an enrolment id: %w", err)
	}
	kept, err := s.cfg.People.Enrol(ctx, want, from)
	if err != nil {
		return err
	}
	reply(EnrolmentState(kept))
	return nil
}

// EnrolmentState is what the asking device is told.
func EnrolmentState(e store.Enrolment) *signalpb.ToClient {
	return &signalpb.ToClient{Body: &signalpb.ToClient_Enrolment{Enrolment: &signalpb.Enrolment{
		Id: e.ID[:], State: e.State, Accreditation: e.Accreditation, Note: e.Answer,
	}}}
}
