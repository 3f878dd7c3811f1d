package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// formatID is the one format of the tests' sessions, the CLI's own default.
const formatID = "plenary"

type line struct {
	State string `json:"state"`
	RTT   int64  `json:"rtt"` // microseconds
}

type officer struct {
	native.Office
	conf native.DeskConfig
	gone chan struct{}

	mu     sync.Mutex
	states map[string]string // scope → state, as the node last said

	people map[string]*nativePerson
}

func newOfficer(d *native.Desk, conf native.DeskConfig) *officer {
	o := &officer{Office: native.Office{Desk: d, Author: native.Author{Device: conf.Device, Side: d.Welcome.Side.Id, Now: time.Now}},
		conf: conf, gone: make(chan struct{}), states: map[string]string{}, people: map[string]*nativePerson{}}
	o.note(d.Welcome.Sessions)
	go o.runListen()
	return o
}

// runListen notes what the node pushes, until the socket ends.
func (o *officer) runListen() {
	defer close(o.gone)
	for m := range o.Desk.Pushes() {
		if l := m.GetSessions(); l != nil {
			o.note(l.Sessions)
		}
	}
}

func (o *officer) note(list []*signalpb.SessionInfo) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, i := range list {
		o.states[hex.EncodeToString(i.Scope)] = i.State
	}
}

func (o *officer) state(scope string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.states[scope]
}

func (o *officer) close() {
	for _, p := range o.people {
		p.end()
	}
	o.Desk.Close()
	<-o.gone
}

func (o *officer) obey(ctx context.Context, x order) (answer, error) {
	scope, err := hex.DecodeString(x.Scope)
	if err != nil {
		return answer{}, fmt.Errorf("read the scope: %w", err)
	}
	switch x.Do {
	case "convene":
		return o.convene(ctx, x)
	case "consent":
		to, err := hex.DecodeString(x.To)
		if err != nil {
			return answer{}, fmt.Errorf("read the proposal's id: %w", err)
		}
		return answer{}, o.consent(ctx, scope, to)
	case "resume":
		id, err := o.Submit(ctx, scope, act.KindResume, act.Resume{})
		return answer{ID: hex.EncodeToString(id[:])}, err
	case "state":
		return answer{State: o.state(x.Scope)}, nil
	case "links":
		r, err := o.List(ctx)
		a := answer{}
		for _, l := range r.GetLinks() {
			a.Links = append(a.Links, line{State: l.State, RTT: l.RttUs})
		}
		return a, err
	case "native":
		return answer{}, o.enter(ctx, x, scope)
	case "senses":
		return o.senses(x.Person)
	}
	return answer{}, fmt.Errorf("no such order: %q", x.Do)
}

// convene proposes the plan of a session as soon as the link is up.
func (o *officer) convene(ctx context.Context, x order) (answer, error) {
	var peer act.PlanSide
	err := until(ctx, func() (bool, error) {
		r, err := o.List(ctx)
		if err != nil {
			return false, err
		}
		for _, l := range r.Links {
			if p, err := native.PeerIntroduction(l); err == nil && l.State == "up" {
				peer = p
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return answer{}, fmt.Errorf("wait for the link: %w", err)
	}
	f := act.Format{ID: formatID, Name: map[string]string{"en": "Plenary"}}
	for i, people := range [][][]string{x.Seats, x.Theirs} {
		for _, p := range people {
			f.Seats = append(f.Seats, act.Seat{Side: [][]byte{o.Author.Side, peer.ID}[i], Person: p[0], Role: p[1]})
		}
	}
	now := time.Now()
	scope, id, err := o.Propose(ctx, act.Plan{Title: map[string]string{"en": "Talks across two networks"}, Status: "formal",
		Sides: []act.PlanSide{native.Introduction(o.Desk.Welcome.Side), peer}, Sequencer: o.Author.Side, Format: f, Profile: act.Profile,
		Recording: "none", From: now.Add(-time.Minute).UnixMilli(), Until: now.Add(24 * time.Hour).UnixMilli()})
	return answer{Scope: hex.EncodeToString(scope), ID: hex.EncodeToString(id[:])}, err
}

// consent agrees as soon as the own node knows the proposal.
func (o *officer) consent(ctx context.Context, scope, to []byte) error {
	return until(ctx, func() (bool, error) {
		_, err := o.Submit(ctx, scope, act.KindConsent, act.Consent{To: to})
		switch problem.CodeOf(err) {
		case problem.UnknownSession, problem.NoSuchProposal, problem.LinkLost, problem.NotInForce:
			return false, nil // the nodes are still catching up with each other
		}
		return err == nil, err
	})
}

func until(ctx context.Context, done func() (bool, error)) error {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("not in time"), ctx.Err())
		case <-poll.C:
		}
	}
}
