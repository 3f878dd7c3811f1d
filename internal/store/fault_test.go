package store

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// steps of an append with everything in it, in order. A turn has several of some; k counts over the whole run.
const faultTurns = 12

var errBroken = errors.New("broken here")

// countSteps runs all turns once and says how many steps there are.
func countSteps(t *testing.T) int {
	n := 0
	s := open(t, filepath.Join(t.TempDir(), "db"), Options{Step: func(string) error { n++; return nil }})
	c := &chain{}
	n = 0
	for range faultTurns {
		if err := s.Append(t.Context(), testScope, testOwn, c.turn()); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestAppendBrokenAtEveryStep is the fault table with an error at step k, for every k: the turn is not there (or, when the
// fault came after the commit, is there), the file opens, and going on from what the file holds ends with every turn once.
func TestAppendBrokenAtEveryStep(t *testing.T) {
	total := countSteps(t)
	if total < 60 {
		t.Fatalf("only %d steps", total)
	}
	dir := t.TempDir()
	for k := range total {
		path := filepath.Join(dir, strconv.Itoa(k))
		n, armed, at := 0, false, ""
		s := open(t, path, Options{Step: func(name string) error {
			if !armed {
				return nil
			}
			if n++; n == k+1 {
				at = name
				return errBroken
			}
			return nil
		}})
		armed = true
		c, acked := &chain{}, uint64(0)
		for range faultTurns {
			if err := s.Append(t.Context(), testScope, testOwn, c.turn()); err != nil {
				if !errors.Is(err, errBroken) {
					t.Fatalf("step %d %s: %v", k, at, err)
				}
				break
			}
			acked++
		}
		want := acked
		if at == "committed" {
			want++ // durable, though nobody was told
		}
		checkLog(t, s, want)
		armed = false
		goOn(t, s, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// goOn appends what is missing, as a ledger does after replay.
func goOn(t *testing.T, s *Store, have uint64) {
	t.Helper()
	c := &chain{}
	for i := range uint64(faultTurns) {
		r := c.turn()
		if i < have {
			if err := s.Append(t.Context(), testScope, testOwn, r); !errors.Is(err, ErrConflict) && i%97 == 0 {
				t.Fatalf("entry %d written twice: %v", i, err)
			}
			continue
		}
		if err := s.Append(t.Context(), testScope, testOwn, r); err != nil {
			t.Fatal(err)
		}
	}
	checkLog(t, s, faultTurns)
}

const killEnv = "PARLEY_STORE_TEST_KILL_AT" // path,k

// TestMain lets this test binary be its own victim.
func TestMain(m *testing.M) {
	if spec := os.Getenv(killEnv); spec != "" {
		victim(spec)
		return
	}
	goleak.VerifyTestMain(m)
}

// victim appends turns, printing each after it is durable, and kills itself without warning at step k.
func victim(spec string) {
	path, ks, _ := strings.Cut(spec, ",")
	k, _ := strconv.Atoi(ks)
	n := 0
	armed := false
	ctx, stop := testContext()
	defer stop()
	s, err := Open(ctx, path, Options{Step: func(string) error {
		if !armed {
			return nil
		}
		if n++; n == k+1 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}})
	if err != nil {
		fmt.Println("open", err)
		os.Exit(3)
	}
	armed = true
	c := &chain{}
	for i := range faultTurns {
		if err := s.Append(ctx, testScope, testOwn, c.turn()); err != nil {
			fmt.Println("append", err)
			os.Exit(4)
		}
		fmt.Println("durable", i+1)
	}
	os.Exit(0)
}

// TestKilledAtEveryStep is the fault table with kill -9 of a real process at step k.
func TestKilledAtEveryStep(t *testing.T) {
	total := countSteps(t)
	stride := 1
	if testing.Short() {
		stride = 7
	}
	dir := t.TempDir()
	for k := 0; k < total; k += stride {
		path := filepath.Join(dir, strconv.Itoa(k))
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), killEnv+"="+path+","+strconv.Itoa(k))
		out, err := cmd.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("step %d: the victim was not killed: %v %s", k, err, out)
		}
		acked := uint64(0)
		for sc := bufio.NewScanner(strings.NewReader(string(out))); sc.Scan(); {
			if _, err := fmt.Sscanf(sc.Text(), "durable %d", &acked); err != nil {
				t.Fatalf("step %d: %s", k, sc.Text())
			}
		}
		s := open(t, path, Options{})
		saved, err := s.Load(t.Context(), testScope)
		if err != nil {
			t.Fatal(err)
		}
		have := uint64(len(saved.Entries))
		if have != acked && have != acked+1 {
			t.Fatalf("step %d: %d entries, %d were said to be durable", k, have, acked)
		}
		checkLog(t, s, have)
		goOn(t, s, have)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
