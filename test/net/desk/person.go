package main

import (
	"context"
	"fmt"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/stage"
	"parley.link/parley/internal/synth"
)

// nativePerson is a native participant of this side.
type nativePerson struct {
	*native.Participant
	stop context.CancelFunc
	done chan struct{}
}

func (p *nativePerson) end() {
	p.stop()
	<-p.done
}

type facts struct {
	Epoch    uint64 `json:"epoch"`
	Members  int    `json:"members"`
	Attested int    `json:"attested"`
	Problem  string `json:"problem,omitempty"`
}

type sight struct {
	Person string `json:"person"`
	Source string `json:"source"`
	Codec  string `json:"codec"`
	Opened uint64 `json:"opened"`
	Closed uint64 `json:"closed"`
	Track  string `json:"track"`
}

// enter makes a device, has it ask, accredits it, and lets it take part until the desk closes.
func (o *officer) enter(ctx context.Context, x order, scope []byte) error {
	now := time.Now()
	conf := o.conf
	key, signed, err := stage.Enrol(ctx, o.Office, conf, x.Person, ident.Accreditation{Person: x.Person, Name: map[string]string{"en": x.Person},
		Office: map[string]string{"en": "Native participant"}, Role: "adviser", Formats: []string{formatID},
		From: now.Add(-time.Minute).UnixMilli(), Until: now.Add(24 * time.Hour).UnixMilli(), Verified: "demonstration"})
	if err != nil {
		return err
	}
	p, err := native.New(native.Config{Address: conf.Address, TLS: conf.TLS, Device: key, Accreditation: signed, Scope: scope, Language: "en",
		Number: x.Number, Initials: "NA", Tone: synth.ToneOf(x.Number), FPS: 10, Canary: []byte(x.Canary), Loopback: conf.TLS == nil})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.Background())
	n := &nativePerson{Participant: p, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		_ = p.Run(running) // what ended it stands in its facts
	}()
	o.people[x.Person] = n
	return nil
}

func (o *officer) senses(person string) (answer, error) {
	p := o.people[person]
	if p == nil {
		return answer{}, fmt.Errorf("no native person %q", person)
	}
	f := p.Facts()
	a := answer{Facts: &facts{Epoch: f.Epoch, Members: f.Members, Attested: f.Attested, Problem: f.Problem}}
	for _, s := range p.Sights() {
		a.Sees = append(a.Sees, sight{Person: s.Person, Source: s.Source, Codec: s.Codec, Opened: s.Opened, Closed: s.Closed, Track: s.Track})
	}
	return a, nil
}
