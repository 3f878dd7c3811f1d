package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
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
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/stage"
	"parley.link/parley/internal/wire/signalpb"
)

const patience = 30 * time.Second

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "parley")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// house is one side as people run it: an offline directory, a node's data directory, and commands.
type house struct {
	t        *testing.T
	name     string
	dir      string // everything
	env      []string
	url      string
	linkAddr string
	keys     []string // officers' key files
	process  *exec.Cmd
	log      bytes.Buffer
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) parley(args ...string) string {
	h.t.Helper()
	out, code := h.try(args...)
	if code != 0 {
		h.t.Fatalf("parley %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (h *house) try(args ...string) (string, int) {
	h.t.Helper()
	return h.tryFor(patience, args...)
}

func (h *house) tryFor(most time.Duration, args ...string) (string, int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	c := exec.CommandContext(ctx, binary, args...)
	c.Env = append(os.Environ(), h.env...)
	c.Dir = h.dir
	out, _ := c.CombinedOutput()
	return string(out), c.ProcessState.ExitCode()
}

func port(t *testing.T) string {
	t.Helper()
	p, err := stage.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strconv.Itoa(p)
}

// found builds a side with nothing but the commands of docs/running.md.
func found(t *testing.T, name string) *house {
	t.Helper()
	h := &house{t: t, name: name, dir: t.TempDir()}
	web := port(t)
	h.url, h.linkAddr = "http://"+web, port(t)
	h.env = []string{"PARLEY_DATA=" + h.path("data"), "PARLEY_WEB_LISTEN=" + web, "PARLEY_WEB_PLAIN=true", "PARLEY_MEDIA_UDP=" + port(t), "PARLEY_MEDIA_TCP=" + port(t),
		"PARLEY_TURN_LISTEN=" + port(t), "PARLEY_LINK_LISTEN=" + h.linkAddr, "PARLEY_LINK_ANNOUNCE=" + h.linkAddr, "PARLEY_NODE=" + h.url}
	if err := os.WriteFile(h.path("pass"), []byte("a long enough passphrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.parley("side", "init", "side", "--name", "en="+name, "--name", "ar=اسم", "--language", "en", "--passphrase-file", "pass")
	lines := strings.Fields(h.parley("serve", "--init"))
	request := lines[len(lines)-1]
	h.parley("side", "node-cert", "side", "--key", request, "--passphrase-file", "pass")
	for i := range 2 {
		file := fmt.Sprintf("officer-%d.key", i)
		out := h.parley("person", "key", file, "--plain")
		device, words := regexp.MustCompile(`device +(\w+)`).FindStringSubmatch(out)[1], regexp.MustCompile(`words +(.+)`).FindStringSubmatch(out)[1]
		if out, code := h.try("side", "officer-cert", "side", "--device", device, "--person", "x", "--name", "X", "--words", "abandon abandon abandon abandon abandon abandon", "--passphrase-file", "pass"); code != node.ExitIdentity {
			t.Fatalf("wrong words: exit %d\n%s", code, out)
		}
		h.parley("side", "officer-cert", "side", "--device", device, "--person", fmt.Sprintf("%s-officer-%d", strings.ToLower(name), i), "--name", "Officer", "--words", words, "--passphrase-file", "pass")
		h.keys = append(h.keys, h.path(file))
	}
	b, err := os.ReadFile(h.path("side/" + side.BundleFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path("data/"+side.BundleFile), b, 0o644); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) serve() {
	h.t.Helper()
	c := exec.Command(binary, "serve")
	c.Env, c.Dir = append(os.Environ(), h.env...), h.dir
	h.log.Reset()
	c.Stdout, c.Stderr = &h.log, &h.log
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.process = c
	deadline := time.Now().Add(patience)
	for {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://")); err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%s does not serve\n%s", h.name, h.log.String())
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (h *house) kill(sig syscall.Signal) error {
	h.t.Helper()
	if h.process == nil {
		return nil
	}
	p := h.process
	h.process = nil
	_ = p.Process.Signal(sig)
	return p.Wait()
}

func (h *house) tryOffice(ctx context.Context, i int) (native.Office, error) {
	k, err := side.ReadDeviceKey(h.keys[i], nil)
	if err != nil {
		return native.Office{}, err
	}
	d, err := native.OpenDesk(ctx, native.DeskConfig{Address: h.url, Device: k, Language: "en"})
	if err != nil {
		return native.Office{}, err
	}
	return native.Office{Desk: d, Author: native.Author{Device: k, Side: d.Welcome.Side.Id, Now: time.Now}}, nil
}

func (h *house) office(i int) native.Office {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o, err := h.tryOffice(ctx, i)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(o.Desk.Close)
	return o
}

// person enrols a device and accredits it with the command.
func (h *house) person(id, role string) (ident.Key, []byte) {
	h.t.Helper()
	file := h.path(id + ".key")
	h.parley("person", "key", file, "--plain")
	k, err := side.ReadDeviceKey(file, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d, err := native.OpenDesk(ctx, native.DeskConfig{Address: h.url, Device: k, Language: "en"})
	if err != nil {
		h.t.Fatal(err)
	}
	defer d.Close()
	r, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: "I am " + id, Language: "en"}}})
	if err != nil {
		h.t.Fatal(err)
	}
	words := strings.Join(ident.DeviceWords(k.Public()), " ")
	if list := h.parley("person", "list", "--key", h.keys[0]); !strings.Contains(list, words) || !strings.Contains(list, "I am "+id) {
		h.t.Fatalf("the enrolment is not listed:\n%s", list)
	}
	enrolment := fmt.Sprintf("%x", r.GetEnrolment().Id)
	args := []string{"person", "accredit", enrolment, "--key", h.keys[0], "--person", id, "--role", role, "--name", "en=" + id, "--office", "en=Office", "--words"}
	if out, code := h.try(append(args, "zoo zoo zoo zoo zoo zoo")...); code != node.ExitRefused {
		h.t.Fatalf("accredited with wrong words: %d\n%s", code, out)
	}
	h.parley(append(args, words)...)
	for m := range d.Pushes() {
		if e := m.GetEnrolment(); e.GetState() == "accredited" {
			return k, e.Accreditation
		}
	}
	h.t.Fatal("no accreditation came")
	return k, nil
}

func until(t *testing.T, what string, within time.Duration, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > within {
			t.Fatalf("not in %v: %s", within, what)
		}
		<-time.After(10 * time.Millisecond)
	}
	return time.Since(began)
}

func hears(p *native.Participant, since time.Time) bool {
	for _, s := range p.Sights() {
		if s.Source == act.SourceMicrophone && s.Last.After(since) {
			return true
		}
	}
	return false
}

// resume lets an officer of each side agree to go on.
func resume(a, b *house, scope []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	oa, err := a.tryOffice(ctx, 0)
	if err != nil {
		return
	}
	defer oa.Desk.Close()
	ob, err := b.tryOffice(ctx, 1)
	if err != nil {
		return
	}
	defer ob.Desk.Close()
	id, err := oa.Submit(ctx, scope, act.KindResume, act.Resume{})
	for err == nil && ctx.Err() == nil {
		if _, no := ob.Submit(ctx, scope, act.KindConsent, act.Consent{To: id[:]}); no == nil {
			a.t.Log("the session stood still and was resumed by both officers")
			return
		}
	}
}

type result struct {
	out  string
	code int
}

// together runs one command of an officer at both nodes at once.
func together(a, b *house, args ...string) [2]result {
	var r [2]result
	var wait sync.WaitGroup
	for i, h := range []*house{a, b} {
		wait.Go(func() { r[i].out, r[i].code = h.tryFor(4*patience, append(slices.Clip(args), "--key", h.keys[0])...) })
	}
	wait.Wait()
	return r
}

// rehearsed holds a rehearsal: synthetic people of both sides hear and see each other, and nobody of them stays accredited.
func rehearsed(t *testing.T, a, b *house) {
	t.Helper()
	if out, code := a.try("rehearse", "--people", "99", "--key", a.keys[0]); code != node.ExitUsage {
		t.Errorf("a rehearsal of 99: exit %d\n%s", code, out)
	}
	results := together(a, b, "rehearse", "--people", "1", "--for", "1s", "--wait", "60s")
	var words []string
	for i, r := range results {
		t.Logf("rehearsal at %s: exit %d\n%s", []*house{a, b}[i].name, r.code, r.out)
		line := regexp.MustCompile(`(?m)^rehearsal-\d +rehearsal-\d +yes +yes +yes .*$`).FindString(r.out)
		w := regexp.MustCompile(`session fingerprint +(\w+( \w+){5})`).FindStringSubmatch(r.out)
		if r.code != 0 || !strings.Contains(r.out, "PASS") || line == "" || len(w) == 0 {
			t.Fatal("the rehearsal did not pass")
		}
		words = append(words, w[1])
	}
	if words[0] != words[1] {
		t.Errorf("two fingerprints: %v", words)
	}
	for i, h := range []*house{a, b} {
		if list := h.parley("person", "list", "--key", h.keys[0]); !regexp.MustCompile(`rehearsal-\d .*demonstration.* revoked`).MatchString(list) {
			t.Errorf("%s keeps a synthetic person:\n%s", h.name, list)
		}
		if list := h.parley("session", "list", "--key", h.keys[i]); !regexp.MustCompile(`Rehearsal +closed +test`).MatchString(list) {
			t.Errorf("%s keeps the rehearsal open:\n%s", h.name, list)
		}
	}
}

// The whole way of docs/running.md between two processes, then kill -9 of either while people speak.
func TestTwoProcesses(t *testing.T) {
	a, b := found(t, "Velmark"), found(t, "Qasran")
	for _, h := range []*house{a, b} {
		h.serve()
		t.Cleanup(func() {
			if err := h.kill(syscall.SIGTERM); err != nil {
				t.Errorf("%s stopped badly: %v\n%s", h.name, err, h.log.String())
			}
		})
	}
	for _, x := range [][2]*house{{a, b}, {b, a}} {
		own, peer := x[0], x[1]
		card := peer.parley("link", "card")
		file := own.path("peer.card")
		if err := os.WriteFile(file, []byte(card), 0o644); err != nil {
			t.Fatal(err)
		}
		own.parley("link", "add", file)
		if out, code := own.try("link", "verify", peer.name, "--by", "Ilse", "--fingerprint", "00000 00000"); code != node.ExitRefused || !strings.Contains(out, "Nothing was stored") {
			t.Fatalf("a wrong fingerprint: exit %d\n%s", code, out)
		}
		digits := regexp.MustCompile(`fingerprint +([\d ]+\d)`).FindStringSubmatch(peer.parley("side", "show", "side"))[1]
		own.parley("link", "verify", peer.name, "--by", "Ilse", "--fingerprint", digits)
	}
	until(t, "the link up", patience, func() bool {
		return strings.Contains(a.parley("link", "list"), " up ") && strings.Contains(b.parley("link", "list"), " up ")
	})
	rehearsed(t, a, b)
	ka, sa := a.person("v-prin", "principal")
	kb, sb := b.person("q-prin", "principal")

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	oa, ob := a.office(0), b.office(1)
	var theirs act.PlanSide
	until(t, "the other side's introduction", patience, func() bool {
		r, err := oa.List(ctx)
		if err != nil || len(r.Links) == 0 {
			return false
		}
		theirs, err = native.PeerIntroduction(r.Links[0])
		return err == nil
	})
	ours := native.Introduction(oa.Desk.Welcome.Side)
	scope, plan, err := oa.Propose(ctx, act.Plan{
		Title: map[string]string{"en": "Test"}, Status: "test", Sides: []act.PlanSide{ours, theirs}, Sequencer: ours.ID,
		Format:  act.Format{ID: "plenary", Name: map[string]string{"en": "Plenary"}, Seats: []act.Seat{{Side: ours.ID, Person: "v-prin", Role: "principal"}, {Side: theirs.ID, Person: "q-prin", Role: "principal"}}},
		Profile: act.Profile, Recording: "none", From: time.Now().Add(-time.Minute).UnixMilli(), Until: time.Now().Add(time.Hour).UnixMilli(),
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "consent", patience, func() bool {
		_, err := ob.Submit(ctx, scope, act.KindConsent, act.Consent{To: plan[:]})
		return err == nil
	})
	var guests []*native.Participant
	for i, g := range []struct {
		url    string
		key    ident.Key
		signed []byte
	}{{a.url, ka, sa}, {b.url, kb, sb}} {
		p, err := native.New(native.Config{Address: g.url, Device: g.key, Accreditation: g.signed, Scope: scope, Language: "en", Number: i, Tone: 440 + 220*i, FPS: 5, Loopback: true})
		if err != nil {
			t.Fatal(err)
		}
		run, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(run) }()
		t.Cleanup(func() {
			stop()
			if err := <-done; err != nil && problem.CodeOf(err) != problem.AccreditationRevoked {
				t.Errorf("a participant ended: %v", err)
			}
		})
		guests = append(guests, p)
	}
	both := func(since time.Time) bool { return hears(guests[0], since) && hears(guests[1], since) }
	until(t, "both hear each other", patience, func() bool { return both(time.Now().Add(-time.Second)) })

	for _, to := range []*house{b, a} { // given away, and back
		began := time.Now()
		for _, r := range together(a, b, "session", "term", fmt.Sprintf("%x", scope[:6]), "--to", to.name, "--wait", "60s") {
			if r.code != 0 || !strings.Contains(r.out, "the node of "+to.name+" orders") {
				t.Fatalf("a new term of %s: exit %d\n%s", to.name, r.code, r.out)
			}
		}
		t.Logf("%s orders after %v", to.name, time.Since(began))
		until(t, "both hear each other in the new term", patience, func() bool {
			if guests[0].Facts().Phase == "suspended" {
				resume(a, b, scope)
			}
			return both(began)
		})
	}
	for _, h := range []*house{a, b} {
		before := guests[0].Facts().LogNext
		if err := h.kill(syscall.SIGKILL); err == nil {
			t.Fatal("kill -9 ended in good order?")
		}
		h.serve()
		began := time.Now()
		// On a busy machine the restart may take longer than a link may be silent; then the session stands still until officers agree.
		took := until(t, "both hear each other again after kill -9 of "+h.name, patience, func() bool {
			if guests[0].Facts().Phase == "suspended" {
				resume(a, b, scope)
			}
			return both(began)
		})
		t.Logf("%s killed: both hear each other %v after its restart", h.name, took)
		until(t, "both at the same head", patience, func() bool {
			x, y := guests[0].Facts(), guests[1].Facts()
			return x.LogNext == y.LogNext && x.LogHash == y.LogHash && x.LogNext >= before
		})
	}
	out := a.parley("person", "revoke", "v-prin", "--key", a.keys[0], "--reason", "test over")
	if !strings.Contains(out, "1 session(s)") {
		t.Errorf("revoke: %s", out)
	}
	until(t, "the revoked person is not heard", 5*time.Second, func() bool {
		for _, s := range guests[1].Sights() {
			if s.Source == act.SourceMicrophone && time.Since(s.Last) < time.Second {
				return false
			}
		}
		return true
	})
}

func TestUsageAndExitCodes(t *testing.T) {
	h := &house{t: t, dir: t.TempDir()}
	for _, tt := range []struct {
		args string
		exit int
		says string
	}{
		{"", 0, "parley serve"},
		{"help", 0, "docs/running.md"},
		{"version", 0, "parley "},
		{"serve --help", 0, "parley.toml"},
		{"sing", node.ExitUsage, "there is no command"},
		{"serve --loud", node.ExitUsage, "-loud"},
		{"serve extra", node.ExitUsage, "wants 0 argument"},
		{"side show", node.ExitUsage, "parley side show velmark"},
		{"side show nowhere", node.ExitIdentity, "There is no side in this directory"},
		{"side init x", node.ExitUsage, "--name en=Velmark"},
		{"side init x --name en=X", node.ExitUsage, "--passphrase-file"},
		{"side node-cert x --key nonsense", node.ExitUsage, "parley serve --init"},
		{"link verify Qasran", node.ExitUsage, "--by"},
		{"link list", node.ExitIdentity, "not certified yet"},
		{"person list", node.ExitUsage, "PARLEY_NODE"},
		{"rehearse", node.ExitUsage, "PARLEY_NODE"},
		{"rehearse --people 0", node.ExitUsage, "1 to 8 people"},
		{"session term 3f9a", node.ExitUsage, "--to"},
		{"session term --to Qasran", node.ExitUsage, "SESSION"},
		{"person revoke NOBODY! --node http://localhost:1 --key x", node.ExitUsage, "no person's id"},
		{"serve --web-plain --web-listen 0.0.0.0:80", node.ExitConfig, "loopback"},
		{"serve --config nowhere.toml", node.ExitOther, "configuration file"},
	} {
		out, code := h.try(strings.Fields(tt.args)...)
		if code != tt.exit || !strings.Contains(out, tt.says) {
			t.Errorf("parley %s: exit %d (want %d), lacks %q:\n%s", tt.args, code, tt.exit, tt.says, out)
		}
	}
}
