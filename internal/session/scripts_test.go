package session_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/session/sessiontest"
)

func decode(t *testing.T, h string, v any) {
	t.Helper()
	b, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := canon.Decode(b, v); err != nil {
		t.Fatal(err)
	}
}

// cast is the people of the two-sided scripts: a principal and an interpreter each, one adviser without a seat.
type cast struct {
	v, q                     *sessiontest.Side
	vPrin, qPrin, vInt, qInt *sessiontest.Person
	vGuest                   *sessiontest.Person
}

func newCast(w *sessiontest.World) cast {
	v, q := w.Sides[0], w.Sides[1]
	return cast{v: v, q: q, vPrin: v.Person("prin", "principal"), qPrin: q.Person("prin", "principal"),
		vInt: v.Person("int", "interpreter"), qInt: q.Person("int", "interpreter"), vGuest: v.Person("guest", "adviser")}
}

func (c cast) seated() []*sessiontest.Person {
	return []*sessiontest.Person{c.vPrin, c.qPrin, c.vInt, c.qInt}
}

func scripts(t *testing.T) []*script {
	var out []*script
	for _, f := range []func(*testing.T) *script{
		opening, planRefused, order, joins, room, tracks, suspensions, groups, refounding, revocations, outboxes, admits, closing, terms, overlays, three, mutated, limits, overtime, lapsing, manyTracks,
	} {
		out = append(out, f(t))
	}
	return out
}

// opened is the opening's script with its cast, to go on from.
func opened(t *testing.T) (*script, cast) {
	w := sessiontest.New(2)
	c := newCast(w)
	s := newScript(t, w, "opening", "A plan is proposed by one side and agreed by the other; nothing else is possible before.")
	s.order("before any plan, an officer of Velmark proposes to close", w.Officer(c.v, 0, act.KindClose, act.Close{}), "not-in-force")
	s.order("a person who is no officer proposes the plan", w.By(c.vPrin, act.KindPlan, w.Plan(c.seated()...)), "not-officer")
	plan := w.Officer(c.v, 0, act.KindPlan, w.Plan(c.seated()...))
	s.order("Velmark's first officer proposes the plan", plan, "ok")
	consent := func(side *sessiontest.Side, n int, to []byte) act.Signed {
		return w.Officer(side, n, act.KindConsent, act.Consent{To: to})
	}
	s.order("the plan again", plan, "replayed")
	s.order("another plan", w.Officer(c.q, 0, act.KindPlan, act.Plan{}), "already-done")
	s.order("a join before the plan is agreed", w.Join(c.vPrin, "early"), "not-in-force")
	s.order("Velmark's second officer agrees to its own plan", consent(c.v, 1, sessiontest.JoinID(plan)), "already-done")
	s.order("a person of Qasran who is no officer agrees", w.By(c.qPrin, act.KindConsent, act.Consent{To: sessiontest.JoinID(plan)}), "not-officer")
	s.order("Velmark's officer agrees in Qasran's name", w.Act(c.q, c.v.Officers[0], act.KindConsent, act.Consent{To: sessiontest.JoinID(plan)}), "not-officer")
	s.order("Qasran agrees to something that was never proposed", consent(c.q, 0, sessiontest.GroupID("none")), "no-such-proposal")
	s.order("an officer of a side that is not in the plan agrees", w.Officer(sessiontest.New(3).Sides[2], 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(plan)}), "not-yours")
	s.order("Qasran's second officer agrees", consent(c.q, 1, sessiontest.JoinID(plan)), "ok")
	s.order("Qasran's first officer agrees too", consent(c.q, 0, sessiontest.JoinID(plan)), "already-done")
	return s, c
}

func opening(t *testing.T) *script { s, _ := opened(t); return s }

func planRefused(t *testing.T) *script {
	w := sessiontest.New(2)
	c := newCast(w)
	s := newScript(t, w, "plan-refused", "Plans that are refused, each for one reason.")
	try := func(do string, change func(*act.Plan), want string) {
		t.Helper()
		p := w.Plan(c.seated()...)
		change(&p)
		s.order(do, w.Officer(c.v, 0, act.KindPlan, p), want)
	}
	bare := func(change func(*act.Plan)) func(*act.Plan) {
		return func(p *act.Plan) { p.Sides = nil; change(p) }
	}
	try("a profile without post-quantum keys", bare(func(p *act.Plan) { p.Profile = "parley-1 MLS_128_DHKEMX25519" }), "plan-invalid")
	try("a recording", bare(func(p *act.Plan) { p.Recording = "server" }), "plan-invalid")
	try("a status outside the vocabulary", bare(func(p *act.Plan) { p.Status = "secret" }), "plan-invalid")
	try("no title", bare(func(p *act.Plan) { p.Title = nil }), "plan-invalid")
	try("a title that turns its reader's text around", bare(func(p *act.Plan) { p.Title = map[string]string{"en": "Talks \u202egnol"} }), "plan-invalid")
	try("a title with a zero-width space", bare(func(p *act.Plan) { p.Title = map[string]string{"en": "Ta\u200blks"} }), "plan-invalid")
	try("a title with a byte order mark", bare(func(p *act.Plan) { p.Title = map[string]string{"en": "Talks\ufeff"} }), "plan-invalid")
	try("no name of the format", bare(func(p *act.Plan) { p.Format.Name = nil }), "plan-invalid")
	try("a format id with capitals", bare(func(p *act.Plan) { p.Format.ID = "Restricted" }), "plan-invalid")
	try("an end before the beginning", bare(func(p *act.Plan) { p.Until = p.From }), "plan-invalid")
	try("no sides", bare(func(*act.Plan) {}), "plan-invalid")
	try("one side", func(p *act.Plan) { p.Sides = p.Sides[:1] }, "plan-invalid")
	try("a time zone of other letters than a zone's", func(p *act.Plan) { p.Sides[1].Zone = "Asia/Qasran <b>" }, "plan-invalid")
	try("a time zone of 65 letters", func(p *act.Plan) { p.Sides[1].Zone = strings.Repeat("x", 65) }, "plan-invalid")
	try("no seats", bare(func(p *act.Plan) { p.Format.Seats = nil }), "plan-invalid")
	try("an end in the past", func(p *act.Plan) { p.From, p.Until = 1, 2 }, "plan-invalid")
	try("the same side twice", func(p *act.Plan) { p.Sides[1] = p.Sides[0] }, "plan-invalid")
	try("a side whose id is not its delegation key's", func(p *act.Plan) { p.Sides[1].ID = sessiontest.GroupID("x") }, "plan-invalid")
	try("a delegation key swapped for another", func(p *act.Plan) {
		p.Sides[1].Delegation = canon.Encode(sessiontest.New(3).Sides[2].Delegation.Public())
	}, "plan-invalid")
	try("one officer only", func(p *act.Plan) { p.Sides[1].Officers = p.Sides[1].Officers[:1] }, "plan-invalid")
	try("the same officer twice", func(p *act.Plan) { p.Sides[1].Officers = [][]byte{c.q.Certs[0], c.q.Certs[0]} }, "plan-invalid")
	try("an officer of the other side", func(p *act.Plan) { p.Sides[1].Officers = [][]byte{c.q.Certs[0], c.v.Certs[1]} }, "plan-invalid")
	try("a node certificate of the other side", func(p *act.Plan) { p.Sides[1].Node = c.v.NodeCert }, "plan-invalid")
	node := func(change func(*ident.NodeCert)) []byte {
		nc := ident.NodeCert{Version: 1, Side: c.q.ID, Key: c.q.Node.Public(), From: sessiontest.Start - 5, Until: sessiontest.Start + sessiontest.Day}
		change(&nc)
		signed, err := c.q.Delegation.SignNode(nc)
		if err != nil {
			t.Fatal(err)
		}
		return canon.Encode(signed)
	}
	try("a node certificate that has ended", func(p *act.Plan) {
		p.Sides[1].Node = node(func(n *ident.NodeCert) { n.Until = sessiontest.Start - 1 })
	}, "plan-invalid")
	try("a node whose key is the other side's node's", func(p *act.Plan) {
		p.Sides[1].Node = node(func(n *ident.NodeCert) { n.Key = c.v.Node.Public() })
	}, "plan-invalid")
	try("a node certificate that Ed25519 did not sign", func(p *act.Plan) {
		p.Sides[1].Node = resign(t, c.q.NodeCert, func(x *ident.Signed) { x.Ed25519[5] ^= 1 })
	}, "accreditation-altered")
	try("a node certificate that ML-DSA did not sign", func(p *act.Plan) {
		p.Sides[1].Node = resign(t, c.q.NodeCert, func(x *ident.Signed) { x.MLDSA65[5] ^= 1 })
	}, "accreditation-altered")
	try("an officer's certificate with one signature missing", func(p *act.Plan) {
		p.Sides[1].Officers = [][]byte{c.q.Certs[0], resign(t, c.q.Certs[1], func(x *ident.Signed) { x.MLDSA65 = nil })}
	}, "accreditation-altered")
	try("a sequencer that is no side", func(p *act.Plan) { p.Sequencer = sessiontest.GroupID("x") }, "plan-invalid")
	try("a seat of no side", func(p *act.Plan) { p.Format.Seats[0].Side = sessiontest.GroupID("x") }, "plan-invalid")
	try("a seat with a role outside the vocabulary", func(p *act.Plan) { p.Format.Seats[0].Role = "host" }, "plan-invalid")
	try("a seat twice", func(p *act.Plan) { p.Format.Seats[1] = p.Format.Seats[0] }, "already-done")
	return s
}

func resign(t *testing.T, raw []byte, change func(*ident.Signed)) []byte {
	var s ident.Signed
	if err := canon.Decode(raw, &s); err != nil {
		t.Fatal(err)
	}
	change(&s)
	return canon.Encode(s)
}

func order(t *testing.T) *script {
	s, c := opened(t)
	s = s.then("order", "An entry's place in the log: index, chain, term, time, version, bytes and signature.")
	w := s.World
	mic := w.Join(c.vPrin, "v session")
	term, next, hash := s.state.Head()
	s.raw("an entry two places on", w.EntryAt(term, next+1, hash, mic), "gap")
	s.raw("an entry for a place that is taken", w.EntryAt(term, next-1, hash, mic), "out-of-order")
	s.raw("an entry on another past", w.EntryAt(term, next, [32]byte{1}, mic), "forked")
	s.raw("an entry of the next term, without an act that starts it", w.EntryAt(term+1, next, hash, mic), "out-of-order")
	s.raw("an entry of term 0", w.EntryAt(0, next, hash, mic), "malformed")
	entry := func(change func(*act.Entry)) []byte {
		e := act.Entry{Version: 1, Scope: w.Scope[:], Term: term, Index: next, Prev: hash[:], At: w.Now, From: act.ItemAct, Item: act.Encode(mic)}
		change(&e)
		return act.Encode(e)
	}
	s.raw("an entry of another version", entry(func(e *act.Entry) { e.Version = 2 }), "wrong-version")
	s.raw("an entry of another session", entry(func(e *act.Entry) { e.Scope = sessiontest.GroupID("x") }), "unknown-session")
	s.raw("an entry before the last one's time", entry(func(e *act.Entry) { e.At = s.state.Time() - 1 }), "clock-off")
	s.raw("an entry at a negative time", entry(func(e *act.Entry) { e.At = -1 }), "malformed")
	s.raw("an entry from nowhere", entry(func(e *act.Entry) { e.From = "node" }), "malformed")
	s.raw("an entry with an empty item", entry(func(e *act.Entry) { e.Item = nil }), "malformed")
	s.raw("no bytes", []byte{0x00}, "malformed")
	good := entry(func(*act.Entry) {})
	s.raw("an entry with a byte after its end", append(append([]byte{}, good...), 0), "malformed")
	s.raw("an entry cut short", good[:len(good)-1], "malformed")
	s.raw("an entry with the longer form of a small number", longer(good), "malformed")
	change := func(f func(*act.Act)) act.Signed {
		a := act.Act{Version: 1, Scope: w.Scope[:], Kind: act.KindLeave, Side: c.v.ID, Key: c.vPrin.Device.Public(), At: w.Now, Nonce: make([]byte, 16)}
		a.Kind, a.Body = act.KindJoin, act.Encode(act.Join{})
		f(&a)
		b := act.Encode(a)
		return act.Signed{Act: b, Sig: c.vPrin.Device.Sign(act.ContextAct, b)}
	}
	s.order("an act of another version", change(func(a *act.Act) { a.Version = 2 }), "wrong-version")
	s.order("an act of another session", change(func(a *act.Act) { a.Scope = sessiontest.GroupID("x") }), "unknown-session")
	s.order("an act of no known kind", change(func(a *act.Act) { a.Kind = "record" }), "malformed")
	s.order("an act with a short nonce", change(func(a *act.Act) { a.Nonce = a.Nonce[:8] }), "malformed")
	s.order("an act whose body is another kind's", change(func(a *act.Act) { a.Body = act.Encode(act.Mute{Track: "x"}) }), "malformed")
	forged := w.Join(c.vPrin, "v session")
	forged.Sig = c.qPrin.Device.Sign(act.ContextAct, forged.Act)
	s.order("an act signed by another device", forged, "bad-signature")
	other := w.Join(c.vPrin, "v session")
	other.Sig = c.vPrin.Device.Sign(act.ContextOutbox, other.Act)
	s.order("an act signed for another purpose", other, "bad-signature")
	s.order("a leave that is not in an outbox", w.By(c.vPrin, act.KindLeave, act.Leave{}), "malformed")
	s.raw("the entry itself", entry(func(e *act.Entry) { e.At = w.Now }), "ok")
	s.raw("the entry itself, again", good, "out-of-order")
	s.order("the act itself, again", mic, "replayed")
	return s
}

// longer writes the version number of an entry (the value 1 of the key "v", the first pair) in two bytes.
func longer(entry []byte) []byte {
	b := append([]byte{}, entry[:3]...) // map head, text(1) "v"
	b = append(b, 0x18, 0x01)
	return append(b, entry[4:]...)
}

func joins(t *testing.T) *script {
	s, c := opened(t)
	s = s.then("joins", "Who may come in: the accreditation, the seat, the session key; rejoining replaces.")
	w := s.World
	try := func(do string, p *sessiontest.Person, want string) {
		t.Helper()
		s.order(do, w.Join(p, "try "+do), want)
	}
	try("Velmark's principal with an accreditation that has ended", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Until = sessiontest.Start }), "accreditation-expired")
	try("… that begins tomorrow", c.vPrin.Accredit(func(a *ident.Accreditation) { a.From = sessiontest.Start + sessiontest.Day/2 }), "accreditation-early")
	try("… made for another device", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Device = c.vInt.Device.Public() }), "accreditation-device")
	try("… of the other side", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Side = c.q.ID }), "accreditation-foreign")
	try("… by somebody who is no officer", c.vPrin.Accredit(func(a *ident.Accreditation) { a.By = c.vInt.Device.Public() }), "accreditation-foreign")
	try("… by an officer of the other side", c.vPrin.Accredit(func(a *ident.Accreditation) { a.By = c.q.Officers[0].Public() }), "accreditation-foreign")
	try("… by an officer before there was such an officer", c.vPrin.Accredit(func(a *ident.Accreditation) { a.At = sessiontest.Start - 3*sessiontest.Day }), "accreditation-foreign")
	try("… for other formats", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Formats = []string{"plenary"} }), "not-seated")
	try("… in another role than the seat's", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Role = "adviser" }), "not-seated")
	try("… in a role outside the vocabulary", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Role = "admin" }), "not-accredited")
	try("… with a name that hides a direction mark", c.vPrin.Accredit(func(a *ident.Accreditation) { a.Name = map[string]string{"en": "A\u202eB"} }), "not-accredited")
	try("a guest who has no seat", c.vGuest, "not-seated")
	altered := *c.vPrin
	altered.Signed = resign(t, c.vPrin.Signed, func(x *ident.Signed) { x.Ed25519[0] ^= 1 })
	try("an altered accreditation", &altered, "accreditation-altered")
	stolen := *c.qPrin
	stolen.Side = c.v
	try("Qasran's principal in Velmark's name", &stolen, "accreditation-foreign")
	join := func(p *sessiontest.Person, cert []byte, kp []byte) act.Signed {
		return w.By(p, act.KindJoin, act.Join{Accreditation: p.Signed, SessionCert: cert, KeyPackage: kp})
	}
	cert := w.SessionCert(c.vPrin, "v session")
	s.order("a session certificate of another person", join(c.vPrin, w.SessionCert(c.vInt, "x"), []byte("kp")), "not-yours")
	s.order("a session certificate that the device did not sign", join(c.vPrin, resign(t, cert, func(x *ident.Signed) { x.Ed25519[9] ^= 1 }), []byte("kp")), "bad-signature")
	s.order("no session certificate", join(c.vPrin, nil, []byte("kp")), "malformed")
	s.order("no key package", join(c.vPrin, cert, nil), "malformed")
	first := join(c.vPrin, cert, []byte("kp"))
	s.order("Velmark's principal", first, "ok")
	s.order("again with the same session key", join(c.vPrin, cert, []byte("kp")), "replayed")
	s.order("Velmark's principal publishes a microphone", w.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("a"), Source: act.SourceMicrophone, Codec: "opus"}), "ok")
	try("Velmark's principal reloads", c.vPrin, "ok")
	tablet := c.v.PersonOn("prin", "principal", "tablet").Accredit(func(a *ident.Accreditation) { a.By = c.v.Officers[1].Public() })
	try("Velmark's principal on a tablet that the second officer accredited", tablet, "ok")
	s.order("the first device publishes", w.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("b"), Source: act.SourceCamera, Codec: "vp9"}), "not-joined")
	shared := c.v.PersonOn("int", "interpreter", "tablet")
	try("Velmark's interpreter on the tablet that is in use", shared, "accreditation-device")
	try("Velmark's interpreter", c.vInt, "ok")
	try("Qasran's principal", c.qPrin, "ok")
	return s
}

// inRoom is the opening, both principals in the room, and a group of the two.
func inRoom(t *testing.T) (*script, cast, map[string]act.Signed) {
	s, c := opened(t)
	s = s.then("room", "Both principals join, the first founds the group, a commit adds the second.")
	w := s.World
	j := map[string]act.Signed{"v": w.Join(c.vPrin, "v session"), "q": w.Join(c.qPrin, "q session")}
	s.order("Velmark's principal joins", j["v"], "ok")
	s.order("Qasran's principal joins", j["q"], "ok")
	s.order("Qasran's principal founds a group in the other's name", w.By(c.qPrin, act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID("1"), Join: sessiontest.JoinID(j["v"])}), "not-yours")
	s.order("Velmark's principal founds a group", w.By(c.vPrin, act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID("1"), Join: sessiontest.JoinID(j["v"])}), "ok")
	s.order("Qasran's principal founds another", w.By(c.qPrin, act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID("2"), Join: sessiontest.JoinID(j["q"])}), "already-done")
	s.order("Velmark's principal adds Qasran's", w.By(c.vPrin, act.KindCommit, commit("1", 0, [][]byte{sessiontest.JoinID(j["q"])})), "ok")
	return s, c, j
}

func commit(group string, epoch uint64, adds [][]byte, removes ...uint32) act.Commit {
	b := act.Commit{Group: sessiontest.GroupID(group), Epoch: epoch, Adds: adds, Removes: removes, Message: []byte("commit")}
	if len(adds) > 0 {
		b.Welcome = []byte("welcome")
	}
	return b
}

func room(t *testing.T) *script { s, _, _ := inRoom(t); return s }

func tracks(t *testing.T) *script {
	s, c, _ := inRoom(t)
	s = s.then("tracks", "Tracks are their owner's alone.")
	w := s.World
	pub := func(p *sessiontest.Person, name, source, codec string) act.Signed {
		return w.By(p, act.KindPublish, act.Publish{Track: sessiontest.TrackID(name), Source: source, Codec: codec})
	}
	named := func(p *sessiontest.Person, k act.Kind, name string) act.Signed {
		return w.By(p, k, act.Mute{Track: sessiontest.TrackID(name)})
	}
	s.order("Velmark's principal publishes a microphone", pub(c.vPrin, "vm", act.SourceMicrophone, "opus"), "ok")
	s.order("the same track again", pub(c.vPrin, "vm", act.SourceMicrophone, "opus"), "already-done")
	s.order("a second microphone", pub(c.vPrin, "vm2", act.SourceMicrophone, "opus"), "already-done")
	s.order("Qasran's principal publishes under Velmark's track id", pub(c.qPrin, "vm", act.SourceMicrophone, "opus"), "not-yours")
	s.order("a camera in H.264", pub(c.vPrin, "vc", act.SourceCamera, "h264"), "malformed")
	s.order("a microphone in VP9", pub(c.qPrin, "qm", act.SourceMicrophone, "vp9"), "malformed")
	s.order("a track with a short id", w.By(c.qPrin, act.KindPublish, act.Publish{Track: "abc", Source: act.SourceCamera, Codec: "vp9"}), "malformed")
	s.order("somebody who has not joined publishes", pub(c.vInt, "vi", act.SourceMicrophone, "opus"), "not-joined")
	s.order("an officer who has not joined publishes", w.Officer(c.v, 0, act.KindPublish, act.Publish{Track: sessiontest.TrackID("vo"), Source: act.SourceMicrophone, Codec: "opus"}), "not-joined")
	s.order("Velmark's principal publishes in Qasran's name", w.Act(c.q, c.vPrin.Device, act.KindPublish, act.Publish{Track: sessiontest.TrackID("vx"), Source: act.SourceCamera, Codec: "vp9"}), "not-yours")
	s.order("a camera", pub(c.vPrin, "vc", act.SourceCamera, "vp9"), "ok")
	s.order("a screen", pub(c.vPrin, "vs", act.SourceScreen, "av1"), "ok")
	s.order("its sound", pub(c.vPrin, "va", act.SourceScreenAudio, "opus"), "ok")
	s.order("Qasran's principal publishes a muted microphone", w.By(c.qPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("qm"), Source: act.SourceMicrophone, Codec: "opus", Muted: true}), "ok")
	s.item("Velmark's principal mutes Qasran's", c.v, named(c.vPrin, act.KindMute, "qm"), "not-yours")
	s.item("Velmark's principal withdraws Qasran's", c.v, named(c.vPrin, act.KindWithdraw, "qm"), "not-yours")
	s.order("Velmark's principal unmutes Qasran's", named(c.vPrin, act.KindUnmute, "qm"), "not-yours")
	s.item("Velmark's officer mutes Qasran's", c.v, w.Officer(c.v, 0, act.KindMute, act.Mute{Track: sessiontest.TrackID("qm")}), "not-yours")
	s.item("Velmark's node mutes Qasran's", c.v, w.Act(c.v, c.v.Node, act.KindMute, act.Mute{Track: sessiontest.TrackID("qm")}), "not-yours")
	s.item("Velmark's node mutes its own principal", c.v, w.Act(c.v, c.v.Node, act.KindMute, act.Mute{Track: sessiontest.TrackID("vm")}), "not-yours")
	s.item("Velmark's principal mutes Qasran's through Qasran's outbox", c.q, named(c.vPrin, act.KindMute, "qm"), "not-yours")
	s.item("Velmark's principal mutes the own microphone", c.v, named(c.vPrin, act.KindMute, "vm"), "ok")
	s.ask("muted already, asked before it is sent", named(c.vPrin, act.KindMute, "vm"), "already-done")
	s.item("muted already, ordered without effect", c.v, named(c.vPrin, act.KindMute, "vm"), "ok")
	s.item("a track that never was, ordered without effect", c.v, named(c.vPrin, act.KindMute, "none"), "ok")
	s.item("mutes what cannot be a track", c.v, w.By(c.vPrin, act.KindMute, act.Mute{Track: "\ufeff"}), "malformed")
	s.order("unmutes it", named(c.vPrin, act.KindUnmute, "vm"), "ok")
	s.order("unmutes it again", named(c.vPrin, act.KindUnmute, "vm"), "already-done")
	s.order("unmutes a track that never was", named(c.vPrin, act.KindUnmute, "none"), "no-such-track")
	s.order("Qasran's principal unmutes", named(c.qPrin, act.KindUnmute, "qm"), "ok")
	s.item("Velmark's principal withdraws the screen", c.v, named(c.vPrin, act.KindWithdraw, "vs"), "ok")
	s.order("unmutes the withdrawn screen", named(c.vPrin, act.KindUnmute, "vs"), "no-such-track")
	s.order("publishes the withdrawn id again", pub(c.vPrin, "vs", act.SourceScreen, "vp9"), "already-done")
	s.order("Qasran's principal takes the withdrawn id", pub(c.qPrin, "vs", act.SourceScreen, "vp9"), "not-yours")
	s.order("publishes another screen", pub(c.vPrin, "vs2", act.SourceScreen, "vp9"), "ok")
	return s
}

func suspensions(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("suspensions", "Anyone's officer or node stops the session alone; only all sides together go on.")
	w := s.World
	sus := func(side *sessiontest.Side, key ident.Key, reason string, of []byte) act.Signed {
		return w.Act(side, key, act.KindSuspend, act.Suspend{Reason: reason, Of: of})
	}
	mic := act.Publish{Track: sessiontest.TrackID("vm"), Source: act.SourceMicrophone, Codec: "opus"}
	s.order("Velmark's principal publishes a microphone", w.By(c.vPrin, act.KindPublish, mic), "ok")
	s.order("an officer proposes to resume what runs", w.Officer(c.v, 0, act.KindResume, act.Resume{}), "already-done")
	s.item("a principal suspends", c.v, sus(c.v, c.vPrin.Device, act.ReasonOfficer, nil), "not-officer")
	s.item("an officer suspends for a node's reason", c.v, sus(c.v, c.v.Officers[0], act.ReasonLinkLost, c.q.ID), "malformed")
	s.item("a node suspends for an officer's reason", c.v, sus(c.v, c.v.Node, act.ReasonOfficer, nil), "malformed")
	s.item("an officer suspends for no reason of the vocabulary", c.v, sus(c.v, c.v.Officers[0], "tired", nil), "malformed")
	s.item("Velmark's officer suspends in Qasran's name", c.q, sus(c.q, c.v.Officers[0], act.ReasonOfficer, nil), "not-officer")
	s.item("Velmark's node suspends in Qasran's name", c.q, sus(c.q, c.v.Node, act.ReasonFork, nil), "not-officer")
	s.item("an officer suspends because of a side that is none", c.v, sus(c.v, c.v.Officers[0], act.ReasonOfficer, sessiontest.GroupID("x")), "malformed")
	s.item("Qasran's second officer suspends", c.q, sus(c.q, c.q.Officers[1], act.ReasonOfficer, nil), "ok")
	s.order("Velmark's principal publishes a camera", w.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("vc"), Source: act.SourceCamera, Codec: "vp9"}), "session-suspended")
	s.item("mutes", c.v, w.By(c.vPrin, act.KindMute, act.Mute{Track: sessiontest.TrackID("vm")}), "ok")
	s.order("unmutes", w.By(c.vPrin, act.KindUnmute, act.Unmute{Track: sessiontest.TrackID("vm")}), "session-suspended")
	vi := w.Join(c.vInt, "vi session")
	s.order("Velmark's interpreter joins all the same", vi, "ok")
	s.order("but is not added", w.By(c.vPrin, act.KindCommit, commit("1", 1, [][]byte{sessiontest.JoinID(vi)})), "session-suspended")
	s.order("Velmark's interpreter founds a group", w.By(c.vInt, act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID("9"), Join: sessiontest.JoinID(vi)}), "session-suspended")
	s.item("Qasran's principal leaves", c.q, w.By(c.qPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["q"])}), "ok")
	s.order("and is removed", w.By(c.vPrin, act.KindCommit, commit("1", 1, nil, 1)), "ok")
	resume := w.Officer(c.v, 0, act.KindResume, act.Resume{})
	s.order("a principal proposes to resume", w.By(c.vPrin, act.KindResume, act.Resume{}), "not-officer")
	s.order("Velmark proposes to resume", resume, "ok")
	s.item("Velmark's node sees a fork", c.v, sus(c.v, c.v.Node, act.ReasonFork, c.q.ID), "ok")
	s.order("Qasran consents: what came after the proposal stays", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(resume)}), "ok")
	resume = w.Officer(c.q, 0, act.KindResume, act.Resume{})
	other := w.Officer(c.v, 1, act.KindResume, act.Resume{})
	s.order("Qasran proposes to resume", resume, "ok")
	s.order("Velmark proposes too", other, "ok")
	s.order("Velmark consents to Qasran's", w.Officer(c.v, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(resume)}), "ok")
	s.order("Qasran consents to Velmark's, which is overtaken", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(other)}), "already-done")
	s.item("the link is lost: Velmark's node says so", c.v, sus(c.v, c.v.Node, act.ReasonLinkLost, c.q.ID), "ok")
	s.order("a commit while the link is lost", w.By(c.vPrin, act.KindCommit, commit("1", 2, nil)), "session-suspended")
	s.order("an admit while the link is lost", w.Officer(c.v, 0, act.KindAdmit, act.Admit{Format: sessiontest.FormatID, Seat: act.Seat{Side: c.v.ID, Person: c.vGuest.ID, Role: "adviser"}}), "session-suspended")
	resume = w.Officer(c.v, 0, act.KindResume, act.Resume{})
	s.order("Velmark proposes to resume", resume, "ok")
	s.item("Qasran's node reports the loss it saw", c.q, sus(c.q, c.q.Node, act.ReasonLinkLost, c.v.ID), "ok")
	s.order("Qasran consents to a resume older than its loss", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(resume)}), "session-suspended")
	resume = w.Officer(c.v, 0, act.KindResume, act.Resume{})
	s.order("Velmark proposes anew", resume, "ok")
	s.order("Qasran consents", w.Officer(c.q, 1, act.KindConsent, act.Consent{To: sessiontest.JoinID(resume)}), "ok")
	s.order("now the interpreter is added, at the leftmost free leaf", w.By(c.vPrin, act.KindCommit, commit("1", 2, [][]byte{sessiontest.JoinID(vi)})), "ok")
	return s
}
