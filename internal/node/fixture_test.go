package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/config"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/signalpb"
)

// A world of two sides, their nodes in this process, on loopback, spoken to over their ordinary doors.

const patience = 30 * time.Second // the tests share a small machine

func newKey(t testing.TB) ident.Key {
	t.Helper()
	k, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// party is one side with its node.
type party struct {
	t        testing.TB
	name     string
	root     ident.Delegation
	id       [32]byte
	data     string
	officers []ident.Key
	cfg      config.Config
	store    store.Options

	node *Node
	stop context.CancelFunc
	done chan error
	url  string
	addr string
}

func newParty(t testing.TB, name string) *party {
	t.Helper()
	root, err := ident.GenerateDelegation(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{t: t, name: name, root: root, id: root.Side(), data: filepath.Join(t.TempDir(), name), officers: []ident.Key{newKey(t), newKey(t)}}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := Key(p.data)
	if err != nil {
		t.Fatal(err)
	}
	p.certify(key.Public())
	p.cfg = config.Default()
	p.cfg.Data = p.data
	p.cfg.Zone = map[string]string{"velmark": "Europe/Vienna", "qasran": "Asia/Muscat"}[name]
	p.cfg.Web = config.Web{Listen: "127.0.0.1:0", Plain: true}
	p.cfg.Media = config.Media{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0"}
	p.cfg.Turn = config.Turn{Listen: "127.0.0.1:0"}
	p.cfg.Link = config.Link{Listen: "127.0.0.1:0"}
	return p
}

// certify does the offline machine's work.
func (p *party) certify(node []byte) {
	p.t.Helper()
	from, until := time.Now().Add(-time.Hour).UnixMilli(), time.Now().Add(24*time.Hour).UnixMilli()
	s, err := p.root.SignNode(ident.NodeCert{Version: 1, Side: p.id[:], Key: node, From: from, Until: until})
	if err != nil {
		p.t.Fatal(err)
	}
	b := side.Bundle{Version: 1, Name: map[string]string{"en": p.name}, Language: "en", Delegation: canon.Encode(p.root.Public()), Node: canon.Encode(s)}
	for i, k := range p.officers {
		o, err := p.root.SignOfficer(ident.OfficerCert{Version: 1, Side: p.id[:], Person: fmt.Sprintf("%s-officer-%d", p.name, i+1), Name: "Officer", Device: k.Public(), From: from, Until: until})
		if err != nil {
			p.t.Fatal(err)
		}
		b.Officers = append(b.Officers, canon.Encode(o))
	}
	if err := side.WriteFile(filepath.Join(p.data, side.BundleFile), b.Text(), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

var testClient = fstest.MapFS{"index.html": {Data: []byte("client")}}

func (p *party) start() {
	p.t.Helper()
	level := slog.LevelError
	if os.Getenv("PARLEY_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})).With("node", p.name)
	n, err := New(context.Background(), p.cfg, Options{Client: testClient, Log: log, store: p.store})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.node = n
	// The next start of this party is on the same ports: its people and its peer come back by themselves.
	p.cfg.Web.Listen, p.cfg.Link.Listen = n.web.Addr().String(), n.link.Addr().String()
	p.url, p.addr = "http://"+p.cfg.Web.Listen, p.cfg.Link.Listen
	ctx, cancel := context.WithCancel(context.Background())
	p.stop, p.done = cancel, make(chan error, 1)
	go func() { p.done <- n.Run(ctx) }()
}

func (p *party) halt() {
	p.t.Helper()
	if p.stop == nil {
		return
	}
	p.stop()
	p.stop = nil
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Errorf("%s stopped: %v", p.name, err)
		}
	case <-time.After(patience):
		p.t.Errorf("%s does not stop", p.name)
	}
}

// officer opens an officer's desk.
func (p *party) officer(i int) native.Office {
	p.t.Helper()
	d := p.desk(p.officers[i], nil)
	return native.Office{Desk: d, Author: native.Author{Device: p.officers[i], Side: p.id[:], Now: time.Now}}
}

func (p *party) desk(k ident.Key, accreditation []byte) *native.Desk {
	p.t.Helper()
	d, err := p.tryDesk(k, accreditation)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	p.t.Cleanup(d.Close)
	return d
}

func (p *party) tryDesk(k ident.Key, accreditation []byte) (*native.Desk, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return native.OpenDesk(ctx, native.DeskConfig{Address: p.url, Device: k, Accreditation: accreditation, Language: "en", Build: "test"})
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func short4(d []byte) string { return fmt.Sprintf("%x", d[:4]) }

// push waits for a push that ok accepts.
func push(t testing.TB, d *native.Desk, what string, ok func(*signalpb.ToClient) bool) *signalpb.ToClient {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case m, open := <-d.Pushes():
			if !open {
				t.Fatalf("the socket ended while waiting for %s: %v", what, d.Err())
			}
			if ok(m) {
				return m
			}
		case <-timer.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// enrol brings a person from a fresh device to an accreditation, as it goes in life.
func (p *party) enrol(o native.Office, person, role string) (ident.Key, []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	k := newKey(p.t)
	d := p.desk(k, nil)
	r, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: person, Language: "en"}}})
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := o.Accredit(ctx, r.GetEnrolment().Id, p.accreditation(person, role, k.Public()))
	if err != nil {
		p.t.Fatal(err)
	}
	m := push(p.t, d, "the accreditation", func(m *signalpb.ToClient) bool { return m.GetEnrolment().GetState() == "accredited" })
	if !bytes.Equal(m.GetEnrolment().Accreditation, signed) {
		p.t.Fatal("another accreditation came")
	}
	d.Close()
	return k, signed
}

func (p *party) accreditation(person, role string, device []byte) ident.Accreditation {
	return ident.Accreditation{
		Person: person, Name: map[string]string{"en": person}, Office: map[string]string{"en": "Office"}, Role: role, Formats: []string{"plenary"},
		Device: device, From: time.Now().Add(-time.Minute).UnixMilli(), Until: time.Now().Add(time.Hour).UnixMilli(), Verified: "in-person",
	}
}

// world is two linked sides.
type world struct {
	t    testing.TB
	a, b *party
}

func newWorld(t testing.TB, prepare ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, a: newParty(t, "velmark"), b: newParty(t, "qasran")}
	for _, f := range prepare {
		f(w)
	}
	for _, p := range []*party{w.a, w.b} {
		p.start()
		t.Cleanup(p.halt)
	}
	w.link()
	return w
}

// link exchanges cards and compares fingerprints on both sides.
func (w *world) link() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, x := range [][2]*party{{w.a, w.b}, {w.b, w.a}} {
		own, peer := x[0], x[1]
		o := own.officer(0)
		card := side.CardBytes(peer.node.side(), peer.node.key, peer.addr)
		ask := func(m *signalpb.Officer) error {
			_, err := o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: m}})
			return err
		}
		if err := ask(&signalpb.Officer{Ask: &signalpb.Officer_AddLink{AddLink: &signalpb.AddLink{Card: card}}}); err != nil {
			w.t.Fatal(err)
		}
		typed := fingerprintOf(peer.node.side()).Digits
		if err := ask(&signalpb.Officer{Ask: &signalpb.Officer_VerifyLink{VerifyLink: &signalpb.VerifyLink{Side: peer.id[:], Fingerprint: typed}}}); err != nil {
			w.t.Fatal(err)
		}
		o.Desk.Close()
	}
	w.linked()
}

func (w *world) linked() {
	w.t.Helper()
	await(w.t, "the link up on both sides", func() bool {
		return up(w.a.node, w.b.id) && up(w.b.node, w.a.id)
	})
}

func up(n *Node, side [32]byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up[side]
}

// plan proposes on a's side and consents on b's.
func (w *world) plan(seats ...act.Seat) (scope []byte) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	oa, ob := w.a.officer(0), w.b.officer(1)
	defer oa.Desk.Close()
	defer ob.Desk.Close()
	l, err := oa.List(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	theirs, err := native.PeerIntroduction(l.Links[0])
	if err != nil {
		w.t.Fatal(err)
	}
	scope, plan, err := oa.Propose(ctx, act.Plan{
		Title: map[string]string{"en": "Test"}, Status: "test", Sides: []act.PlanSide{native.Introduction(oa.Desk.Welcome.Side), theirs},
		Sequencer: w.a.id[:], Format: act.Format{ID: "plenary", Name: map[string]string{"en": "Plenary"}, Seats: seats},
		Profile: act.Profile, Recording: "none", From: time.Now().Add(-time.Minute).UnixMilli(), Until: time.Now().Add(time.Hour).UnixMilli(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	push(w.t, ob.Desk, "the session on the other side", func(m *signalpb.ToClient) bool {
		for _, s := range m.GetSessions().GetSessions() {
			if bytes.Equal(s.Scope, scope) {
				return true
			}
		}
		return false
	})
	if _, err := ob.Submit(ctx, scope, act.KindConsent, act.Consent{To: plan[:]}); err != nil {
		w.t.Fatal(err)
	}
	return scope
}

func (w *world) scope(p *party, scope []byte) *scope { return p.node.scopes.of([32]byte(scope)) }
