package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/stage"
	"parley.link/parley/internal/synth"
	"parley.link/parley/internal/wire/signalpb"
)

const patience = 2 * time.Minute // of a busy machine: making the keys is slow by design

// page is what the terminal shows, as it grows.
type page struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) { p.mu.Lock(); defer p.mu.Unlock(); return p.buf.Write(b) }
func (p *page) String() string              { p.mu.Lock(); defer p.mu.Unlock(); return p.buf.String() }

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// twoPorts are free and follow each other.
func twoPorts(t *testing.T) int {
	t.Helper()
	for last := 0; ; {
		port, err := stage.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if port == last+1 {
			return last
		}
		last = port
	}
}

// descendants are the processes below one, by id, with their command lines.
func descendants(t *testing.T, of int) map[int]string {
	t.Helper()
	parents := map[int]int{}
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		parents[pid], _ = strconv.Atoi(fields[1])
	}
	found := map[int]string{}
	for pid := range parents {
		for p := parents[pid]; p > 1; p = parents[p] {
			if p == of {
				line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				found[pid] = strings.ReplaceAll(string(line), "\x00", " ")
				break
			}
		}
	}
	return found
}

// listening are the local addresses of a process's sockets that anybody may reach: TCP that listens, UDP that is bound.
func listening(t *testing.T, pid int) []net.IP {
	t.Helper()
	own := map[string]bool{}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var out []net.IP
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(b), "\n")[1:] {
			f := strings.Fields(line)
			if len(f) < 10 || !own[f[9]] || strings.HasPrefix(table, "tcp") && f[3] != "0A" || strings.HasPrefix(table, "udp") && f[3] != "07" {
				continue
			}
			raw, err := hex.DecodeString(strings.Split(f[1], ":")[0])
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i+4 <= len(raw); i += 4 { // words in the machine's order
				slices.Reverse(raw[i : i+4])
			}
			out = append(out, raw)
		}
	}
	return out
}

// What `make demo` runs: one address for each persona, nodes on loopback, synthetic people in processes of their own; whoever opens a persona's
// address is in, sees the doubles and the one who opened another; nobody else is let in; Ctrl-C leaves nothing behind.
func TestDemonstration(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{"parley-demo": ".", "parley": "../parley"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), from).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	port := twoPorts(t)
	var shown page
	began := time.Now()
	cmd := exec.Command(filepath.Join(dir, "parley-demo"), "-port", strconv.Itoa(port), "-people", "1")
	cmd.Stdout, cmd.Stderr = &shown, &shown
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(shown.String())
		}
		_ = cmd.Process.Kill()
	})
	until(t, "the demonstration is ready", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, shown.String())
		default:
		}
		return strings.Contains(shown.String(), "Ctrl-C ends it.")
	})
	t.Logf("ready after %v", time.Since(began).Round(time.Millisecond))
	casts := []stage.Cast{stage.Velmark(), stage.Qasran()}
	for i, c := range casts {
		for _, p := range append(c.People, stage.Person{ID: c.ID[:1] + "-protocol"}) {
			if !regexp.MustCompile(fmt.Sprintf(`(?m)^ +http://%s\.localhost:%d/ `, p.ID, port+i)).MatchString(shown.String()) {
				t.Errorf("%s has no address", p.ID)
			}
		}
	}
	for _, words := range []string{"loopback only", "without comparing anything. A real node never does."} {
		if !strings.Contains(shown.String(), words) {
			t.Errorf("the terminal does not say %q", words)
		}
	}
	nodes, doubles := 0, 0
	below := descendants(t, cmd.Process.Pid)
	for pid, line := range below {
		switch {
		case strings.Contains(line, "parley-demo participant"):
			doubles++
		case strings.Contains(line, "parley serve"):
			nodes++
			ips := listening(t, pid)
			if len(ips) < 5 { // browsers, media twice, TURN twice, link
				t.Errorf("%d sockets found of %s", len(ips), line)
			}
			for _, ip := range ips {
				if !ip.IsLoopback() {
					t.Errorf("a node listens on %v", ip)
				}
			}
		}
	}
	if nodes != 2 || doubles != 2 {
		t.Errorf("%d nodes and %d doubles: %v", nodes, doubles, below)
	}
	for i := range casts {
		client(t, fmt.Sprintf("%s.localhost:%d", casts[i].People[1].ID, port+i), port+i)
	}

	stranger := opened(t, port, "somebody.localhost")
	a, b := sits(t, casts[0].People[1], port), sits(t, casts[1].People[1], port+1)
	for _, x := range []struct {
		who  *native.Participant
		sees []stage.Person
	}{{a, []stage.Person{casts[0].People[0], casts[1].People[0], casts[1].People[1]}}, {b, []stage.Person{casts[0].People[0], casts[0].People[1], casts[1].People[0]}}} {
		for _, other := range x.sees {
			until(t, other.ID+" is seen and heard", func() bool { return perceives(x.who, other) })
		}
	}
	t.Logf("two people came and everybody is seen and heard after %v", time.Since(began).Round(time.Millisecond))
	if state := stranger(); state != "waiting" {
		t.Errorf("who opened another address is %s", state)
	}

	began = time.Now()
	_ = cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Ctrl-C: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Ctrl-C does not end it")
	}
	t.Logf("ended %v after Ctrl-C", time.Since(began).Round(time.Millisecond))
	for pid, line := range below {
		until(t, "the end of "+line, func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

// client holds that the page of a persona's address is the client.
func client(t *testing.T, host string, port int) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host = host
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<html")) {
		t.Errorf("%s: %d %v", host, r.StatusCode, err)
	}
}

// desk is a device that asks for an accreditation as the page at an address does: the address is what it says of itself.
func desk(t *testing.T, port int, host string) (*native.Desk, ident.Key) {
	t.Helper()
	key, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := native.OpenDesk(t.Context(), native.DeskConfig{Address: fmt.Sprintf("http://127.0.0.1:%d", port), Device: key, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Ask(t.Context(), &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: host, Note: host, Language: "en"}}})
	if err != nil {
		t.Fatal(err)
	}
	return d, key
}

// opened asks from an address and tells, at the end, what became of it.
func opened(t *testing.T, port int, host string) (state func() string) {
	d, _ := desk(t, port, host)
	t.Cleanup(d.Close)
	return func() string {
		for {
			select {
			case m := <-d.Pushes():
				if e := m.GetEnrolment(); e != nil && e.State != "waiting" {
					return e.State
				}
			default:
				return "waiting"
			}
		}
	}
}

// sits opens a persona's address: the scripted officer accredits the device, as a demonstration, and the session lets it in.
func sits(t *testing.T, p stage.Person, port int) *native.Participant {
	t.Helper()
	d, key := desk(t, port, p.ID+".localhost")
	var signed []byte
	for m := range d.Pushes() {
		if e := m.GetEnrolment(); e.GetState() == "accredited" {
			signed = e.Accreditation
			break
		}
	}
	d.Close()
	acc, _, err := ident.Open[ident.Accreditation](signed)
	if err != nil || acc.Person != p.ID || acc.Verified != "demonstration" {
		t.Fatalf("%s: accredited as %+v, %v", p.ID, acc, err)
	}
	n, err := native.New(native.Config{Address: fmt.Sprintf("http://127.0.0.1:%d", port), Device: key, Accreditation: signed, Language: "en",
		Number: p.Number, Initials: p.Initials, Tone: synth.ToneOf(p.Number), FPS: 5, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(run) }()
	t.Cleanup(func() { stop(); <-done })
	return n
}

// perceives says whether somebody hears the tone and sees the picture of a person.
func perceives(who *native.Participant, of stage.Person) bool {
	heard, seen := false, false
	for _, x := range who.Sights() {
		if x.Person != of.ID {
			continue
		}
		switch x.Source {
		case act.SourceMicrophone:
			heard = who.Hears(x.Track, synth.ToneOf(of.Number))
		case act.SourceCamera:
			seen = x.Read && x.Number == of.Number
		}
	}
	return heard && seen
}
