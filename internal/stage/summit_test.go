package stage

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/synth"
)

// binary is the real parley, built once for the package's tests, or the one that PARLEY_BINARY names.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("PARLEY_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "parley-stage-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "parley")
	out, err := exec.Command("go", "build", "-o", path, "parley.link/parley/cmd/parley").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build parley: %w: %s", err, out)
	}
	return path, nil
})

// built is the directory of the binary, if one was built.
var built string

func TestMain(m *testing.M) {
	if code, yes := asDelegation(); yes {
		os.Exit(code)
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// keysMade are the sides of the first summit of this run: the tests of one run share their keys, which are slow to make.
var keysMade []*Side

// summit raises two sides with n people each. Edit changes how, nil nothing.
func summit(t *testing.T, n int, edit ...func(*Config)) *Stage {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	v, q := Velmark(), Qasran()
	v.People, q.People = v.People[:n], q.People[:n]
	c := Config{Dir: t.TempDir(), Binary: path, Casts: []Cast{v, q}, Title: map[string]string{"en": "Test", "ar": "اختبار"}, Status: "test"}
	for _, f := range edit {
		f(&c)
	}
	c.Keys = keysMade
	s, err := Raise(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	keysMade = s.Sides
	t.Cleanup(func() {
		if t.Failed() {
			for _, sd := range s.Sides {
				t.Logf("%s node: %s", sd.Cast.ID, sd.Node.tail())
			}
		}
		s.Strike()
	})
	return s
}

// actor is a running native participant.
type actor struct {
	*native.Participant
	side   *Side
	person Person
	key    ident.Key
	acc    []byte
	done   chan error
	stop   context.CancelFunc
}

// enter enrols a part and lets it take part until the test ends.
func enter(t *testing.T, s *Stage, sd *Side, p Person, edit ...func(*native.Config)) *actor {
	t.Helper()
	key, acc, err := sd.Enrol(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return perform(t, s, sd, p, key, acc, edit...)
}

// perform lets an enrolled device take part until the test ends. It remembers nothing of an earlier run.
func perform(t *testing.T, s *Stage, sd *Side, p Person, key ident.Key, acc []byte, edit ...func(*native.Config)) *actor {
	t.Helper()
	c := native.Config{Address: sd.Address(), Device: key, Accreditation: acc, Scope: s.Scope, Language: "en",
		Number: p.Number, Initials: p.Initials, Tone: synth.ToneOf(p.Number), FPS: 10, Loopback: true}
	if os.Getenv("PARLEY_TEST_LOG") != "" {
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("person", p.ID)
	}
	for _, f := range edit {
		f(&c)
	}
	n, err := native.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &actor{Participant: n, side: sd, person: p, key: key, acc: acc, done: make(chan error, 1), stop: stop}
	go func() { a.done <- n.Run(ctx) }()
	t.Cleanup(func() { _ = a.end() })
	return a
}

// end stops it and says how it ended; again and again the same.
func (a *actor) end() error {
	a.stop()
	err := <-a.done
	a.done <- err
	return err
}

// everybody enters all parts.
func everybody(t *testing.T, s *Stage) (all []*actor) {
	t.Helper()
	for _, sd := range s.Sides {
		for _, p := range sd.Cast.People {
			all = append(all, enter(t, s, sd, p))
		}
	}
	return all
}

// wait polls until the complaint is empty.
func wait(t *testing.T, most time.Duration, complaint func() string) {
	t.Helper()
	deadline := time.After(most)
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		c := complaint()
		if c == "" {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("after %v: %s", most, c)
		case <-poll.C:
		}
	}
}

// perceives complains unless a sees the picture and hears the tone of everybody else, and only under the right names.
func (a *actor) perceives(others []*actor) string {
	byPerson := map[string]map[string]native.Sight{}
	for _, s := range a.Sights() {
		if byPerson[s.Person] == nil {
			byPerson[s.Person] = map[string]native.Sight{}
		}
		byPerson[s.Person][s.Source] = s
	}
	for _, o := range others {
		if o == a {
			continue
		}
		who := fmt.Sprintf("%s of %s (%+v %v)", a.person.ID, o.person.ID, a.Facts(), a.Verdicts())
		cam, mic := byPerson[o.person.ID][act.SourceCamera], byPerson[o.person.ID][act.SourceMicrophone]
		if !cam.Read || cam.Number != o.person.Number || !synth.Near(cam.Colour, synth.Colour(o.person.Number)) {
			return fmt.Sprintf("picture: %s: %+v", who, cam)
		}
		if time.Since(cam.Last) > time.Second {
			return fmt.Sprintf("picture stands still: %s: %+v", who, cam)
		}
		if !a.Hears(mic.Track, synth.ToneOf(o.person.Number)) {
			return fmt.Sprintf("tone: %s: %+v", who, mic)
		}
		if wrong := synth.ToneOf(a.person.Number); a.Hears(mic.Track, wrong) {
			return fmt.Sprintf("hears own tone %d under another's name: %s", wrong, who)
		}
	}
	return ""
}

func all(actors []*actor, complain func(*actor) string) func() string {
	return func() string {
		for _, a := range actors {
			if c := complain(a); c != "" {
				return c
			}
		}
		return ""
	}
}

// agree complains unless everybody is in one epoch with one fingerprint, attested by all, over one log.
func agree(actors []*actor) func() string {
	return func() string {
		first := actors[0].Facts()
		for _, a := range actors {
			f := a.Facts()
			if f.Members != len(actors) || f.Epoch != first.Epoch || fmt.Sprint(f.Fingerprint) != fmt.Sprint(first.Fingerprint) {
				return fmt.Sprintf("%s: %+v, first: %+v", a.person.ID, f, first)
			}
			if f.Attested != len(actors) || f.Differing != 0 {
				return fmt.Sprintf("%s: attested %d of %d, differing %d", a.person.ID, f.Attested, len(actors), f.Differing)
			}
		}
		return ""
	}
}
