package mlsframe

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"
)

const vectorDir = "../../web/testdata/mls/"

type step struct {
	Commit    []byte   `json:"commit"`
	Welcome   []byte   `json:"welcome"`
	Committer uint32   `json:"committer"`
	Adds      [][]byte `json:"adds"`
	AddRefs   [][]byte `json:"addRefs"`
	Removes   []uint32 `json:"removes"`
	Leaves    []struct {
		Index        uint32 `json:"index"`
		Identity     []byte `json:"identity"`
		SignatureKey []byte `json:"signatureKey"`
	} `json:"leaves"`
	Attestation struct {
		By         uint32 `json:"by"`
		Bytes      []byte `json:"bytes"`
		Signature  []byte `json:"signature"`
		Transcript []byte `json:"transcript"`
		Tree       []byte `json:"tree"`
	} `json:"attestation"`
}

type transcript struct {
	Now     int64  `json:"now"`
	GroupID []byte `json:"groupId"`
	Founder []byte `json:"founder"`
	Scope   []byte `json:"scope"`
	Steps   []step `json:"steps"`
}

func load(t testing.TB) transcript {
	t.Helper()
	b, err := os.ReadFile(vectorDir + "transcript.json")
	if err != nil {
		t.Fatal(err)
	}
	var tr transcript
	if err := json.Unmarshal(b, &tr); err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTranscript(t *testing.T) {
	tr := load(t)
	founder, err := ParseKeyPackage(tr.Founder)
	if err != nil {
		t.Fatal(err)
	}
	l := Found(tr.GroupID, founder)
	for i, s := range tr.Steps {
		c, err := ParseCommit(s.Commit)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if c.Epoch != uint64(i) || c.Committer != s.Committer || !slices.Equal(c.Removes, s.Removes) || len(c.Adds) != len(s.Adds) {
			t.Fatalf("step %d: %+v", i, c)
		}
		for j, a := range c.Adds {
			if !bytes.Equal(a.Raw, s.Adds[j]) || !bytes.Equal(a.Ref[:], s.AddRefs[j]) {
				t.Fatalf("step %d: add %d", i, j)
			}
			if err := a.ValidAt(time.UnixMilli(tr.Now)); err != nil {
				t.Fatal(err)
			}
			if err := a.ValidAt(time.UnixMilli(tr.Now).Add(25 * time.Hour)); !errors.Is(err, ErrLifetime) {
				t.Fatal("outlived:", err)
			}
		}
		if _, err := l.Apply(c); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		got := l.Members()
		if len(got) != len(s.Leaves) {
			t.Fatalf("step %d: %d leaves, want %d", i, len(got), len(s.Leaves))
		}
		for j, m := range got {
			w := s.Leaves[j]
			if m.Leaf != w.Index || !bytes.Equal(m.Identity, w.Identity) || !bytes.Equal(m.SignatureKey, w.SignatureKey) {
				t.Fatalf("step %d: leaf %d", i, j)
			}
		}
		if s.Welcome != nil {
			refs, err := ParseWelcome(s.Welcome)
			if err != nil {
				t.Fatalf("step %d: welcome: %v", i, err)
			}
			for _, ref := range s.AddRefs {
				if !slices.ContainsFunc(refs, func(r [64]byte) bool { return bytes.Equal(r[:], ref) }) {
					t.Fatalf("step %d: a ref is not in the Welcome", i)
				}
			}
		}
		a := Attested{Scope: tr.Scope, Group: tr.GroupID, Epoch: l.Epoch, Transcript: s.Attestation.Transcript, Tree: s.Attestation.Tree}
		if got := a.Bytes(); !bytes.Equal(got, s.Attestation.Bytes) {
			t.Fatalf("step %d: attestation bytes %x, want %x", i, got, s.Attestation.Bytes)
		}
		by, _ := l.Member(s.Attestation.By)
		if err := VerifyAttestation(by.SignatureKey, a, s.Attestation.Signature); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		a.Epoch++
		if err := VerifyAttestation(by.SignatureKey, a, s.Attestation.Signature); !errors.Is(err, ErrSignature) {
			t.Fatal("another epoch's attestation accepted")
		}
	}
}

// Every byte of a commit that a node can check is checked: flip each byte that lies in an Add or in the path's leaf.
func TestTamperedCommit(t *testing.T) {
	tr := load(t)
	founder, _ := ParseKeyPackage(tr.Founder)
	l := Found(tr.GroupID, founder)
	c, err := ParseCommit(tr.Steps[0].Commit)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{c.Adds[0].Raw, c.Path.tbs, c.Path.signature, c.GroupID} {
		at := bytes.Index(tr.Steps[0].Commit, part)
		if at < 0 {
			t.Fatal("part not found")
		}
		for i := 0; i < len(part); i += 1 + len(part)/150 {
			b := bytes.Clone(tr.Steps[0].Commit)
			b[at+i] ^= 0x01
			if got, err := ParseCommit(b); err == nil && l.Check(got) == nil {
				t.Fatalf("byte %d of %d changed unseen", i, len(part))
			}
		}
	}
	for n := range len(tr.Steps[1].Commit) {
		if _, err := ParseCommit(tr.Steps[1].Commit[:n]); err == nil {
			t.Fatalf("%d bytes of %d accepted", n, len(tr.Steps[1].Commit))
		}
	}
	if _, err := ParseCommit(append(bytes.Clone(tr.Steps[0].Commit), 0)); !errors.Is(err, ErrMalformed) {
		t.Fatal("trailing byte:", err)
	}
}

func TestCheck(t *testing.T) {
	tr := load(t)
	founder, _ := ParseKeyPackage(tr.Founder)
	at := func(n int) (*Leaves, *Commit) {
		l := Found(tr.GroupID, founder)
		for _, s := range tr.Steps[:n] {
			c, _ := ParseCommit(s.Commit)
			if _, err := l.Apply(c); err != nil {
				t.Fatal(err)
			}
		}
		c, err := ParseCommit(tr.Steps[n].Commit)
		if err != nil {
			t.Fatal(err)
		}
		return l, c
	}
	for _, tt := range []struct {
		name   string
		change func(*Leaves, *Commit)
		want   error
	}{
		{"as recorded", func(*Leaves, *Commit) {}, nil},
		{"another group", func(l *Leaves, _ *Commit) { l.GroupID = []byte("other") }, ErrGroup},
		{"another epoch", func(l *Leaves, _ *Commit) { l.Epoch++ }, ErrEpoch},
		{"blank committer", func(_ *Leaves, c *Commit) { c.Committer = 9 }, ErrLeaf},
		{"another committer", func(_ *Leaves, c *Commit) { c.Committer = (c.Committer + 2) % 4 }, ErrIdentity},
		{"renamed committer", func(_ *Leaves, c *Commit) { c.Path.Identity = []byte("x") }, ErrIdentity},
		{"leaf of another place", func(l *Leaves, c *Commit) {
			m := l.members[c.Committer]
			l.members[7] = m
			c.Committer = 7
		}, ErrSignature},
		{"remove of a blank leaf", func(_ *Leaves, c *Commit) { c.Removes = []uint32{50} }, ErrLeaf},
		{"remove twice", func(_ *Leaves, c *Commit) { c.Removes = append(c.Removes, c.Removes...) }, ErrLeaf},
		{"remove of the committer", func(_ *Leaves, c *Commit) { c.Removes = []uint32{c.Committer} }, ErrLeaf},
		{"add of a member", func(_ *Leaves, c *Commit) { c.Adds = append(c.Adds, *founder) }, ErrLeaf},
	} {
		l, c := at(2)
		tt.change(l, c)
		if err := l.Check(c); !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	l, c := at(2)
	o := l.Clone()
	if _, err := o.Apply(c); err != nil || len(o.Members()) == len(l.Members()) {
		t.Error("a clone shares its members")
	}
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(t []byte) error {
	b, err := hex.DecodeString(string(t))
	*h = b
	return err
}

// The published messages are of other suites and mostly outside the profile: the structure must be read to the last byte,
// and what is refused must be refused for being outside the profile.
func TestMessageVectors(t *testing.T) {
	b, err := os.ReadFile(vectorDir + "messages.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		KeyPackage hexBytes `json:"mls_key_package"`
		Welcome    hexBytes `json:"mls_welcome"`
		Commit     hexBytes `json:"public_message_commit"`
		Proposal   hexBytes `json:"public_message_proposal"`
		App        hexBytes `json:"public_message_application"`
		Private    hexBytes `json:"private_message"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	packages := 0
	for i, v := range all {
		r := &reader{b: v.KeyPackage[4:]}
		kp := readKeyPackage(r)
		if err := r.end(); err == nil {
			packages++
			if !bytes.Equal(kp.Raw, v.KeyPackage[4:]) {
				t.Fatalf("case %d: KeyPackage", i)
			}
		} else if !errors.Is(err, ErrProfile) {
			t.Fatalf("case %d: KeyPackage: %v", i, err)
		}
		if _, err := ParseKeyPackage(v.KeyPackage[4:]); err == nil {
			t.Fatalf("case %d: KeyPackage of another suite accepted", i)
		}
		if _, _, err := readWelcome(v.Welcome); err != nil {
			t.Fatalf("case %d: Welcome: %v", i, err)
		}
		for _, m := range [][]byte{v.Commit, v.Proposal, v.App, v.Private} {
			if _, err := ParseCommit(m); !errors.Is(err, ErrProfile) && !errors.Is(err, ErrSuite) {
				t.Fatalf("case %d: %v", i, err)
			}
		}
	}
	if packages == 0 {
		t.Fatal("no KeyPackage was read whole")
	}
}

func TestShortestLengths(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int // -1: refused
	}{
		{"00", 0}, {"0105", 1}, {"3f" + hex.EncodeToString(make([]byte, 63)), 63}, {"4040" + hex.EncodeToString(make([]byte, 64)), 64},
		{"4005", -1}, {"403f" + hex.EncodeToString(make([]byte, 63)), -1}, {"80000001ff", -1}, {"c0", -1}, {"02ff", -1}, {"", -1}, {"40", -1},
	} {
		b, _ := hex.DecodeString(tt.in)
		r := &reader{b: b}
		got := r.opaque(1 << 20)
		if err := r.end(); (err != nil) != (tt.want < 0) || err == nil && len(got) != tt.want {
			t.Errorf("%s: %d bytes, %v", tt.in, len(got), err)
		}
		if tt.want >= 0 && !bytes.Equal(appendOpaque(nil, got), b) {
			t.Errorf("%s is written as %x", tt.in, appendOpaque(nil, got))
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	tr := load(f)
	for _, s := range tr.Steps {
		f.Add(s.Commit)
	}
	founder, _ := ParseKeyPackage(tr.Founder)
	f.Fuzz(func(_ *testing.T, b []byte) {
		c, err := ParseCommit(b)
		if err != nil {
			return
		}
		_, _ = Found(tr.GroupID, founder).Apply(c)
	})
}

func FuzzParseKeyPackage(f *testing.F) {
	f.Add(load(f).Founder)
	f.Fuzz(func(t *testing.T, b []byte) {
		kp, err := ParseKeyPackage(b)
		if err == nil && !bytes.Equal(kp.Raw, b) {
			t.Fatal("read less than there is")
		}
	})
}

func FuzzParseWelcome(f *testing.F) {
	for _, s := range load(f).Steps {
		f.Add(s.Welcome)
	}
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ParseWelcome(b) })
}

func BenchmarkParseCommit(b *testing.B) {
	c := load(b).Steps[0].Commit
	for b.Loop() {
		if _, err := ParseCommit(c); err != nil {
			b.Fatal(err)
		}
	}
}
