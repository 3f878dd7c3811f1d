// Command raise puts a summit on its feet for a browser test and does what the test tells its officers and nodes to do. It reads one
// JSON command a line and answers each with one JSON line. Its officers accredit only devices whose words the test read off the
// page, as people would.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/stage"
)

type order struct {
	Do     string `json:"do"`
	Side   int    `json:"side"`
	Person string `json:"person"`
	Words  string `json:"words"` // of the device, separated by spaces
}

type answer struct {
	Web   []string      `json:"web,omitempty"`
	Data  []string      `json:"data,omitempty"`
	Ports []stage.Ports `json:"ports,omitempty"`
	Scope string        `json:"scope,omitempty"`
	State string        `json:"state,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "raise:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	binary := flag.String("parley", "", "the parley binary")
	dir := flag.String("dir", "", "an empty directory")
	flag.Parse()
	s, err := stage.Raise(ctx, stage.Config{Dir: *dir, Binary: *binary, Casts: []stage.Cast{stage.Velmark(), stage.Qasran()},
		Title: map[string]string{"en": "Summit under test", "ar": "قمة قيد الاختبار"}, Status: "formal"})
	if s != nil {
		defer s.Strike()
	}
	if err != nil {
		return err
	}
	ready := answer{Scope: hex.EncodeToString(s.Scope)}
	for _, sd := range s.Sides {
		ready.Web = append(ready.Web, fmt.Sprintf("http://localhost:%d/", sd.Ports.Web))
		ready.Data = append(ready.Data, sd.Data)
		ready.Ports = append(ready.Ports, sd.Ports)
	}
	return stage.Serve(ctx, os.Stdin, os.Stdout, nil, ready, func(ctx context.Context, o order) (answer, error) { return obey(ctx, s, o) })
}

func obey(ctx context.Context, s *stage.Stage, o order) (answer, error) {
	if o.Side < 0 || o.Side >= len(s.Sides) {
		return answer{}, errors.New("no such side")
	}
	sd := s.Sides[o.Side]
	switch o.Do {
	case "accredit":
		return answer{}, accredit(ctx, sd, o)
	case "suspend":
		_, err := sd.Office.Submit(ctx, s.Scope, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer})
		return answer{}, err
	case "resume":
		return answer{}, s.Resume(ctx)
	case "revoke":
		return answer{}, sd.Office.Revoke(ctx, o.Person, nil, "test", s.Scope)
	case "kill":
		return answer{}, sd.Node.Kill()
	case "stop":
		return answer{}, sd.Node.Stop()
	case "start":
		if err := sd.Node.Start(ctx); err != nil {
			return answer{}, err
		}
		return answer{}, sd.Reopen(ctx)
	case "state":
		return answer{State: sd.State(s.Scope)}, nil
	}
	return answer{}, fmt.Errorf("no such order: %q", o.Do)
}

// accredit signs for the one waiting device that shows these words.
func accredit(ctx context.Context, sd *stage.Side, o order) error {
	p, ok := sd.Person(o.Person)
	if !ok {
		return fmt.Errorf("no part of the name %q", o.Person)
	}
	return forDevice(ctx, sd, o.Words, func(id, device []byte) error {
		_, err := sd.Office.Accredit(ctx, id, sd.Accreditation(p, device))
		return err
	})
}

func forDevice(ctx context.Context, sd *stage.Side, words string, do func(id, device []byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	for {
		r, err := sd.Office.List(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		for _, e := range r.GetPending() {
			if strings.Join(ident.DeviceWords(e.Device), " ") == words {
				return do(e.Id, e.Device)
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("nobody waits with these words")
		case <-time.After(200 * time.Millisecond):
		}
	}
}
