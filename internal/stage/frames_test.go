package stage

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/web"
	"parley.link/parley/internal/wire/signalpb"
)

// raw is a socket on which a device has proved its key and then says what it likes.
func raw(t *testing.T, sd *Side, key ident.Key, acc []byte) *web.Call {
	t.Helper()
	c, err := web.Dial(t.Context(), sd.Address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ask := func(m *signalpb.ToNode) *signalpb.ToClient {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for {
			r := &signalpb.ToClient{}
			if b, err = c.Receive(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := proto.Unmarshal(b, r); err != nil {
				t.Fatal(err)
			}
			if r.ReplyTo == m.Id {
				return r
			}
		}
	}
	ch := ask(&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Hello{Hello: &signalpb.Hello{ProtocolMin: native.ProtocolMin, ProtocolMax: native.ProtocolMax, Device: key.Public(), Accreditation: acc, Language: "en"}}}).GetChallenge()
	m := append(append(append([]byte(nil), ch.GetNonce()...), ch.GetNode()...), key.Public()...)
	if w := ask(&signalpb.ToNode{Id: 2, Body: &signalpb.ToNode_Prove{Prove: &signalpb.Prove{Signature: key.Sign(ident.ContextChallenge, m)}}}).GetWelcome(); w == nil {
		t.Fatal("not welcome")
	}
	return c
}

// drain reads until the socket ends and gives the last problem.
func drain(ctx context.Context, c *web.Call) (answers int, last *signalpb.Problem) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		b, err := c.Receive(ctx)
		if err != nil {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				last = &signalpb.Problem{Code: "still open"}
			}
			return answers, last
		}
		answers++
		m := &signalpb.ToClient{}
		if proto.Unmarshal(b, m) == nil && m.GetProblem() != nil {
			last = m.GetProblem()
		}
	}
}

// A member's device throws bytes at its node: each kind ends its own socket at most, and nobody else notices.
func TestJunkFromADevice(t *testing.T) {
	s := summit(t, 2)
	actors := everybody(t, s)
	wait(t, 30*time.Second, agree(actors))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	junk := actors[1]
	junk.end()
	rest := without(actors, junk)
	l := listen(t, rest[1], rest[2])
	rng := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, web.MaxMessage+1)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	frame := func(m *signalpb.ToNode) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	relay := frame(&signalpb.ToNode{Id: 9, Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: s.Scope, Kind: "ready", Payload: noise[:4000]}}})
	for _, c := range []struct {
		name  string
		bytes []byte
		times int
		want  string // last problem
	}{
		{"noise", noise[:1000], 1, string(problem.Malformed)},
		{"an empty frame", frame(&signalpb.ToNode{Id: 7}), 1, string(problem.Malformed)},
		{"one byte too many", noise, 1, ""},
		{"5,000 notes", relay, 5000, string(problem.TooMany)},
		{"5,000 pings", frame(&signalpb.ToNode{Id: 8, Body: &signalpb.ToNode_Ping{Ping: &signalpb.Ping{Sent: 1}}}), 5000, ""},
	} {
		call := raw(t, junk.side, junk.key, junk.acc)
		began, sent := time.Now(), 0
		done := make(chan struct{})
		go func() { // whether these arrive is the node's affair
			defer close(done)
			for range c.times {
				if call.Send(t.Context(), c.bytes) != nil {
					return
				}
				sent++
			}
		}()
		answers, last := drain(t.Context(), call)
		<-done
		t.Logf("%s: %d sent, %d answers, last problem %q, closed after %v", c.name, sent, answers, last.GetCode(), time.Since(began).Round(time.Millisecond))
		if c.want != "" && last.GetCode() != c.want {
			t.Errorf("%s: %v, want %s", c.name, last, c.want)
		}
		if last.GetCode() == "still open" {
			t.Errorf("%s: the socket was not closed", c.name)
		}
		if answers > 4*200+200*int(1+time.Since(began).Seconds())+50 {
			t.Errorf("%s: %d answers are more than the rate bound", c.name, answers)
		}
		call.Close()
	}
	wait(t, 20*time.Second, all(rest, func(a *actor) string { return a.perceives(rest) }))
	if gap := l.end(); gap > time.Second {
		t.Errorf("the others did not hear each other for %v", gap)
	} else {
		t.Logf("longest silence between the others: %v", gap)
	}
	// The device itself is welcome again.
	again := perform(t, s, junk.side, junk.person, junk.key, junk.acc)
	actors[1] = again
	wait(t, 20*time.Second, oneEpoch(actors))
}

// Neighbouring versions meet in the one both speak; another is refused with both spans.
func TestVersionsOfTheSocket(t *testing.T) {
	s := summit(t, 1)
	key, acc, err := s.Sides[0].Enrol(t.Context(), s.Sides[0].Cast.People[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lo, hi uint32
		ok     bool
	}{{0, 1, true}, {1, 1, true}, {1, 2, true}, {1, 9, true}, {2, 3, false}, {0, 0, false}, {9, 1, false}} {
		call, err := web.Dial(t.Context(), s.Sides[0].Address(), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := proto.Marshal(&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Hello{Hello: &signalpb.Hello{ProtocolMin: c.lo, ProtocolMax: c.hi, Device: key.Public(), Accreditation: acc, Language: "en"}}})
		if err := call.Send(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b, err = call.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := &signalpb.ToClient{}
		if err := proto.Unmarshal(b, m); err != nil {
			t.Fatal(err)
		}
		p := m.GetProblem()
		if c.ok != (m.GetChallenge().GetProtocol() == 1) || !c.ok && (p.GetCode() != string(problem.WrongVersion) || p.GetParams()["ours"] == "" || p.GetParams()["theirs"] == "") {
			t.Errorf("%d to %d: %v", c.lo, c.hi, m)
		}
		call.Close()
	}
}
