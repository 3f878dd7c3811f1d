package stage

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/signalpb"
)

// member finds a person in a log.
func (r record) member(t *testing.T, person string) session.Member {
	t.Helper()
	for _, m := range r.log.State.Present() {
		if m.Person == person {
			return m
		}
	}
	t.Fatalf("%s is not in the session", person)
	return session.Member{}
}

// A member lies with its own keys, through its own node, over the real socket. Every lie is refused by name and changes nothing.
// What internal/node tries already (mute, withdraw, posing, suspend, close, lost) is not repeated.
func TestLyingMember(t *testing.T) {
	s := summit(t, 2)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	before := sameRecord(t, s, nil)
	g := before.log.State.Group()
	for i, liar := range []*actor{actors[1], actors[3]} { // at the sequencer's node, and at the other
		victim := before.member(t, actors[2-2*i].person.ID)
		leaf := -1
		for i, j := range g.Leaves {
			if bytes.Equal(j, victim.Join) {
				leaf = i
			}
		}
		own := before.member(t, liar.person.ID)
		foreign := s.Sides[1-i]
		accreditation := func(by ident.Key, side []byte, edit func(*ident.Accreditation)) []byte {
			a := liar.side.Accreditation(liar.person, liar.key.Public())
			a.Version, a.Side, a.By, a.At = ident.Version, side, by.Public(), time.Now().UnixMilli()
			if edit != nil {
				edit(&a)
			}
			return canon.Encode(by.SignBody(ident.ContextAccreditation, a))
		}
		join := func(acc []byte) act.Join {
			session, err := ident.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			cert := liar.key.SignBody(ident.ContextSession, ident.SessionCert{Version: ident.Version, Scope: s.Scope, Side: liar.side.ID,
				Person: liar.person.ID, Device: liar.key.Public(), Key: session.Public()})
			return act.Join{Accreditation: acc, SessionCert: canon.Encode(cert), KeyPackage: []byte("none")}
		}
		office := liar.side.Officers[0]
		altered := bytes.Replace(liar.acc, []byte(liar.person.Office["en"]), append([]byte("X"), liar.person.Office["en"][1:]...), 1)
		for _, c := range []struct {
			name string
			kind act.Kind
			body any
			want string // codes, any of
		}{
			{"leave in another's name", act.KindLeave, act.Leave{Join: victim.Join}, "not-yours"},
			{"a second group over the first", act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID(t.Name()), Join: own.Join}, "already-done not-committer stale-epoch not-in-force"},
			{"a group in another's name", act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID(t.Name()), Join: victim.Join}, "not-yours already-done"},
			{"commit that throws a live member out", act.KindCommit, act.Commit{Group: g.ID, Epoch: g.Epoch, Removes: []uint32{uint32(leaf)}, Message: []byte("x")}, "commit-claims"},
			{"commit that adds a ghost", act.KindCommit, act.Commit{Group: g.ID, Epoch: g.Epoch, Adds: [][]byte{sessiontest.GroupID("ghost")}, Message: []byte("x"), Welcome: []byte("x")}, "commit-claims"},
			{"commit that is none", act.KindCommit, act.Commit{Group: g.ID, Epoch: g.Epoch, Message: []byte("x")}, "commit-claims malformed"},
			{"commit of an old epoch", act.KindCommit, act.Commit{Group: g.ID, Epoch: g.Epoch - 1, Message: []byte("x")}, "stale-epoch"},
			{"revocation of the other side's person", act.KindRevoke, act.Revoke{Revocation: accreditation(office, foreign.ID, nil)}, "not-officer not-yours malformed"},
			{"join with an altered accreditation", act.KindJoin, join(altered), "accreditation-altered"},
			{"join with another's accreditation", act.KindJoin, join(actors[2*i].acc), "accreditation-device not-yours accreditation-foreign"},
			{"join with an expired accreditation", act.KindJoin, join(accreditation(office, liar.side.ID, func(a *ident.Accreditation) { a.Until = time.Now().Add(-time.Second).UnixMilli() })), "accreditation-expired"},
			{"join with an accreditation by the other side's officer", act.KindJoin, join(accreditation(foreign.Officers[0], liar.side.ID, nil)), "accreditation-foreign"},
			{"join as a person of the other side", act.KindJoin, join(accreditation(foreign.Officers[0], foreign.ID, nil)), "accreditation-foreign not-yours"},
			{"join with an accreditation made by oneself", act.KindJoin, join(accreditation(liar.key, liar.side.ID, nil)), "accreditation-foreign"},
		} {
			_, err := liar.Submit(t.Context(), c.kind, c.body)
			if code := string(problem.CodeOf(err)); err == nil || !strings.Contains(" "+c.want+" ", " "+code+" ") {
				t.Errorf("%s by %s: %v, want %s", c.name, liar.person.ID, err, c.want)
			}
			time.Sleep(120 * time.Millisecond) // below the rate bound, which is another test
		}
	}
	after := sameRecord(t, s, nil)
	if len(after.bytes) != len(before.bytes) {
		t.Errorf("the log grew from %d to %d: %v, %v", len(before.bytes), len(after.bytes), before.kinds, after.kinds)
	}
	wait(t, 20*time.Second, agree(actors))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
}

// An officer has no power over the other side's people, by the registry or by the log.
func TestForeignOfficer(t *testing.T) {
	s := summit(t, 1)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	for i, sd := range s.Sides {
		other := s.Sides[1-i]
		victim := other.Cast.People[0].ID
		forged := func(side []byte) []byte {
			r := ident.Revocation{Version: ident.Version, Side: side, Person: victim, Device: []byte{}, Reason: "x", At: time.Now().UnixMilli(), By: sd.Officers[0].Public()}
			return canon.Encode(sd.Officers[0].SignBody(ident.ContextRevocation, r))
		}
		for name, signed := range map[string][]byte{"in the other side's name": forged(other.ID)} {
			if _, err := sd.Office.Submit(t.Context(), s.Scope, act.KindRevoke, act.Revoke{Revocation: signed}); err == nil {
				t.Errorf("%s revoked %s %s by the log", sd.Cast.ID, victim, name)
			} else {
				t.Log(err)
			}
			_, err := sd.Office.Desk.Ask(t.Context(), &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{Ask: &signalpb.Officer_Revoke{Revoke: &signalpb.RevokePerson{Revocation: signed}}}}})
			if err == nil {
				t.Errorf("%s revoked %s %s by the registry", sd.Cast.ID, victim, name)
			}
		}
		// The other side's officer is nobody at this node.
		d, err := native.OpenDesk(t.Context(), native.DeskConfig{Address: other.Address(), Device: sd.Officers[0], Language: "en", Build: "test"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (native.Office{Desk: d}).List(t.Context()); problem.CodeOf(err) != problem.NotOfficer {
			t.Errorf("%s's officer at %s: %v", sd.Cast.ID, other.Cast.ID, err)
		}
		d.Close()
	}
	wait(t, 10*time.Second, agree(actors))
}

// A replayed act changes nothing, in whoever's hands; media of a track that was withdrawn is not relayed, though its device goes on.
func TestReplayAndUnannounced(t *testing.T) {
	s := summit(t, 1)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	r := sameRecord(t, s, nil)
	for i, a := range actors {
		a.end()
		d, err := native.OpenDesk(t.Context(), native.DeskConfig{Address: a.side.Address(), Device: a.key, Accreditation: a.acc, Language: "en", Build: "test"})
		if err != nil {
			t.Fatal(err)
		}
		for id, signed := range r.signed {
			var was act.Act
			if err := canon.Decode(signed.Act, &was); err != nil {
				t.Fatal(err)
			}
			_, err := d.Ask(t.Context(), &signalpb.ToNode{Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: s.Scope, Act: canon.Encode(signed)}}})
			if own := bytes.Equal(was.Key, a.key.Public()); own != (err == nil) || !own && problem.CodeOf(err) != problem.NotYours {
				t.Errorf("%s %x replayed by %s: %v", was.Kind, id[:4], a.person.ID, err)
			}
			time.Sleep(110 * time.Millisecond)
		}
		d.Close()
		actors[i] = perform(t, s, a.side, a.person, a.key, a.acc)
	}
	after := sameRecord(t, s, nil)
	for id, n := range after.acts {
		if _, had := r.acts[id]; had && n != 1 {
			t.Errorf("%x is in the log %d times", id[:4], n)
		}
	}
	wait(t, 20*time.Second, agree(actors))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	refused := func() (n int) {
		_, _ = fmt.Sscan(metric(t, actors[0].side, `parley_up_packets{verdict="refused"}`), &n)
		return n
	}
	before := refused() // packets that came before their track was announced
	// Withdrawn by hand; the device goes on sending under a name that the log no longer has.
	speaker, hearer := actors[0], actors[1]
	for _, x := range hearer.Sights() {
		if x.Source == act.SourceCamera {
			if _, err := speaker.Submit(t.Context(), act.KindWithdraw, act.Withdraw{Track: x.Track}); err != nil {
				t.Fatal(err)
			}
		}
	}
	wait(t, 10*time.Second, func() string {
		if n := refused(); n < before+20 {
			return fmt.Sprintf("%d packets were refused, %d before", n, before)
		}
		return ""
	})
	t.Logf("packets refused at its own node: %d, %d before", refused(), before)
}

// metric reads one value of a node's metrics.
func metric(t *testing.T, sd *Side, name string) string {
	t.Helper()
	c, err := node.DialAdmin(sd.Data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Get(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return v
		}
	}
	return ""
}
