package group

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/group from the table")

// A case is one member's policy over some time. The wants are written by hand, here; the files carry them to TypeScript.
type vector struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Steps []step `json:"steps"`
}

type step struct {
	Now  int64    `json:"now"`
	View viewJSON `json:"view"`
	Own  ownJSON  `json:"own"`
	Want wantJSON `json:"want"`
}

type viewJSON struct {
	Phase    string       `json:"phase"`
	LinkLost bool         `json:"linkLost"`
	Members  []memberJSON `json:"members"`
	Group    string       `json:"group"`
	Epoch    uint64       `json:"epoch"`
	Leaves   []string     `json:"leaves"`
	Adds     []string     `json:"adds"`
	Removes  []removeJSON `json:"removes"`
}

type memberJSON struct {
	Join string `json:"join"`
	Live bool   `json:"live"`
	Lost bool   `json:"lost"`
}

type removeJSON struct {
	Leaf uint32 `json:"leaf"`
	Join string `json:"join"`
	Must bool   `json:"must"`
}

type ownJSON struct {
	Join        string `json:"join"`
	Group       string `json:"group"`
	Epoch       uint64 `json:"epoch"`
	Outstanding bool   `json:"outstanding"`
	UpdatedAt   int64  `json:"updatedAt"`
}

type wantJSON struct {
	Kind    string   `json:"kind"`
	Adds    []string `json:"adds"`
	Removes []uint32 `json:"removes"`
	Until   int64    `json:"until"`
}

func TestVectors(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "group")
	if *update {
		for _, v := range table() {
			b, err := json.MarshalIndent(v, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, v.Name+".json"), append(b, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != len(table()) {
		t.Fatalf("%d files for %d cases (run with -update): %v", len(files), len(table()), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		t.Run(v.Name, func(t *testing.T) {
			var p Policy
			for i, s := range v.Steps {
				got := toWant(p.Next(s.View.view(), s.Own.own(), s.Now))
				if !reflect.DeepEqual(got, s.Want) {
					t.Errorf("step %d at %d: got %+v, want %+v", i, s.Now, got, s.Want)
				}
			}
		})
	}
}

func (j viewJSON) view() View {
	v := View{Phase: j.Phase, LinkLost: j.LinkLost, Group: unhex(j.Group), Epoch: j.Epoch, Leaves: unhexes(j.Leaves), Adds: unhexes(j.Adds)}
	for _, m := range j.Members {
		v.Members = append(v.Members, Member{unhex(m.Join), m.Live, m.Lost})
	}
	for _, r := range j.Removes {
		v.Removes = append(v.Removes, Remove{r.Leaf, unhex(r.Join), r.Must})
	}
	return v
}

func (j ownJSON) own() Own {
	return Own{unhex(j.Join), unhex(j.Group), j.Epoch, j.Outstanding, j.UpdatedAt}
}

func toWant(a Action) wantJSON {
	w := wantJSON{Kind: a.Kind, Adds: []string{}, Removes: []uint32{}, Until: a.Until}
	for _, x := range a.Adds {
		w.Adds = append(w.Adds, hex.EncodeToString(x))
	}
	w.Removes = append(w.Removes, a.Removes...)
	return w
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func unhexes(list []string) [][]byte {
	var out [][]byte
	for _, s := range list {
		out = append(out, unhex(s))
	}
	return out
}
