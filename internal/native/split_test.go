package native

import (
	"fmt"
	"strings"
	"testing"
)

// voices reads "V+++ Q++-": + agrees, - differs, ? awaited, ! named before. The first of V is oneself.
func voices(text string) (out []voice) {
	for part := range strings.FieldsSeq(text) {
		for i, c := range part[1:] {
			v := voice{join: fmt.Sprintf("%c%d", part[0], i+1), side: part[:1], named: c == '!', says: differs}
			switch c {
			case '+':
				v.says = agrees
			case '?':
				v.says = awaited
			}
			out = append(out, v)
		}
	}
	return out
}

// One member that lies, or that was split off, is named, and nobody else falls silent for it; where the sides may be in different groups
// everybody does. The same table as web/src/client/session/split.test.ts.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		text    string
		overdue bool
		want    string
	}{
		{"V++ Q++", false, "one"},
		{"V+? Q??", false, "one"},
		{"V++ Q+!", false, "one"},
		{"V++ Q+-", false, "named Q2"},
		{"V+- Q++", false, "named V2"},
		{"V+++++ Q++++-", false, "named Q5"},
		{"V+ Q++-", false, "named Q3"},
		{"V+++++ Q+++--", false, "named Q4 Q5"},
		{"V++++- Q++++-", false, "named V5 Q5"},
		{"V+++++ Q+++!-", false, "named Q5"},
		{"V+++++ Q++---", false, "fork"},
		{"V+++++ Q++!!-", false, "fork"},
		{"V+++ Q++--", false, "fork"},
		{"V+++ Q-", false, "fork"},
		{"V+++ Q!", false, "fork"},
		{"V+ Q-", false, "fork"},
		{"V+-", false, "fork"},
		{"V+- Q--", false, "fork"},
		{"V+--- Q----", false, "fork"},
		{"V+- Q+-", false, "fork"},
		{"V+++ Q?+-", false, "open"},
		{"V+?? Q??-", false, "open"},
		{"V+? Q---", false, "fork"},
		{"V+--- Q??--", false, "fork"},
		{"V+++ Q?+-", true, "named Q3"},
		{"V+?? Q??-", true, "fork"},
		{"V+++++ Q?-", true, "fork"},
	} {
		v, joins := judge(voices(c.text), c.overdue)
		got := []string{"one", "open", "named", "fork"}[v]
		if v == named {
			got += " " + strings.Join(joins, " ")
		}
		if got != c.want {
			t.Errorf("%s, overdue %v: %s, want %s", c.text, c.overdue, got, c.want)
		}
	}
}
