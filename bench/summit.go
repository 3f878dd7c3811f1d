package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/stage"
	"parley.link/parley/internal/synth"
)

// summit is a raised stage and the native participants of this process.
type summit struct {
	*stage.Stage
	dir  string
	wait sync.WaitGroup
	all  context.Context
	stop context.CancelFunc
}

// raise makes two sides of n people each. It tries again: another program may take a free port before the node does.
func raise(ctx context.Context, c config, n int, status string) (s *summit, err error) {
	for range 3 {
		if s, err = raiseOnce(ctx, c, n, status); err == nil || ctx.Err() != nil {
			break
		}
	}
	return s, err
}

func raiseOnce(ctx context.Context, c config, n int, status string) (*summit, error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	binary, err := filepath.Abs(c.binary)
	if err != nil {
		return nil, fmt.Errorf("find parley: %w", err)
	}
	v, q := stage.Velmark(), stage.Qasran()
	v.People, q.People = people(v.People, n, "v", 0), people(q.People, n, "q", 100)
	st, err := stage.Raise(ctx, stage.Config{Dir: dir, Binary: binary, Casts: []stage.Cast{v, q}, Status: status,
		Title: map[string]string{"en": "Benchmark", "ar": "قياس"}})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("raise a summit: %w", err)
	}
	s := &summit{Stage: st, dir: dir}
	s.all, s.stop = context.WithCancel(ctx)
	return s, nil
}

// people are the first n of the cast, and more of the same kind when it has fewer.
func people(cast []stage.Person, n int, prefix string, number int) []stage.Person {
	cast = cast[:min(n, len(cast))]
	for i := len(cast); i < n; i++ {
		name := map[string]string{"en": fmt.Sprintf("Adviser %d", i+1), "ar": fmt.Sprintf("مستشار %d", i+1)}
		cast = append(cast, stage.Person{ID: fmt.Sprintf("%s-%02d", prefix, i+1), Name: name, Office: name, Role: "adviser", Initials: "AD", Number: number + i})
	}
	return cast
}

func (s *summit) close() {
	s.stop()
	s.wait.Wait()
	s.Strike()
	_ = os.RemoveAll(s.dir)
}

// part is a person with a device, who may come and go many times.
type part struct {
	summit *summit
	side   *stage.Side
	person stage.Person
	key    ident.Key
	acc    []byte
}

// accredit makes a device for a person and has the officer sign for it. It is not asked over the wire: a node lets ten strangers ask from
// one address in ten minutes, and all of ours come from one.
func (s *summit) accredit(side, person int) (part, error) {
	sd := s.Sides[side]
	p := part{summit: s, side: sd, person: sd.Cast.People[person]}
	var err error
	if p.key, err = ident.GenerateKey(rand.Reader); err != nil {
		return p, err
	}
	officer := sd.Officers[0]
	a := sd.Accreditation(p.person, p.key.Public())
	a.Version, a.Side, a.By, a.At = ident.Version, sd.ID, officer.Public(), time.Now().UnixMilli()
	p.acc = canon.Encode(officer.SignBody(ident.ContextAccreditation, a))
	return p, nil
}

// Kinds of participants.
var (
	speaks  = native.Config{FPS: 30}                                                     // camera and microphone, sees and hears everybody
	present = native.Config{FPS: 0, Tone: -1, Sources: []string{"none"}}                 // keys only
	watches = native.Config{FPS: 0, Tone: -1, Sources: []string{"camera", "microphone"}} // no own media
)

// actor is a participant that runs.
type actor struct {
	*native.Participant
	part
	began time.Time
	done  chan struct{}
	err   error // once done
}

// enter lets a part take part until it leaves or the summit closes.
func (p part) enter(kind native.Config, trace native.Trace) (*actor, error) {
	kind.Address, kind.Device, kind.Accreditation, kind.Scope = p.side.Address(), p.key, p.acc, p.summit.Scope
	kind.Language, kind.Number, kind.Initials, kind.Loopback, kind.Trace = "en", p.person.Number, p.person.Initials, true, trace
	if kind.Tone == 0 {
		kind.Tone = synth.ToneOf(p.person.Number)
	}
	n, err := native.New(kind)
	if err != nil {
		return nil, err
	}
	a := &actor{Participant: n, part: p, began: time.Now(), done: make(chan struct{})}
	p.summit.wait.Go(func() {
		defer close(a.done)
		a.err = n.Run(p.summit.all)
	})
	return a, nil
}

// leave leaves by an act and waits.
func (a *actor) leave(ctx context.Context) error {
	a.Leave()
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(15 * time.Second):
		return fmt.Errorf("%s does not get out: %+v", a.person.ID, a.Facts())
	}
}

// enterMany accredits and enters people of both sides in turn, n in all: the first three one after another, so that their order in the
// group is known, the others eight at a time. It returns when they share an epoch.
func (s *summit) enterMany(ctx context.Context, n int, kind func(i int) (native.Config, native.Trace)) ([]*actor, error) {
	var all []*actor
	for i := range n {
		p, err := s.accredit(i%2, i/2)
		if err != nil {
			return nil, err
		}
		c, t := kind(i)
		a, err := p.enter(c, t)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
		if i >= 3 && i%8 != 7 && i != n-1 {
			continue
		}
		if err := settled(ctx, all, len(all)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// settled waits until all are in one epoch with so many members and send with it.
func settled(ctx context.Context, all []*actor, members int) error {
	return until(ctx, 60*time.Second, func() string {
		for _, a := range all {
			f := a.Facts()
			if f.Members != members || f.Epoch != all[0].Facts().Epoch || !f.Keyed {
				return fmt.Sprintf("%s: %d members of %d, epoch %d, sends with it: %v, session %s, forked %v, removal overdue %v, %s",
					a.person.ID, f.Members, members, f.Epoch, f.Keyed, f.Phase, f.Forked, f.Overdue, f.Problem)
			}
		}
		return ""
	})
}

// until polls each 5 ms until there is no complaint.
func until(ctx context.Context, most time.Duration, complain func() string) error {
	deadline := time.After(most)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		why := complain()
		if why == "" {
			return nil
		}
		select {
		case <-deadline:
			return fmt.Errorf("not in %v: %s", most, why)
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
	}
}
