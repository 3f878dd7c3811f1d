package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/synth"
)

// delegationCommand makes the test's program a side's people: they share a process with each other, and no memory with any node,
// officer or person of the other side.
const delegationCommand = "PARLEY_TEST_DELEGATION"

// partIn is one person of a delegation, as its process is told on its standard input: keys are not for command lines.
type partIn struct {
	Address       string
	Seed          []byte
	Accreditation []byte
	Scope         []byte
	Person        Person
	FPS           int
	Screen        bool
}

// orderIn has people of a delegation leave.
type orderIn struct{ Leave string }

// account is what a person reports of itself.
type account struct {
	Facts    native.Facts
	Sights   []native.Sight
	Hears    map[string][]int // track → numbers of the people whose tone is in it
	Verdicts map[string]uint64
	Ended    bool
}

// tones are the pilot tones that a report listens for: of everybody in the play.
const tones = 10

// attendDelegation is the whole life of such a process: it reports four times a second until its input ends.
func attendDelegation(in io.Reader, out io.Writer) error {
	lines := json.NewDecoder(in)
	var parts []partIn
	if err := lines.Decode(&parts); err != nil {
		return fmt.Errorf("read the parts: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	people, ended := map[string]*native.Participant{}, map[string]chan struct{}{}
	for _, p := range parts {
		key, err := ident.KeyFromSeed(p.Seed)
		if err != nil {
			return err
		}
		n, err := native.New(native.Config{Address: p.Address, Device: key, Accreditation: p.Accreditation, Scope: p.Scope, Language: "en",
			Number: p.Person.Number, Initials: p.Person.Initials, Tone: synth.ToneOf(p.Person.Number), FPS: p.FPS, Screen: p.Screen, Loopback: true})
		if err != nil {
			return err
		}
		done := make(chan struct{})
		people[p.Person.ID], ended[p.Person.ID] = n, done
		wait.Go(func() {
			defer close(done)
			_ = n.Run(ctx) // what ended it stands in its facts
		})
	}
	orders := make(chan orderIn)
	wait.Go(func() {
		defer close(orders)
		for {
			var o orderIn
			if lines.Decode(&o) != nil {
				return
			}
			orders <- o
		}
	})
	say, tick := json.NewEncoder(out), time.NewTicker(250*time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case o, open := <-orders:
			if !open {
				return nil
			}
			if n := people[o.Leave]; n != nil {
				n.Leave()
			}
		case <-tick.C:
			all := map[string]account{}
			for id, n := range people {
				all[id] = accountOf(n, ended[id])
			}
			if err := say.Encode(all); err != nil {
				return err
			}
		}
	}
}

func accountOf(n *native.Participant, ended <-chan struct{}) account {
	a := account{Facts: n.Facts(), Sights: n.Sights(), Verdicts: n.Verdicts(), Hears: map[string][]int{}}
	for _, s := range a.Sights {
		for k := range tones {
			if s.Source == act.SourceMicrophone && n.Hears(s.Track, synth.ToneOf(k)) {
				a.Hears[s.Track] = append(a.Hears[s.Track], k)
			}
		}
	}
	select {
	case <-ended:
		a.Ended = true
	default:
	}
	return a
}

// delegation is a side's people, in their process.
type delegation struct {
	in  *json.Encoder
	pid int

	mu     sync.Mutex
	latest map[string]account
}

// delegate accredits everybody of a side and lets them take part until the test ends. Edit changes each part.
func delegate(t *testing.T, s *Stage, sd *Side, edit func(*partIn)) *delegation {
	t.Helper()
	var parts []partIn
	for _, p := range sd.Cast.People {
		key, acc, err := sd.Enrol(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		part := partIn{Address: sd.Address(), Seed: key.Seed(), Accreditation: acc, Scope: s.Scope, Person: p, FPS: 5}
		edit(&part)
		parts = append(parts, part)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), delegationCommand+"=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &delegation{in: json.NewEncoder(in), pid: cmd.Process.Pid}
	read := make(chan struct{})
	go d.runRead(out, read)
	t.Cleanup(func() {
		_ = in.Close()
		kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-read // before Wait, which closes the pipe
		if err := cmd.Wait(); err != nil {
			t.Errorf("the people of %s: %v", sd.Cast.ID, err)
		}
	})
	if err := d.in.Encode(parts); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *delegation) runRead(out io.Reader, done chan<- struct{}) {
	defer close(done)
	for lines := json.NewDecoder(out); ; {
		all := map[string]account{}
		if lines.Decode(&all) != nil {
			_, _ = io.Copy(io.Discard, out) // never let it wait for a reader
			return
		}
		d.mu.Lock()
		d.latest = all
		d.mu.Unlock()
	}
}

func (d *delegation) account(person string) account {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.latest[person]
}

// asDelegation runs this program as a delegation if that is what it was started for.
func asDelegation() (code int, yes bool) {
	if os.Getenv(delegationCommand) == "" {
		return 0, false
	}
	if err := attendDelegation(os.Stdin, os.Stdout); err != nil && !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(os.Stderr, "delegation:", err)
		return 1, true
	}
	return 0, true
}
