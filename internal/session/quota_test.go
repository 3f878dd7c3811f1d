package session

import (
	"crypto/sha256"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
)

// A stolen device that fills its side's share of the log must leave room for its own revocation.
func TestQuotaKeepsRoomForOffice(t *testing.T) {
	key := func(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }
	for _, c := range []struct {
		name string
		key  string
		kind act.Kind
		most int
	}{
		{"a person's direct act", "person", act.KindUnmute, MaxActs - 2*KeptActs},
		{"what a person does alone", "person", act.KindMute, MaxActs - KeptActs},
		{"an officer", "officer", act.KindRevoke, MaxActs},
		{"the node", "node", act.KindSuspend, MaxActs},
	} {
		for _, acts := range []int{c.most - 1, c.most} {
			m := &model{Sides: []side{{ID: key("side"), Node: key("node"), Officers: []officer{{Device: key("officer")}}, Acts: acts}}}
			err := (&step{m: m}).quota(decoded{Act: act.Act{Side: key("side"), Key: key(c.key), Kind: c.kind}})
			if refused := problem.CodeOf(err) == problem.TooMany; refused != (acts == c.most) {
				t.Errorf("%s at %d: %v", c.name, acts, err)
			}
		}
	}
}
