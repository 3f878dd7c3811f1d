package node

import (
	"bytes"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

func heard(g *guest, person string) uint64 {
	for _, s := range g.Sights() {
		if s.Person == person && s.Source == act.SourceMicrophone {
			return s.Opened
		}
	}
	return 0
}

// still waits until a counter stands still for a while, and fails if it does not in time.
func still(t *testing.T, what string, within time.Duration, n func() uint64) {
	t.Helper()
	deadline := time.Now().Add(within)
	last, since := n(), time.Now()
	for time.Since(since) < 600*time.Millisecond {
		if now := n(); now != last {
			last, since = now, time.Now()
		}
		if time.Now().After(deadline) {
			t.Fatalf("still going after %s: %s", within, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestRevokedInARunningSession(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	v, q := all[0], all[1]
	o := w.a.officer(0)
	began := time.Now()
	if err := o.Revoke(ctx20(t), "v-prin", nil, "device lost", scope); err != nil {
		t.Fatal(err)
	}
	// Its own node closes the socket with the reason.
	select {
	case err := <-v.err:
		if problem.CodeOf(err) != problem.AccreditationRevoked {
			t.Errorf("closed without the reason: %v", err)
		}
		v.err <- err
	case <-time.After(5 * time.Second):
		t.Fatal("the revoked device is still there after 5 s")
	}
	t.Logf("socket closed %v after the officer spoke", time.Since(began))
	still(t, "the revoked person is heard on the other side", 5*time.Second, func() uint64 { return heard(q, "v-prin") })
	still(t, "the revoked person hears", 5*time.Second, func() uint64 { return heard(v, "q-prin") })
	for _, p := range []*party{w.a, w.b} {
		await(t, "revoked in the log of "+p.name, func() (ok bool) {
			w.scope(p, scope).read(func(l *ledger.Ledger) {
				for _, m := range l.State().Roster() {
					ok = ok || m.Person == "v-prin" && m.State == session.Revoked
				}
				ok = ok && l.State().Overlays() == 0
			})
			return ok
		})
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	w.sameLog(scope)
}

// The log's own revocation is enough: an officer whose client never spoke to the registry has revoked all the same.
func TestRevokeActAloneEndsTheDevice(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	o := w.b.officer(0)
	r := signRevocation(w.b, "q-prin")
	if _, err := o.Submit(ctx20(t), scope, act.KindRevoke, act.Revoke{Revocation: r}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-all[1].err:
		all[1].err <- err
	case <-time.After(5 * time.Second):
		t.Fatal("the revoked device is still there")
	}
	if _, err := w.b.tryDesk(all[1].device, all[1].signed); problem.CodeOf(err) != problem.AccreditationRevoked {
		t.Error(err)
	}
}

func TestMutedMicrophoneIsNotRelayed(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	v, q := all[0], all[1]
	var track string
	w.scope(w.a, scope).read(func(l *ledger.Ledger) {
		for _, x := range l.State().Tracks() {
			if m, ok := l.State().Member(x.Join); ok && m.Person == "v-prin" && x.Source == act.SourceMicrophone {
				track = x.ID
			}
		}
	})
	author := native.Author{Device: v.device, Side: w.a.id[:], Now: time.Now}
	// The participant goes on sending; the mute is the node's to keep. It goes in beside the socket, as the seat would hand it over.
	submit := func(kind act.Kind, body any) {
		s, id := author.Act(scope, kind, body)
		done := make(chan error, 1)
		w.scope(w.a, scope).submit(id, canon.Encode(s), func(_ []byte, _ uint64, err error) { done <- err })
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			t.Fatal("no answer")
		}
	}
	submit(act.KindMute, act.Mute{Track: track})
	still(t, "a muted microphone is heard", 5*time.Second, func() uint64 { return heard(q, "v-prin") })
	w.a.node.media.mu.Lock()
	refused := w.a.node.media.ups[upKey{[32]byte(v.device.Public()), track}].Counters().Get(forward.Refused)
	w.a.node.media.mu.Unlock()
	if refused == 0 {
		t.Error("the device stopped by itself; nothing was proven")
	}
	submit(act.KindUnmute, act.Unmute{Track: track})
	before := heard(q, "v-prin")
	await(t, "the microphone again", func() bool { return heard(q, "v-prin") > before+10 })
}

// A person whose socket is gone is lost after two seconds, not before, and a return within them is no loss.
func TestLostAndReturned(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	v := all[0]
	began := time.Now()
	v.stop()
	err := <-v.err
	v.err <- err
	state := func() (s string) {
		w.scope(w.b, scope).read(func(l *ledger.Ledger) {
			for _, m := range l.State().Roster() {
				if m.Person == "v-prin" {
					s = m.State
				}
			}
		})
		return s
	}
	await(t, "lost on the other side", func() bool { return state() == session.Lost })
	if d := time.Since(began); d < goneAfter {
		t.Errorf("lost after %v", d)
	}
	// The same person comes back: a join replaces.
	again := w.a.attend(scope, "v-prin", v.device, v.signed, 1, 440)
	awaitMedia(t, w, scope, []*guest{again, all[1]})
}

func TestRestartResumesRunningSession(t *testing.T) {
	for _, who := range []string{"sequencer", "other"} {
		t.Run(who, func(t *testing.T) {
			w := newWorld(t)
			scope, all := w.gather()
			p := w.a
			if who == "other" {
				p = w.b
			}
			p.halt()
			began := time.Now()
			p.start()
			for _, g := range all {
				awaitSince(t, w, scope, g, began)
			}
			awaitMedia(t, w, scope, all)
			t.Logf("everybody hears and sees everybody %v after the restart", time.Since(began))
			w.linked()
			w.sameLog(scope)
			w.scope(w.a, scope).read(func(l *ledger.Ledger) {
				seen := map[act.ID]bool{}
				for _, e := range l.Entries(0) {
					for _, id := range idsOf(t, e.Bytes) {
						if seen[id] {
							t.Errorf("act %x twice", id[:4])
						}
						seen[id] = true
					}
				}
			})
		})
	}
}

// Raw frames of a hostile client: another's act, another's key, another side's work.
func TestHostileSubmissions(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	ctx := ctx20(t)
	v, q := all[0], all[1]
	q.stop() // its device is used by hand now
	err := <-q.err
	q.err <- err
	d := w.b.desk(q.device, q.signed)
	submit := func(signed act.Signed) problem.Code {
		_, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope, Act: canon.Encode(signed)}}})
		if err == nil {
			return ""
		}
		return problem.CodeOf(err)
	}
	var track string
	w.scope(w.b, scope).read(func(l *ledger.Ledger) {
		for _, x := range l.State().Tracks() {
			if m, _ := l.State().Member(x.Join); m.Person == "v-prin" {
				track = x.ID
			}
		}
	})
	mine := native.Author{Device: q.device, Side: w.b.id[:], Now: time.Now}
	theirs := native.Author{Device: v.device, Side: w.a.id[:], Now: time.Now}
	posing := native.Author{Device: q.device, Side: w.a.id[:], Now: time.Now}
	for name, tt := range map[string]struct {
		by   native.Author
		kind act.Kind
		body any
		want problem.Code
	}{
		"another device's act":       {theirs, act.KindLeave, act.Leave{}, problem.NotYours},
		"mute of the other side":     {mine, act.KindMute, act.Mute{Track: track}, problem.NotYours},
		"withdraw of the other side": {mine, act.KindWithdraw, act.Withdraw{Track: track}, problem.NotYours},
		"posing as the other side":   {posing, act.KindMute, act.Mute{Track: track}, problem.NotYours},
		"suspend without office":     {mine, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}, problem.NotOfficer},
		"close without office":       {mine, act.KindClose, act.Close{}, problem.NotOfficer},
		"lost, said by a person":     {mine, act.KindLost, act.Lost{Join: make([]byte, 32)}, problem.NotYours},
	} {
		s, _ := tt.by.Act(scope, tt.kind, tt.body)
		if got := submit(s); got != tt.want {
			t.Errorf("%s: want %s, got %q", name, tt.want, got)
		}
	}
	// A replayed act changes nothing; a broken signature is refused.
	s, _ := mine.Act(scope, act.KindUnmute, act.Unmute{Track: track})
	s.Sig[0] ^= 1
	if got := submit(s); got == "" {
		t.Error("a broken signature was taken")
	}
	// A track of another's cannot be offered, and a person without a seat sees no log.
	if _, err := d.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_UpOffer{UpOffer: &signalpb.Description{Sdp: "v=0", Tracks: []*signalpb.TrackMid{{Mid: "0", Track: track}}}}}); problem.CodeOf(err) != problem.NotYours {
		t.Errorf("another's track: %v", err)
	}
	o := w.b.officer(0)
	k, signed := w.b.enrol(o, "q-other", "adviser")
	nobody := w.b.desk(k, signed)
	if len(nobody.Welcome.Sessions) != 0 {
		t.Error("a session is listed to somebody without a seat")
	}
	if _, err := nobody.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: scope, Want: true}}}); problem.CodeOf(err) != problem.NotSeated {
		t.Errorf("a log without a seat: %v", err)
	}
	if err := nobody.Send(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: scope, Kind: "ready"}}}); err != nil {
		t.Fatal(err)
	}
	push(t, nobody, "the refusal of a note", func(m *signalpb.ToClient) bool { return m.GetProblem().GetCode() == string(problem.NotJoined) })
}

// A hostile node: a note in another side's name, a plan that names our node wrongly, a subscription to a session it is not in.
func TestHostileNode(t *testing.T) {
	w := newWorld(t)
	scope, all := w.gather()
	n := w.b.node
	before := len(n.hub.All(nil2))
	n.scopes.relayed(w.a.id, &signalpb.Relay{Scope: scope, Device: all[1].device.Public(), Kind: "ready"}) // q's own device, said by v's node
	n.media.asked(w.a.id, &linkpb.SubscribeTrack{Scope: make([]byte, 32), Track: "AAAAAAAAAAAAAAAAAAAAAA"})
	if len(n.media.wants[w.a.id]) > 2 {
		t.Error("a subscription outside any session was kept")
	}
	bad := act.Plan{Sides: []act.PlanSide{{ID: w.a.id[:]}, {ID: w.b.id[:], Node: []byte("x")}}}
	s, _ := native.Author{Device: w.a.officers[0], Side: w.a.id[:], Now: time.Now}.Act(bytes.Repeat([]byte{7}, 32), act.KindPlan, bad)
	n.scopes.frame(w.a.id, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Forward{Forward: &linkpb.ForwardAct{Scope: bytes.Repeat([]byte{7}, 32), Act: canon.Encode(s)}}})
	if n.scopes.of([32]byte(bytes.Repeat([]byte{7}, 32))) != nil {
		t.Error("a bad plan made a scope")
	}
	if len(n.hub.All(nil2)) != before {
		t.Error("somebody was thrown out")
	}
	awaitMedia(t, w, scope, all)
}
