package forward

import (
	"slices"
	"testing"
	"time"
)

var t0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func TestNackGeneratorFromEveryWrapPoint(t *testing.T) {
	const ms = time.Millisecond
	for start := range wrapPoints {
		var g NackGenerator
		at := func(d int) uint16 { return start + uint16(d) }
		due := func(d time.Duration, rtt time.Duration, want ...int) {
			t.Helper()
			got := g.Due(t0.Add(d), rtt, nil)
			exp := []uint16(nil)
			for _, w := range want {
				exp = append(exp, at(w))
			}
			if !slices.Equal(got, exp) {
				t.Fatalf("start %d at %v: got %v, want %v", start, d, got, exp)
			}
		}
		g.Received(t0, at(0))
		g.Received(t0, at(2)) // 1 is missing, perhaps only late
		due(0, 0)
		g.Received(t0.Add(1*ms), at(5)) // 3 and 4 too; 1 is now 4 behind
		due(1*ms, 40*ms, 1)
		due(14*ms, 40*ms)       // 3 and 4 within patience, 1 asked
		due(16*ms, 40*ms, 3, 4) // patience over
		g.Received(t0.Add(30*ms), at(3))
		g.Received(t0.Add(30*ms), at(3)) // twice: no harm
		due(50*ms, 40*ms)                // a round trip and a quarter has not passed
		due(51*ms, 40*ms, 1)
		due(66*ms, 40*ms, 4)
		g.Received(t0.Add(70*ms), at(1)) // recovered by retransmission
		g.Received(t0.Add(70*ms), at(4))
		due(400*ms, 40*ms)
		if g.Missing() != 0 || g.Lost() != 0 {
			t.Fatalf("start %d: missing %d lost %d", start, g.Missing(), g.Lost())
		}
	}
}

func TestNackGeneratorLearnsTheRoundTrip(t *testing.T) {
	var g NackGenerator
	now, seq := t0, uint16(65000)
	g.Received(now, seq)
	for range 20 { // every second packet is lost and comes 160 ms after it was asked for
		g.Received(now, seq+2)
		if n := len(g.Due(now.Add(20*time.Millisecond), 0, nil)); n != 1 {
			t.Fatalf("%d requests", n)
		}
		g.Received(now.Add(180*time.Millisecond), seq+1)
		seq += 2
		now = now.Add(200 * time.Millisecond)
	}
	g.Received(now, seq+2)
	asked := 0
	for d := 20 * time.Millisecond; d < 215*time.Millisecond; d += 5 * time.Millisecond {
		asked += len(g.Due(now.Add(d), 0, nil))
	}
	if asked != 1 {
		t.Fatalf("asked %d times within a round trip", asked)
	}
}

func TestNackGeneratorGivesUp(t *testing.T) {
	var g NackGenerator
	g.Received(t0, 65534)
	g.Received(t0, 1)
	asked := map[uint16]int{}
	for d := time.Duration(0); d < 3*time.Second; d += 5 * time.Millisecond {
		for _, s := range g.Due(t0.Add(d), 30*time.Millisecond, nil) {
			asked[s]++
		}
	}
	if asked[65535] != nackMaxTries || asked[0] != nackMaxTries || len(asked) != 2 {
		t.Fatalf("asked %v", asked)
	}
	if g.Missing() != 0 || g.Lost() != 2 {
		t.Fatalf("missing %d lost %d", g.Missing(), g.Lost())
	}
}

func TestNackGeneratorIsBounded(t *testing.T) {
	var g NackGenerator
	g.Received(t0, 0)
	for s := uint16(2); s < 4000; s += 2 {
		g.Received(t0, s)
	}
	if g.Missing() != maxMissing {
		t.Fatalf("missing %d", g.Missing())
	}
	g.Received(t0, 3998+2000) // a hole that only a key frame mends
	if g.Missing() != 0 {
		t.Fatalf("missing %d after a long hole", g.Missing())
	}
}

func TestNackResponderGateAndTimes(t *testing.T) {
	r := NewNackResponder(NewBudget())
	rtt := 80 * time.Millisecond
	if v := r.Allow(t0, 70000, 1000, rtt); v != Resent {
		t.Fatal(v)
	}
	if v := r.Allow(t0.Add(79*time.Millisecond), 70000, 1000, rtt); v != TooSoon {
		t.Fatal(v)
	}
	if v := r.Allow(t0.Add(79*time.Millisecond), 70000+resendMemory, 1000, rtt); v != Resent {
		t.Fatal("another packet in the same slot is not gated:", v)
	}
	now := t0
	for range resendMaxTimes {
		now = now.Add(rtt)
		r.Allow(now, 70001, 100, rtt)
	}
	if v := r.Allow(now.Add(rtt), 70001, 100, rtt); v != TooOften {
		t.Fatal(v)
	}
}

// A receiver that asks for everything, always, gets at most its burst and a quarter of what it is sent.
func TestNackResponderUnderFlood(t *testing.T) {
	b := NewBudget()
	r := NewNackResponder(b)
	sent, again := 0, 0
	now := t0
	for c := uint64(70000); c < 80000; c++ {
		now = now.Add(time.Millisecond)
		sent += 1200
		b.Earn(1200)
		for back := range uint64(20) {
			if r.Allow(now, c-back, 1200, 0) == Resent {
				again += 1200
			}
		}
	}
	if limit := resendBurst + int(float64(sent)*resendShare); again > limit {
		t.Fatalf("sent %d, again %d, limit %d", sent, again, limit)
	}
	if again < sent/5 {
		t.Fatalf("only %d of %d: the budget is not used", again, sent)
	}
}

func TestKeyFrameThrottle(t *testing.T) {
	var k KeyFrameThrottle
	ms := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }
	check := func(got, want bool, what string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: %v", what, got)
		}
	}
	check(k.Request(ms(0), false), true, "first")
	check(k.Request(ms(10), false), false, "second within the interval")
	check(k.Request(ms(200), true), false, "newcomer while one is on its way")
	check(k.Due(ms(499)), false, "not yet")
	check(k.Due(ms(500)), true, "the waiting one")
	check(k.Due(ms(2000)), false, "only once")
	k.Seen()
	check(k.Request(ms(2000), false), true, "after the interval")
	k.Seen()
	check(k.Request(ms(2050), true), false, "newcomers in a loop")
	check(k.Request(ms(2150), true), true, "newcomer after an answered request")
	check(k.Request(ms(2160), false), false, "coalesced")
	k.Seen()
	check(k.Due(ms(9000)), false, "answered meanwhile")
	n := 0
	for i := range 4500 { // a receiver with a wrong key asks every millisecond
		if k.Request(ms(10000+i), false) {
			n++
		}
	}
	if n != 9 {
		t.Fatalf("%d requests passed in 4.5 s", n)
	}
}
