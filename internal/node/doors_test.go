package node

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/reflect/protoreflect"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/web"
	"parley.link/parley/internal/wire/signalpb"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func one(t *testing.T) *party {
	t.Helper()
	p := newParty(t, "velmark")
	p.start()
	t.Cleanup(p.halt)
	return p
}

func ctx20(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// A fresh device gets enrolment, the clock, and nothing else: every kind of frame that the schema has is tried.
func TestFreshDeviceGetsOnlyEnrolment(t *testing.T) {
	p := one(t)
	k := newKey(t)
	d := p.desk(k, nil)
	if len(d.Welcome.Accreditation) != 0 || d.Welcome.Officer || len(d.Welcome.Sessions) != 0 || len(d.Welcome.Ice) != 0 {
		t.Fatalf("a stranger was given something: %v", d.Welcome)
	}
	allowed := map[string]bool{"enrol": true, "ping": true}
	fields := (&signalpb.ToNode{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Name() == "hello" || f.Name() == "prove" {
			continue // end the socket: TestOutOfOrder
		}
		m := &signalpb.ToNode{}
		m.ProtoReflect().Set(f, protoreflect.ValueOfMessage(m.ProtoReflect().NewField(f).Message()))
		if e := m.GetEnrol(); e != nil {
			e.Name, e.Language = "Somebody", "en"
		}
		_, err := d.Ask(ctx20(t), m)
		if allowed[string(f.Name())] {
			if err != nil {
				t.Errorf("%s: %v", f.Name(), err)
			}
			continue
		}
		switch problem.CodeOf(err) {
		case problem.NotAccredited, problem.NotOfficer:
		default:
			t.Errorf("%s: a stranger got %v", f.Name(), err)
		}
	}
	// Having asked is not having been let in.
	again := p.desk(k, nil)
	if len(again.Welcome.Accreditation) != 0 {
		t.Fatal("enrolment alone admitted a device")
	}
}

// The product has no other door and no word of the demonstration's: these are all routes, and nothing outside the test files
// signs an accreditation on a node.
func TestNoOtherDoor(t *testing.T) {
	if strings.Join(web.Routes, " ") != "GET /ws GET /" {
		t.Errorf("the web server has other routes: %v", web.Routes)
	}
	for _, dir := range []string{"../node", "../seat", "../web", "../config", "../../cmd/parley"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("ident.ContextAccreditation")) || bytes.Contains(b, []byte("autoaccredit")) || bytes.Contains(b, []byte("parley-demo")) {
				t.Errorf("%s makes accreditations or knows the demonstration", f)
			}
		}
	}
}

func sign(officer ident.Key, side [32]byte, a ident.Accreditation) []byte {
	a.Version, a.Side, a.By, a.At = 1, side[:], officer.Public(), time.Now().UnixMilli()
	return canon.Encode(officer.SignBody(ident.ContextAccreditation, a))
}

func TestAccreditationsRefusedWithTheReason(t *testing.T) {
	p := one(t)
	other := newParty(t, "qasran")
	k := newKey(t)
	good := p.accreditation("v-prin", "principal", k.Public())
	now := time.Now()
	edit := func(f func(*ident.Accreditation)) ident.Accreditation { a := good; f(&a); return a }
	altered := sign(p.officers[0], p.id, good)
	var s ident.Signed
	if err := canon.Decode(altered, &s); err != nil {
		t.Fatal(err)
	}
	s.Body = bytes.Replace(s.Body, []byte("v-prin"), []byte("v-prim"), 1)
	for name, tt := range map[string]struct {
		shown []byte
		want  problem.Code
	}{
		"expired":       {sign(p.officers[0], p.id, edit(func(a *ident.Accreditation) { a.Until = now.Add(-time.Second).UnixMilli() })), problem.AccreditationExpired},
		"early":         {sign(p.officers[0], p.id, edit(func(a *ident.Accreditation) { a.From = now.Add(time.Minute).UnixMilli() })), problem.AccreditationEarly},
		"foreign side":  {sign(other.officers[0], other.id, good), problem.AccreditationForeign},
		"no officer":    {sign(newKey(t), p.id, good), problem.AccreditationForeign},
		"altered":       {canon.Encode(s), problem.AccreditationAltered},
		"other device":  {sign(p.officers[0], p.id, edit(func(a *ident.Accreditation) { a.Device = newKey(t).Public() })), problem.AccreditationDevice},
		"rubbish":       {[]byte{1, 2, 3}, problem.Malformed},
		"in force":      {sign(p.officers[0], p.id, good), ""},
		"wrong version": {canon.Encode(p.officers[0].SignBody(ident.ContextAccreditation, edit(func(a *ident.Accreditation) { a.Version = 9 }))), problem.Malformed},
	} {
		d, err := p.tryDesk(k, tt.shown)
		if d != nil {
			d.Close()
		}
		if (err == nil) != (tt.want == "") || err != nil && problem.CodeOf(err) != tt.want {
			t.Errorf("%s: want %q, got %v", name, tt.want, err)
		}
	}
	var lines int
	log, err := p.node.store.SecurityLog(context.Background(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range log {
		if l.Kind == "refused" {
			lines++
		}
	}
	// One line per device and reason, although some reasons came twice.
	if lines != 6 {
		t.Errorf("%d lines in the security log", lines)
	}
}

func TestOutOfOrderAndWrongVersionAndProof(t *testing.T) {
	p := one(t)
	k := newKey(t)
	hello := func(lo, hi uint32) *signalpb.ToNode {
		return &signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Hello{Hello: &signalpb.Hello{ProtocolMin: lo, ProtocolMax: hi, Device: k.Public(), Language: "en"}}}
	}
	for name, tt := range map[string]struct {
		say  []*signalpb.ToNode
		want problem.Code
	}{
		"newer only":             {[]*signalpb.ToNode{hello(2, 3)}, problem.WrongVersion},
		"older only":             {[]*signalpb.ToNode{hello(0, 0)}, problem.WrongVersion},
		"act before hello":       {[]*signalpb.ToNode{{Id: 1, Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{}}}}, problem.OutOfOrder},
		"proof before":           {[]*signalpb.ToNode{{Id: 1, Body: &signalpb.ToNode_Prove{Prove: &signalpb.Prove{}}}}, problem.OutOfOrder},
		"hello twice":            {[]*signalpb.ToNode{hello(1, 1), hello(1, 1)}, problem.OutOfOrder},
		"neighbour, false proof": {[]*signalpb.ToNode{hello(1, 2), {Id: 2, Body: &signalpb.ToNode_Prove{Prove: &signalpb.Prove{Signature: make([]byte, 64)}}}}, problem.BadSignature},
		"empty":                  {[]*signalpb.ToNode{{}}, problem.Malformed},
	} {
		ctx := ctx20(t)
		c, err := web.Dial(ctx, p.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tt.say {
			if err := c.Send(ctx, encode(t, m)); err != nil {
				t.Fatal(err)
			}
		}
		var last *signalpb.ToClient
		for {
			b, err := c.Receive(ctx)
			if err != nil {
				break // the node has closed
			}
			last = decode(t, b)
		}
		if got := last.GetProblem(); got.GetCode() != string(tt.want) || !got.GetFatal() {
			t.Errorf("%s: want %s, got %v", name, tt.want, last)
		}
		c.Close()
	}
}

func TestEnrolmentsAreBounded(t *testing.T) {
	p := one(t)
	e := &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: "Somebody", Language: "en"}}}
	var refused int
	for range 12 {
		d := p.desk(newKey(t), nil)
		_, err := d.Ask(ctx20(t), e)
		if err != nil {
			if problem.CodeOf(err) != problem.TooMany {
				t.Fatal(err)
			}
			refused++
		}
		d.Close()
	}
	if refused != 2 {
		t.Errorf("%d of 12 were refused; one address may ask ten times", refused)
	}
}

func TestOfficersWork(t *testing.T) {
	p := one(t)
	ctx := ctx20(t)
	o := p.officer(0)
	second := p.officer(1)
	k := newKey(t)
	d := p.desk(k, nil)
	r, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: "Mara", Note: "room 4", Language: "en"}}})
	if err != nil {
		t.Fatal(err)
	}
	id := r.GetEnrolment().Id
	// The other officer sees it without asking.
	push(t, second.Desk, "the enrolment, live", func(m *signalpb.ToClient) bool {
		for _, e := range m.GetOfficer().GetPending() {
			if bytes.Equal(e.Id, id) && bytes.Equal(e.Device, k.Public()) && e.Name == "Mara" {
				return true
			}
		}
		return false
	})
	accredit := func(o native.Office, signed []byte) error {
		_, err := o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{Ask: &signalpb.Officer_Accredit{
			Accredit: &signalpb.Accredit{Enrolment: id, Accreditation: signed}}}}})
		return err
	}
	good := p.accreditation("v-prin", "principal", k.Public())
	for name, tt := range map[string]struct {
		signed []byte
		want   problem.Code
	}{
		"signed by the other officer": {sign(p.officers[1], p.id, good), problem.NotYours},
		"of another device":           {sign(p.officers[0], p.id, p.accreditation("v-prin", "principal", newKey(t).Public())), problem.AccreditationDevice},
		"of a stranger's key":         {sign(newKey(t), p.id, good), problem.AccreditationForeign},
	} {
		if err := accredit(o, tt.signed); problem.CodeOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Accredit(ctx, id, good); err != nil {
		t.Fatal(err)
	}
	m := push(t, d, "the accreditation", func(m *signalpb.ToClient) bool { return m.GetEnrolment().GetState() == "accredited" })
	d.Close()
	if _, err := o.Accredit(ctx, id, good); problem.CodeOf(err) != problem.AlreadyDone {
		t.Errorf("accredited twice: %v", err)
	}
	in := p.desk(k, m.GetEnrolment().Accreditation)
	if !bytes.Equal(in.Welcome.Accreditation, m.GetEnrolment().Accreditation) {
		t.Error("not admitted")
	}
	// The device that lost its copy is given the node's.
	in.Close()
	in = p.desk(k, nil)
	if len(in.Welcome.Accreditation) == 0 {
		t.Error("the kept accreditation was not used")
	}
	// A person is no officer, through whatever frame.
	if _, err := in.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{Ask: &signalpb.Officer_List{List: &signalpb.OfficerList{}}}}}); problem.CodeOf(err) != problem.NotOfficer {
		t.Errorf("a person may ask as an officer: %v", err)
	}
	// Revoked: the socket closes with the reason, and the door stays shut.
	if err := o.Revoke(ctx, "v-prin", nil, "device lost"); err != nil {
		t.Fatal(err)
	}
	for range in.Pushes() {
	}
	if _, err := p.tryDesk(k, m.GetEnrolment().Accreditation); problem.CodeOf(err) != problem.AccreditationRevoked {
		t.Errorf("a revoked device: %v", err)
	}
	// A revocation outlives the node.
	p.halt()
	p.start()
	if _, err := p.tryDesk(k, m.GetEnrolment().Accreditation); problem.CodeOf(err) != problem.AccreditationRevoked {
		t.Errorf("a revoked device after a restart: %v", err)
	}
}

func TestDeclinedIsToldWhy(t *testing.T) {
	p := one(t)
	ctx := ctx20(t)
	o := p.officer(0)
	d := p.desk(newKey(t), nil)
	r, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: "X", Language: "en"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{Ask: &signalpb.Officer_Decline{
		Decline: &signalpb.Decline{Enrolment: r.GetEnrolment().Id, Reason: "not of our delegation"}}}}}); err != nil {
		t.Fatal(err)
	}
	m := push(t, d, "the refusal", func(m *signalpb.ToClient) bool { return m.GetEnrolment().GetState() == "declined" })
	if m.GetEnrolment().Note != "not of our delegation" {
		t.Error(m)
	}
}

func TestLinkNeedsAHand(t *testing.T) {
	a, b := newParty(t, "velmark"), newParty(t, "qasran")
	a.start()
	b.start()
	t.Cleanup(a.halt)
	t.Cleanup(b.halt)
	ctx := ctx20(t)
	o := a.officer(0)
	ask := func(m *signalpb.Officer) (*signalpb.OfficerReply, error) {
		r, err := o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: m}})
		return r.GetOfficer(), err
	}
	card := side.CardBytes(b.node.side(), b.node.key, b.addr)
	if _, err := ask(&signalpb.Officer{Ask: &signalpb.Officer_AddLink{AddLink: &signalpb.AddLink{Card: append([]byte{}, card[:len(card)-1]...)}}}); err == nil {
		t.Error("half a card was taken")
	}
	forged := side.CardBytes(b.node.side(), newKey(t), b.addr)
	if _, err := ask(&signalpb.Officer{Ask: &signalpb.Officer_AddLink{AddLink: &signalpb.AddLink{Card: forged}}}); problem.CodeOf(err) != problem.BadSignature {
		t.Errorf("a forged card: %v", err)
	}
	r, err := ask(&signalpb.Officer{Ask: &signalpb.Officer_AddLink{AddLink: &signalpb.AddLink{Card: card}}})
	if err != nil || len(r.Links) != 1 || r.Links[0].Verified != "not-verified" {
		t.Fatal(r, err)
	}
	verify := func(typed string) (*signalpb.OfficerReply, error) {
		return ask(&signalpb.Officer{Ask: &signalpb.Officer_VerifyLink{VerifyLink: &signalpb.VerifyLink{Side: b.id[:], Fingerprint: typed}}})
	}
	good := fingerprintOf(b.node.side())
	for _, bad := range []string{"", "00000 00000", fingerprintOf(a.node.side()).Digits, good.Digits[:len(good.Digits)-1]} {
		if _, err := verify(bad); problem.CodeOf(err) != problem.FingerprintWrong {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if l, err := a.node.store.LinkOf(ctx, b.id); err != nil || l.Verified.How != "" {
		t.Fatal("a wrong fingerprint stored something", l.Verified, err)
	}
	r, err = verify(strings.Join(good.Words, " "))
	if err != nil || r.Links[0].Verified != InPerson || r.Links[0].VerifiedBy != "velmark-officer-1" || r.Links[0].VerifiedAt == 0 {
		t.Fatal(r, err)
	}
	// A card with another content loses what was compared.
	if _, err := ask(&signalpb.Officer{Ask: &signalpb.Officer_AddLink{AddLink: &signalpb.AddLink{Card: side.CardBytes(b.node.side(), b.node.key, "203.0.113.9:1")}}}); err != nil {
		t.Fatal(err)
	}
	if l, _ := a.node.store.LinkOf(ctx, b.id); l.Verified.How != "" {
		t.Error("a swapped card inherited the verification")
	}
	// A plan with a side that is not verified does not even begin.
	_, _, err = o.Propose(ctx, act.Plan{
		Title: map[string]string{"en": "Test"}, Status: "test", Sequencer: a.id[:], Profile: act.Profile, Recording: "none",
		Sides:  []act.PlanSide{native.Introduction(o.Desk.Welcome.Side), native.Introduction(b.node.greeting().Side)},
		Format: act.Format{ID: "plenary", Name: map[string]string{"en": "Plenary"}, Seats: []act.Seat{a.seatOf("v-prin", "principal"), b.seatOf("q-prin", "principal")}},
		From:   time.Now().Add(-time.Minute).UnixMilli(), Until: time.Now().Add(time.Hour).UnixMilli(),
	})
	if problem.CodeOf(err) != problem.LinkNotVerified {
		t.Errorf("a plan with an unverified side: %v", err)
	}
}

func TestAdminSocket(t *testing.T) {
	p := one(t)
	c, err := DialAdmin(p.data)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(p.data, socketFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st.Mode(), err)
	}
	ctx := ctx20(t)
	if _, err := c.Card(ctx, ""); !errors.Is(err, ErrNoAnnounce) {
		t.Error(err)
	}
	text, err := c.Card(ctx, "velmark.example:7443")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddCard(ctx, text, ""); problem.CodeOf(err) != problem.NotYours {
		t.Errorf("the own card was added: %v", err)
	}
	other := newParty(t, "qasran")
	other.start()
	defer other.halt()
	theirs := side.Card(other.node.side(), other.node.key, other.addr)
	if _, err := c.AddCard(ctx, theirs, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.VerifyCard(ctx, "Qasran", InPerson, "Ilse", "1 2 3"); problem.CodeOf(err) != problem.FingerprintWrong {
		t.Error(err)
	}
	l, err := c.VerifyCard(ctx, "Qasran", Demonstration, "Ilse", fingerprintOf(other.node.side()).Digits)
	if err != nil || l.Verified != Demonstration {
		t.Fatal(l, err)
	}
	o := p.officer(0)
	k, signed := p.enrol(o, "v-secret-name", "principal")
	p.desk(k, signed)
	for _, route := range []string{"/health", "/metrics"} {
		b, err := c.Get(ctx, route)
		if err != nil || len(b) == 0 {
			t.Fatal(route, err)
		}
		if bytes.Contains(b, []byte("v-secret-name")) {
			t.Errorf("%s names a person: %s", route, b)
		}
	}
	p.halt()
	if _, err := DialAdmin(p.data); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
	// The same on the store of a node that does not run.
	off, release, err := Offline(ctx, p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := off.ListCards(ctx)
	if err != nil || len(lines) != 1 || lines[0].Running || lines[0].Verified != Demonstration {
		t.Fatal(lines, err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}
