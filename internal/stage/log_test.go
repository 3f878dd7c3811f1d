package stage

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// record is the log of the session as a node tells it to its second officer.
type record struct {
	bytes  [][]byte
	acts   map[act.ID]int // how often each is in the log
	kinds  map[act.Kind]int
	signed map[act.ID]act.Signed
	log    *native.Log
}

// recordOf reads the whole log from a side's node over an officer's socket. Only what both nodes signed is shown to anybody.
func recordOf(t *testing.T, s *Stage, sd *Side) record {
	t.Helper()
	d, err := native.OpenDesk(t.Context(), native.DeskConfig{Address: sd.Address(), Device: sd.Officers[1], Language: "en", Build: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Ask(t.Context(), &signalpb.ToNode{Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: s.Scope, Want: true}}}); err != nil {
		t.Fatal(err)
	}
	r := record{acts: map[act.ID]int{}, kinds: map[act.Kind]int{}, signed: map[act.ID]act.Signed{},
		log: native.NewLog([32]byte(s.Scope), sd.ID, d.Challenge.Node, d.Welcome.Side.Delegation)}
	timeout := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-d.Pushes():
			if !ok {
				t.Fatal("the socket ended while the log was read", d.Err())
			}
			for _, e := range m.GetEntries().GetEntries() {
				r.add(t, e)
			}
			if m.GetEntries().GetCaughtUp() {
				return r
			}
		case <-timeout:
			t.Fatal("the log does not come to an end")
		}
	}
}

func (r *record) add(t *testing.T, e *signalpb.Entry) {
	t.Helper()
	r.bytes = append(r.bytes, e.Entry)
	if _, err := r.log.Entry(e); err != nil {
		t.Fatal("an entry that was shown does not hold: ", err)
	}
	var raw act.Entry
	var signed act.Signed
	var a act.Act
	if err := canon.Decode(e.Entry, &raw); err != nil {
		t.Fatal(err)
	}
	item := raw.Item
	if raw.From == act.ItemOutbox {
		var so act.SignedOutbox
		var o act.Outbox
		if err := errors.Join(canon.Decode(item, &so), canon.Decode(so.Item, &o)); err != nil {
			t.Fatal(err)
		}
		item = o.Act
	}
	if err := errors.Join(canon.Decode(item, &signed), canon.Decode(signed.Act, &a)); err != nil {
		t.Fatal(err)
	}
	r.acts[act.IDOf(signed.Act)]++
	r.signed[act.IDOf(signed.Act)] = signed
	r.kinds[a.Kind]++
}

// sameRecord waits until both nodes show one log, and complains of every act that is in it twice or was acknowledged and is not.
func sameRecord(t *testing.T, s *Stage, acknowledged map[act.ID]string) record {
	t.Helper()
	var a, b record
	wait(t, 15*time.Second, func() string {
		a, b = recordOf(t, s, s.Sides[0]), recordOf(t, s, s.Sides[1])
		if len(a.bytes) != len(b.bytes) {
			return fmt.Sprintf("%d entries at %s, %d at %s", len(a.bytes), s.Sides[0].Cast.ID, len(b.bytes), s.Sides[1].Cast.ID)
		}
		for id, what := range acknowledged {
			if a.acts[id] == 0 {
				return fmt.Sprintf("%s %x was acknowledged and is not in the log", what, id[:4])
			}
		}
		return ""
	})
	for i := range a.bytes {
		if !bytes.Equal(a.bytes[i], b.bytes[i]) {
			t.Fatalf("the logs part at entry %d", i)
		}
	}
	for id, n := range a.acts {
		if n != 1 {
			t.Errorf("act %x is in the log %d times", id[:4], n)
		}
	}
	return a
}

// reopen brings a side's first officer back to a node that was away.
func reopen(t *testing.T, sd *Side) {
	t.Helper()
	if sd.Office.Desk != nil {
		sd.Office.Desk.Close()
	}
	if err := sd.open(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// whileOn is a complaint of people whose officers agree to go on whenever the session stands still: a link that was away for longer than
// 1.5 s may be said to be lost after its node is back, and at any time on a busy machine. times counts how often they had to.
func whileOn(t *testing.T, s *Stage, actors []*actor, times *int, complain func() string) func() string {
	return func() string {
		for _, a := range actors {
			if a.Facts().Phase == session.PhaseSuspended {
				*times++
				return fmt.Sprintf("%s: suspended; resume: %v", a.person.ID, s.Resume(t.Context()))
			}
		}
		return complain()
	}
}

// goOn has the officers agree to resume until nobody sees the session suspended any more. It says how often they had to.
func goOn(t *testing.T, s *Stage, actors []*actor) (times int) {
	t.Helper()
	wait(t, 20*time.Second, func() string {
		for _, a := range actors {
			switch f := a.Facts(); f.Phase {
			case session.PhaseAgreed:
			case session.PhaseSuspended:
				times++
				return fmt.Sprintf("%s: suspended; resume: %v", a.person.ID, s.Resume(t.Context()))
			default:
				return fmt.Sprintf("%s: phase %q (%s)", a.person.ID, f.Phase, f.Problem)
			}
		}
		return ""
	})
	return times
}
