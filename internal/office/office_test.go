package office

import (
	"slices"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
)

// The command consents to a rehearsal and to nothing else: not to a session in which a person sits, nor to one that is more than a test.
func TestConsentsToRehearsalsOnly(t *testing.T) {
	own, peer := act.PlanSide{ID: []byte("own")}, act.PlanSide{ID: []byte("peer")}
	plan := func(edit func(*act.Plan)) act.Plan {
		p := act.Plan{Status: "test", Sides: []act.PlanSide{peer, own}, Format: act.Format{ID: FormatID, Seats: []act.Seat{
			{Side: peer.ID, Person: person(0), Role: "adviser"}, {Side: own.ID, Person: person(1), Role: "adviser"}}}}
		edit(&p)
		return p
	}
	if !isRehearsal(plan(func(*act.Plan) {}), own, peer) {
		t.Fatal("a rehearsal is none")
	}
	for name, edit := range map[string]func(*act.Plan){
		"formal":           func(p *act.Plan) { p.Status = "formal" },
		"another format":   func(p *act.Plan) { p.Format.ID = "plenary" },
		"a person":         func(p *act.Plan) { p.Format.Seats[1].Person = "v-prin" },
		"a third side":     func(p *act.Plan) { p.Sides = append(p.Sides, act.PlanSide{ID: []byte("third")}) },
		"somebody else":    func(p *act.Plan) { p.Sides[0].ID = []byte("third") },
		"too many":         func(p *act.Plan) { p.Format.Seats = slices.Repeat(p.Format.Seats, MaxPeople+1) },
		"the same one two": func(p *act.Plan) { p.Format.Seats[1].Person = person(0) },
	} {
		if isRehearsal(plan(edit), own, peer) {
			t.Errorf("%s: taken for a rehearsal", name)
		}
	}
}

func TestSideIsNamed(t *testing.T) {
	p := act.PlanSide{ID: []byte{0xab, 0xcd, 0xef, 0x01, 0x23}, Name: map[string]string{"en": "Qasran", "ar": "قصران"}}
	for named, want := range map[string]bool{"": true, "Qasran": true, "قصران": true, "abcdef0123": true, "abcdef01": true, "abcdef": false, "Velmark": false, "qasran": false} {
		if isSide(p, named) != want {
			t.Errorf("%q: %v", named, !want)
		}
	}
}

// A vote counts for the very term it names, once for each side, and never one's own.
func TestVotesForOneTerm(t *testing.T) {
	scope, at := make([]byte, act.ScopeSize), func() time.Time { return time.UnixMilli(1) }
	vote := func(side string, b act.Term) []byte {
		key, err := ident.GenerateKey(zeros{})
		if err != nil {
			t.Fatal(err)
		}
		s, _ := native.Author{Device: key, Side: []byte(side), Now: at}.Act(scope, act.KindTerm, b)
		return act.Encode(s)
	}
	want := act.Term{Term: 2, Sequencer: []byte("to"), After: 7, Hash: []byte("hash"), Others: [][]byte{}}
	other := want
	other.After = 8
	f := &Follower{Office: native.Office{Author: native.Author{Side: []byte("own")}},
		votes: [][]byte{vote("own", want), vote("a", other), vote("a", want), vote("a", want), vote("b", want), []byte("noise"), nil}}
	if got := f.votesFor(want); len(got) != 2 {
		t.Errorf("%d votes", len(got))
	}
	if got := f.votesFor(other); len(got) != 1 {
		t.Errorf("%d votes of the other point", len(got))
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
