package stage

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/side"
)

// serve runs a node's command to its end and gives what a person at the terminal sees. A node that starts after all is stopped.
func (p *Process) serve(t *testing.T, env []string, more ...string) (code int, said string) {
	t.Helper()
	cmd := exec.Command(p.binary, append(append([]string(nil), p.args...), more...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	timer := time.AfterFunc(8*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// alone is one side whose node does not run yet.
func alone(t *testing.T) *Side {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p, err := FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	sd, err := found(t.TempDir(), path, Velmark(), p, loopback(p.Link), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sd.Node.Stop() })
	return sd
}

// What keeps a node from starting is said in words that name the thing, what it means and what to do, and by the exit code.
func TestNodeThatCannotStart(t *testing.T) {
	sd := alone(t)
	// Once, so that there is a store.
	if err := sd.Node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, said := sd.Node.serve(t, nil); code != node.ExitInUse || !strings.Contains(said, "Another node serves from this data directory") {
		t.Errorf("a second node on one directory: %d %s", code, said)
	}
	if err := sd.Node.Stop(); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	db := filepath.Join(sd.Data, "parley.db")
	whole, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "parley.toml")
	if err := os.WriteFile(file, []byte("[web]\nlisten = \"127.0.0.1:0\"\nlisten-on = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(sd.Data, "..", "offline")
	for _, c := range []struct {
		name  string
		do    func() error
		undo  func() error
		env   []string
		more  []string
		code  int
		names []string
	}{
		{"web port", nil, nil, nil, []string{"--web-listen", busy.Addr().String()}, node.ExitPortBusy, []string{"web.listen", busy.Addr().String(), "ss -lntup"}},
		{"media port", nil, nil, nil, []string{"--media-udp", u.LocalAddr().String()}, node.ExitPortBusy, []string{"media.udp", u.LocalAddr().String()}},
		{"TURN port", nil, nil, nil, []string{"--turn-listen", u.LocalAddr().String()}, node.ExitPortBusy, []string{"turn.listen", u.LocalAddr().String()}},
		{"link port", nil, nil, nil, []string{"--link-listen", u.LocalAddr().String()}, node.ExitPortBusy, []string{"link.listen", u.LocalAddr().String()}},
		{"flag", nil, nil, nil, []string{"--media-announce", "nowhere"}, node.ExitConfig, []string{"media.announce", "nowhere"}},
		{"environment", nil, nil, []string{"PARLEY_LOG_LEVEL=loud"}, nil, node.ExitConfig, []string{"log.level", "PARLEY_LOG_LEVEL", "loud", "info"}},
		{"file", nil, nil, nil, []string{"--config", file}, node.ExitConfig, []string{"listen-on", "web.listen"}},
		{"no database", func() error {
			return os.WriteFile(db, []byte("rubbish, and more of it than a header has, so that it is none"), 0o600)
		},
			func() error { return os.WriteFile(db, whole, 0o600) }, nil, nil, node.ExitStoreDamaged, []string{"parley.db", "left as it is"}},
		{"database cut short", func() error { return os.WriteFile(db, whole[:len(whole)/2], 0o600) },
			func() error { return os.WriteFile(db, whole, 0o600) }, nil, nil, node.ExitStoreDamaged, []string{"parley.db"}},
		{"database is a directory", func() error { return errors.Join(os.Remove(db), os.Mkdir(db, 0o700)) },
			func() error { return errors.Join(os.Remove(db), os.WriteFile(db, whole, 0o600)) }, nil, nil, -1, []string{"parley.db"}},
		{"delegation key in the node's directory", func() error { return exec.Command("cp", "-r", key, filepath.Join(sd.Data, "oops")).Run() },
			func() error { return os.RemoveAll(filepath.Join(sd.Data, "oops")) }, nil, nil, node.ExitIdentity, []string{"delegation key", "oops"}},
		{"no bundle", func() error { return os.Rename(filepath.Join(sd.Data, side.BundleFile), filepath.Join(sd.Data, "b")) },
			func() error { return os.Rename(filepath.Join(sd.Data, "b"), filepath.Join(sd.Data, side.BundleFile)) }, nil, nil, node.ExitIdentity, []string{"not certified", "node-cert"}},
		{"node key that others can read", func() error { return os.Chmod(filepath.Join(sd.Data, "node.key"), 0o644) },
			func() error { return os.Chmod(filepath.Join(sd.Data, "node.key"), 0o600) }, nil, nil, node.ExitIdentity, []string{"node.key", "chmod 600"}},
	} {
		if c.do != nil {
			if err := c.do(); err != nil {
				t.Fatal(c.name, err)
			}
		}
		code, said := sd.Node.serve(t, c.env, c.more...)
		if code == 0 || c.code >= 0 && code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, code, c.code)
		}
		for _, n := range c.names {
			if !strings.Contains(said, n) {
				t.Errorf("%s: %q is not named", c.name, n)
			}
		}
		if strings.Contains(said, "goroutine ") {
			t.Errorf("%s: a panic", c.name)
		}
		t.Logf("%s: exit code %d\n%s", c.name, code, said)
		if c.undo != nil {
			if err := c.undo(); err != nil {
				t.Fatal(c.name, err)
			}
		}
	}
	if err := sd.Node.Start(t.Context()); err != nil {
		t.Fatal("cured, and it does not start: ", err)
	}
}

// The disk of one node fills up in a running session. Whoever acts is told, nothing half done is seen anywhere, and with room again all
// goes on, also from a start.
func TestDiskFills(t *testing.T) {
	dir := t.TempDir()
	small := filepath.Join(dir, "qasran")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("a file system of four MiB cannot be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	s := summit(t, 1, func(c *Config) { c.Dir = dir })
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	c := talk(t, actors...)
	wait(t, 10*time.Second, func() string {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.acks) < 4 {
			return "nobody talks"
		}
		return ""
	})
	q := actors[1]
	publish := func() error {
		time.Sleep(250 * time.Millisecond) // below the rate bound
		_, err := q.Submit(t.Context(), act.KindPublish, act.Publish{Track: sessiontest.TrackID(fmt.Sprint(time.Now())), Source: act.SourceScreen, Codec: "vp8"})
		return err
	}
	ballast := filepath.Join(small, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte{1}, 8<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("the disk does not fill: ", err)
	}
	var refused error
	wait(t, 20*time.Second, func() string {
		if refused = publish(); problem.CodeOf(refused) != problem.Uncertain { // it went to the sequencer before
			return fmt.Sprintf("on a full disk an act was answered: %v", refused)
		}
		return ""
	})
	t.Logf("whoever acts is told: %v", refused)
	time.Sleep(2 * time.Second) // the other side goes on meanwhile
	if q.side.Node.PID() == 0 {
		t.Fatal("the node died of it")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	cured := time.Now()
	goOn(t, s, actors)
	wait(t, 20*time.Second, func() string {
		// One that was answered "uncertain" had gone to the sequencer before, and is in the log now: taken as well.
		if err := publish(); err != nil && problem.CodeOf(err) != problem.AlreadyDone {
			return "with room again: " + err.Error()
		}
		return ""
	})
	t.Logf("acts are taken again %v after there was room", time.Since(cured).Round(time.Millisecond))
	c.end()
	sameRecord(t, s, c.acks)
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	// And a start on a full disk.
	if err := q.side.Node.Stop(); err != nil {
		t.Fatal(err)
	}
	_ = os.WriteFile(ballast, bytes.Repeat([]byte{1}, 8<<20), 0o600)
	code, said := q.side.Node.serve(t, nil)
	t.Logf("start on a full disk: %d\n%s", code, said)
	if code != node.ExitDiskFull {
		t.Errorf("exit code %d", code)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := q.side.Node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	reopen(t, q.side)
	goOn(t, s, actors)
	sameRecord(t, s, c.acks)
}
