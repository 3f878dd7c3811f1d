package native

import (
	"testing"
	"time"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

func pending(must bool, joins ...string) (out []session.PendingRemove) {
	for _, j := range joins {
		out = append(out, session.PendingRemove{Join: []byte(j), Must: must})
	}
	return out
}

// A node keeps the commit that removes somebody from being ordered: after five seconds nothing is sent. Who is only lost silences nobody,
// and neither does a stream of leaves that are each followed in time.
func TestRemovalsOverdue(t *testing.T) {
	var r removals
	now := time.Unix(1_900_000_000, 0)
	for i := range 40 { // another one every half second, each gone in the next commit
		if r.overdue(pending(true, string(rune('a'+i))), now.Add(time.Duration(i)*500*time.Millisecond)) {
			t.Fatalf("overdue after %d leaves that were followed", i)
		}
	}
	now = now.Add(time.Minute)
	if r.overdue(pending(true, "x"), now) || r.overdue(pending(true, "x", "y"), now.Add(removeWithin-1)) {
		t.Error("overdue too early")
	}
	if !r.overdue(pending(true, "x", "y"), now.Add(removeWithin)) {
		t.Error("not overdue")
	}
	if r.overdue(pending(true, "y"), now.Add(removeWithin)) || r.overdue(nil, now.Add(removeWithin)) {
		t.Error("overdue after the removal was ordered")
	}
	if r.overdue(pending(false, "z"), now) || r.overdue(pending(false, "z"), now.Add(time.Hour)) {
		t.Error("a lost member silences")
	}
}

// A log that showed what cannot be true ends the participant, silently; missed entries only send it back to read them.
func TestDistrustSilences(t *testing.T) {
	for _, c := range []struct {
		code problem.Code
		ends bool
	}{{problem.Malformed, true}, {problem.BadSignature, true}, {problem.Forked, true}, {problem.NotYours, true}, {problem.Gap, false}} {
		p := &Participant{seal: member(t, 1, 5, 7)}
		err := p.distrust(problem.New(c.code))
		sent := p.seal.close("AAAAAAAAAAAAAAAAAAAAAA", "opus", []byte("x"))
		if isDistrusted(err) != c.ends || (sent == nil) != c.ends || problem.CodeOf(err) != c.code {
			t.Errorf("%s: ends %v, %d bytes left, %v", c.code, isDistrusted(err), len(sent), err)
		}
	}
}
