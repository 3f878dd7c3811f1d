package stage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/wire/signalpb"
)

// What a scripted officer does over the ordinary API, for a side of a raised summit or of two machines.

// Linked waits for so many links that are up and gives the sides as a plan names them, the officer's own first.
func Linked(ctx context.Context, o native.Office, others int) ([]act.PlanSide, error) {
	var sides []act.PlanSide
	err := until(ctx, 30*time.Second, "the link is not up", func() (bool, error) {
		r, err := o.List(ctx)
		if err != nil {
			return false, err
		}
		sides = []act.PlanSide{native.Introduction(o.Desk.Welcome.Side)}
		for _, l := range r.Links {
			if p, err := native.PeerIntroduction(l); err == nil && l.State == "up" {
				sides = append(sides, p)
			}
		}
		return len(sides) == 1+others, nil
	})
	return sides, err
}

// Propose makes a session of one format that begins now and lasts.
func Propose(ctx context.Context, o native.Office, p act.Plan, lasts time.Duration) (scope []byte, plan act.ID, err error) {
	now := time.Now()
	p.Sequencer, p.Profile, p.Recording = o.Author.Side, act.Profile, "none"
	p.From, p.Until = now.Add(-time.Minute).UnixMilli(), now.Add(lasts).UnixMilli()
	return o.Propose(ctx, p)
}

// Consent submits a side's consent, as soon as its node knows the proposal.
func Consent(ctx context.Context, o native.Office, scope []byte, to act.ID) error {
	return until(ctx, 10*time.Second, "the proposal does not arrive", func() (bool, error) {
		_, err := o.Submit(ctx, scope, act.KindConsent, act.Consent{To: to[:]})
		return err == nil, transient(err)
	})
}

// Enrol makes a device the ordinary way: it asks its node under a name, and the officer accredits it. Device, Version, Side, By and At of
// the accreditation are filled here.
func Enrol(ctx context.Context, o native.Office, conf native.DeskConfig, name string, a ident.Accreditation) (ident.Key, []byte, error) {
	key, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		return key, nil, err
	}
	conf.Device, conf.Accreditation = key, nil
	d, err := native.OpenDesk(ctx, conf)
	if err != nil {
		return key, nil, err
	}
	defer d.Close()
	r, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: name, Language: conf.Language}}})
	if err != nil {
		return key, nil, fmt.Errorf("enrol %s: %w", a.Person, err)
	}
	a.Device = key.Public()
	signed, err := o.Accredit(ctx, r.GetEnrolment().GetId(), a)
	if err != nil {
		return key, nil, fmt.Errorf("accredit %s: %w", a.Person, err)
	}
	return key, signed, nil
}

// Sessions are the states of sessions as a node last told them to its officer. Safe for concurrent use.
type Sessions struct {
	mu     sync.Mutex
	states map[string]string // by hexadecimal scope
}

// Note takes a node's list.
func (s *Sessions) Note(list []*signalpb.SessionInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states == nil {
		s.states = map[string]string{}
	}
	for _, i := range list {
		s.states[hex.EncodeToString(i.Scope)] = i.State
	}
}

// State is the phase of a session, empty for one that the node has not told of.
func (s *Sessions) State(scope []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[hex.EncodeToString(scope)]
}

// RunListen notes what a node pushes to its officer, until the desk closes.
func (s *Sessions) RunListen(d *native.Desk) {
	s.Note(d.Welcome.Sessions)
	for m := range d.Pushes() {
		if l := m.GetSessions(); l != nil {
			s.Note(l.Sessions)
		}
	}
}
