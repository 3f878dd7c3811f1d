package stage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/wire/signalpb"
)

// Stage is a raised summit.
type Stage struct {
	Sides []*Side
	Scope []byte
	Title map[string]string
}

// Config says what to raise.
type Config struct {
	Dir    string // for everything; must be empty
	Binary string // parley
	Casts  []Cast
	Ports  []Ports // one per cast; none: free ones
	Title  map[string]string
	Status string // of the session; "test" puts the demonstration banner on every page

	// Via says which address stands on a side's link card, for links that go through something else. Nil: the node's own port.
	Via func(side int, listen string) (announce string, err error)

	// Keys are sides raised before in this process, whose keys are taken again: making them is slow by design.
	Keys []*Side
}

// Raise makes the sides, starts their nodes, joins them by a verified link, and brings a session in force.
func Raise(ctx context.Context, c Config) (s *Stage, err error) {
	s = &Stage{Title: c.Title}
	defer func() {
		if err != nil {
			s.Strike()
		}
	}()
	if err := s.found(c); err != nil {
		return s, err
	}
	for _, sd := range s.Sides {
		if err := sd.Node.Start(ctx); err != nil {
			return s, err
		}
		if err := sd.open(ctx); err != nil {
			return s, err
		}
	}
	if err := s.join(ctx); err != nil {
		return s, err
	}
	return s, s.convene(ctx, c.Status)
}

// found makes the keys of all sides at once: unlocking a delegation key is slow by design.
func (s *Stage) found(c Config) error {
	s.Sides = make([]*Side, len(c.Casts))
	errs := make([]error, len(c.Casts))
	var wait sync.WaitGroup
	for i, cast := range c.Casts {
		var p Ports
		if i < len(c.Ports) {
			p = c.Ports[i]
		} else if p, errs[i] = FreePorts(); errs[i] != nil {
			break
		}
		announce := loopback(p.Link)
		if c.Via != nil {
			if announce, errs[i] = c.Via(i, announce); errs[i] != nil {
				break
			}
		}
		var earlier *Side
		if i < len(c.Keys) {
			earlier = c.Keys[i]
		}
		wait.Go(func() { s.Sides[i], errs[i] = found(c.Dir, c.Binary, cast, p, announce, earlier) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// join exchanges link cards and types the fingerprints.
func (s *Stage) join(ctx context.Context) error {
	for _, from := range s.Sides {
		a, err := node.DialAdmin(from.Data)
		if err != nil {
			return err
		}
		text, err := a.Card(ctx, "")
		if err != nil {
			return fmt.Errorf("write the link card of %s: %w", from.Cast.ID, err)
		}
		raw, err := side.CardText(text)
		if err != nil {
			return err
		}
		card, err := side.CheckCard(raw, time.Now().UnixMilli())
		if err != nil {
			return err
		}
		for _, to := range s.Sides {
			if to == from {
				continue
			}
			b, err := node.DialAdmin(to.Data)
			if err != nil {
				return err
			}
			line, err := b.AddCard(ctx, text, "")
			if err != nil {
				return fmt.Errorf("add the card of %s at %s: %w", from.Cast.ID, to.Cast.ID, err)
			}
			if _, err := b.VerifyCard(ctx, line.Side, "demonstration", "scripted officer", card.Fingerprint.Digits); err != nil {
				return fmt.Errorf("verify the card of %s at %s: %w", from.Cast.ID, to.Cast.ID, err)
			}
		}
	}
	return nil
}

// convene waits for the link, proposes the plan at the first side, and consents at the others.
func (s *Stage) convene(ctx context.Context, status string) error {
	first := s.Sides[0]
	sides, err := Linked(ctx, first.Office, len(s.Sides)-1)
	if err != nil {
		return err
	}
	plan := act.Plan{Title: s.Title, Status: status, Sides: sides, Format: s.format()}
	scope, id, err := Propose(ctx, first.Office, plan, 8*time.Hour)
	if err != nil {
		return fmt.Errorf("propose the plan: %w", err)
	}
	s.Scope = scope
	for _, sd := range s.Sides[1:] {
		if err := s.Consent(ctx, sd, id); err != nil {
			return fmt.Errorf("consent to the plan at %s: %w", sd.Cast.ID, err)
		}
	}
	return nil
}

// Consent submits a side's consent, as soon as its node knows the proposal.
func (s *Stage) Consent(ctx context.Context, sd *Side, to act.ID) error {
	return Consent(ctx, sd.Office, s.Scope, to)
}

// Resume proposes to go on and has every side consent.
func (s *Stage) Resume(ctx context.Context) error {
	id, err := s.Sides[0].Office.Submit(ctx, s.Scope, act.KindResume, act.Resume{})
	if err != nil {
		return err
	}
	for _, sd := range s.Sides[1:] {
		if err := s.Consent(ctx, sd, id); err != nil {
			return err
		}
	}
	return nil
}

// Links is how a side's node sees the others.
func (s *Stage) Links(ctx context.Context, sd *Side) ([]*signalpb.Link, error) {
	r, err := sd.Office.List(ctx)
	return r.GetLinks(), err
}

// Strike ends every node.
func (s *Stage) Strike() {
	for _, sd := range s.Sides {
		if sd == nil {
			continue
		}
		if sd.Office.Desk != nil {
			sd.Office.Desk.Close()
		}
		if sd.Node != nil {
			_ = sd.Node.Stop()
		}
	}
}
