package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/stage"
)

// formatID is the one format of the tests' sessions, the CLI's own default.
const formatID = "plenary"

type line struct {
	State string `json:"state"`
	RTT   int64  `json:"rtt"` // microseconds
}

type officer struct {
	native.Office
	conf     native.DeskConfig
	gone     chan struct{}
	sessions stage.Sessions
	people   map[string]*nativePerson
}

func newOfficer(d *native.Desk, conf native.DeskConfig) *officer {
	o := &officer{Office: native.Office{Desk: d, Author: native.Author{Device: conf.Device, Side: d.Welcome.Side.Id, Now: time.Now}},
		conf: conf, gone: make(chan struct{}), people: map[string]*nativePerson{}}
	go o.runListen()
	return o
}

// runListen notes what the node pushes, until the socket ends.
func (o *officer) runListen() {
	defer close(o.gone)
	o.sessions.RunListen(o.Desk)
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
		if err != nil || len(to) != act.IDSize {
			return answer{}, fmt.Errorf("%q is no proposal's id", x.To)
		}
		return answer{}, stage.Consent(ctx, o.Office, scope, act.ID(to))
	case "resume":
		id, err := o.Submit(ctx, scope, act.KindResume, act.Resume{})
		return answer{ID: hex.EncodeToString(id[:])}, err
	case "state":
		return answer{State: o.sessions.State(scope)}, nil
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
	sides, err := stage.Linked(ctx, o.Office, 1)
	if err != nil {
		return answer{}, err
	}
	f := act.Format{ID: formatID, Name: map[string]string{"en": "Plenary"}}
	for i, people := range [][][]string{x.Seats, x.Theirs} {
		for _, p := range people {
			f.Seats = append(f.Seats, act.Seat{Side: sides[i].ID, Person: p[0], Role: p[1]})
		}
	}
	plan := act.Plan{Title: map[string]string{"en": "Talks across two networks"}, Status: "formal", Sides: sides, Format: f}
	scope, id, err := stage.Propose(ctx, o.Office, plan, 24*time.Hour)
	return answer{Scope: hex.EncodeToString(scope), ID: hex.EncodeToString(id[:])}, err
}
