package mlsjs

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley.link/parley/internal/mlsframe"
	"parley.link/parley/internal/sframe"
)

var now = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func runtime(t testing.TB) *Runtime {
	t.Helper()
	rt, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func member(t testing.TB, rt *Runtime, name string) *Member {
	t.Helper()
	m, err := rt.NewMember([]byte(name), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// crowd is a group of n members; each has a runtime of its own.
type crowd struct {
	t       testing.TB
	id      []byte
	members []*Group
	roster  Roster
}

func found(t testing.TB, n int) *crowd {
	c := &crowd{t: t, id: []byte("group of the test")}
	first := member(t, runtime(t), "m0")
	c.roster = Roster{{[]byte("m0"), first.SignatureKey}}
	c.members = []*Group{must(first.Create(c.id))(t)}
	if n > 1 {
		c.add(n - 1)
	}
	return c
}

func (c *crowd) add(n int) {
	c.t.Helper()
	var joiners []*Member
	var adds, refs [][]byte
	for range n {
		name := fmt.Sprintf("m%d", len(c.roster))
		m := member(c.t, runtime(c.t), name)
		joiners = append(joiners, m)
		adds, refs = append(adds, m.KeyPackage), append(refs, m.Ref)
		c.roster = append(c.roster, RosterEntry{[]byte(name), m.SignatureKey})
	}
	s := must(c.members[0].Commit(adds, nil, c.roster, time.Now()))(c.t)
	epoch := c.order(s, Expected{Adds: refs, Now: time.Now()})
	for _, m := range joiners {
		c.members = append(c.members, must(m.Join(s.Welcome, c.id, c.roster, epoch))(c.t))
	}
}

// order lets member 0's commit take effect everywhere.
func (c *crowd) order(s *Staged, e Expected) uint64 {
	c.t.Helper()
	epoch := must(c.members[0].Confirm(s))(c.t)
	kept := c.members[:1]
	for _, g := range c.members[1:] {
		_, removed, err := g.Process(s.Message, e, c.roster)
		if err != nil {
			c.t.Fatal(err)
		}
		if !removed {
			kept = append(kept, g)
		}
	}
	c.members = kept
	return epoch
}

func (c *crowd) agree() {
	c.t.Helper()
	want := must(c.members[0].BaseKey())(c.t)
	for i, g := range c.members[1:] {
		if got := must(g.BaseKey())(c.t); !got.Equal(want) {
			c.t.Fatalf("member %d has another key", i+1)
		}
	}
}

func TestGroup(t *testing.T) {
	c := found(t, 4)
	c.agree()
	before := must(c.members[0].BaseKey())(t)
	s := must(c.members[0].Commit(nil, []uint32{2}, c.roster, time.Now()))(t)
	if s.Welcome != nil {
		t.Error("a Welcome without adds")
	}
	c.order(s, Expected{Removes: []uint32{2}})
	c.agree()
	if len(c.members) != 3 || must(c.members[0].BaseKey())(t).Equal(before) {
		t.Error("the removed member is still in")
	}
	ctx := must(c.members[1].Context())(t)
	if ctx.Epoch != 2 || ctx.OwnLeaf != 1 || len(ctx.Leaves) != 3 || !bytes.Equal(ctx.GroupID, c.id) || len(ctx.Tree) != 64 {
		t.Errorf("%+v", ctx)
	}
	w0, i0, err := c.members[0].Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	w1, i1, _ := c.members[2].Fingerprint()
	if len(w0) != 6 || fmt.Sprint(w0, i0) != fmt.Sprint(w1, i1) {
		t.Error("fingerprints differ:", w0, w1)
	}
	sig := must(c.members[1].Attest([]byte("scope")))(t)
	a := mlsframe.Attested{Scope: []byte("scope"), Group: c.id, Epoch: ctx.Epoch, Transcript: ctx.Transcript, Tree: ctx.Tree}
	if err := mlsframe.VerifyAttestation(ed25519.PublicKey(ctx.Leaves[1].SignatureKey), a, sig); err != nil {
		t.Error(err)
	}
	if _, err := mlsframe.ParseCommit(s.Message); err != nil {
		t.Error("the node's parser refuses it:", err)
	}
}

func TestRefusals(t *testing.T) {
	c := found(t, 2)
	stranger := member(t, runtime(t), "stranger")
	_, err := c.members[0].Commit([][]byte{stranger.KeyPackage}, nil, c.roster, time.Now())
	if Code(err) != "invalid" {
		t.Error("ghost:", err)
	}
	_, err = c.members[0].Commit(nil, []uint32{0}, c.roster, time.Now())
	if Code(err) != "own-leaf" {
		t.Error("own leaf:", err)
	}
	_, _, err = c.members[1].Process([]byte{0, 1}, Expected{}, c.roster)
	if Code(err) != "malformed" {
		t.Error("malformed:", err)
	}
	_, err = c.members[0].Commit([][]byte{stranger.KeyPackage}, nil, c.roster, time.Now().Add(48*time.Hour))
	if Code(err) != "bad-lifetime" {
		t.Error("lifetime:", err)
	}
	s := must(c.members[0].Commit(nil, nil, c.roster, time.Now()))(t)
	if err := c.members[0].Discard(s); err != nil {
		t.Error(err)
	}
	if _, err := c.members[0].Confirm(s); Code(err) != "stale" {
		t.Error("stale:", err)
	}
	s = must(c.members[0].Commit(nil, nil, c.roster, time.Now()))(t)
	tampered := bytes.Clone(s.Message)
	tampered[len(tampered)-1] ^= 1
	if _, _, err := c.members[1].Process(tampered, Expected{}, c.roster); Code(err) != "invalid" {
		t.Error("tampered:", err)
	}
	c.order(s, Expected{})
	c.agree()
	if err := c.members[0].Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.members[0].BaseKey(); Code(err) != "closed" {
		t.Error("closed:", err)
	}
	var e *Error
	if !errors.As(err, &e) && Code(nil) != "" {
		t.Error("codes")
	}
}

func TestGivenKey(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	m := must(runtime(t).NewMember([]byte("me"), key, now))(t)
	if !m.SignatureKey.Equal(key.Public()) {
		t.Error("another signature key")
	}
	kp, err := mlsframe.ParseKeyPackage(m.KeyPackage)
	if err != nil || !bytes.Equal(kp.Ref[:], m.Ref) || string(kp.Leaf.Identity) != "me" {
		t.Error(err)
	}
	if err := kp.ValidAt(now); err != nil {
		t.Error(err)
	}
}

func TestRedacted(t *testing.T) {
	c := found(t, 1)
	m := member(t, runtime(t), "x")
	k := must(c.members[0].BaseKey())(t)
	if s := fmt.Sprintf("%v %s %v %+v", c.members[0], m, k, struct{ K sframe.BaseKey }{k}); strings.Count(s, "redacted") != 4 {
		t.Error(s)
	}
}

func BenchmarkRuntime(b *testing.B) {
	for b.Loop() {
		runtime(b)
	}
}

func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{2, 8, 32} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := found(b, n-1)
			m := member(b, runtime(b), "joiner")
			roster := append(c.roster, RosterEntry{[]byte("joiner"), m.SignatureKey})
			s := must(c.members[0].Commit([][]byte{m.KeyPackage}, nil, roster, time.Now()))(b)
			epoch := must(c.members[0].Confirm(s))(b)
			wrong := append([]byte(nil), c.id...)
			wrong[0]++
			b.ResetTimer()
			for range b.N {
				// Joining under another id does all the work, is refused at the end, and so can be repeated.
				if _, err := m.Join(s.Welcome, wrong, roster, epoch); Code(err) != "wrong-group" {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{2, 8, 32} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := found(b, n)
			b.ResetTimer()
			for range b.N {
				s := must(c.members[0].Commit(nil, nil, c.roster, time.Now()))(b)
				_ = c.members[0].Discard(s)
			}
		})
	}
}

func BenchmarkProcess(b *testing.B) {
	for _, n := range []int{2, 8, 32} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := found(b, n)
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				s := must(c.members[0].Commit(nil, nil, c.roster, time.Now()))(b)
				_, _ = c.members[0].Confirm(s)
				b.StartTimer()
				if _, _, err := c.members[1].Process(s.Message, Expected{}, c.roster); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
