package allocate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func pictures() []Track {
	camera := []int{100_000, 400_000, 1_200_000}
	return []Track{
		{"mic-a", Sound, []int{40_000}}, {"mic-b", Sound, []int{40_000}}, {"mic-c", Sound, []int{40_000}},
		{"a", Rest, camera}, {"b", Rest, camera}, {"speaker", Stage, camera}, {"screen", Screen, []int{150_000, 900_000}},
	}
}

func index(choices []Choice, id string) int {
	for _, c := range choices {
		if c.ID == id {
			return c.Index
		}
	}
	return -2
}

func TestWhoComesFirst(t *testing.T) {
	for _, c := range []struct {
		estimate              int
		speaker, screen, a, b int
		what                  string
	}{
		{estimate: 0, speaker: Paused, screen: Paused, a: Paused, b: Paused, what: "sound only, though even that does not fit"},
		{estimate: 250_000, speaker: 0, screen: Paused, a: Paused, b: Paused, what: "the speaker's smallest picture"},
		{estimate: 450_000, speaker: 0, screen: 0, a: Paused, b: Paused, what: "and the screen's"},
		{estimate: 650_000, speaker: 0, screen: 0, a: 0, b: 0, what: "and everybody's"},
		{estimate: 1_000_000, speaker: 1, screen: 0, a: 0, b: 0, what: "then the speaker's larger one"},
		{estimate: 1_950_000, speaker: 2, screen: 0, a: 0, b: 0, what: "and the largest"},
		{estimate: 2_600_000, speaker: 2, screen: 1, a: 0, b: 0, what: "then the screen"},
		{estimate: 3_200_000, speaker: 2, screen: 1, a: 1, b: 1, what: "then the rest, alike"},
		{estimate: 9_000_000, speaker: 2, screen: 1, a: 2, b: 2, what: "all"},
	} {
		var a Allocator
		got := a.Allocate(t0, c.estimate, pictures())
		if index(got, "speaker") != c.speaker || index(got, "screen") != c.screen || index(got, "a") != c.a || index(got, "b") != c.b {
			t.Errorf("%d: %s: %+v", c.estimate, c.what, got)
		}
		for _, mic := range []string{"mic-a", "mic-b", "mic-c"} {
			if index(got, mic) != 0 {
				t.Errorf("%d: %s was touched", c.estimate, mic)
			}
		}
	}
}

func TestDownAtOnceUpAfterAWhile(t *testing.T) {
	var a Allocator
	tracks := pictures()
	now := t0
	at := func(after time.Duration, estimate, want int) {
		t.Helper()
		now = now.Add(after)
		if got := index(a.Allocate(now, estimate, tracks), "speaker"); got != want {
			t.Errorf("at %v: %d, want %d", now.Sub(t0), got, want)
		}
	}
	const much, little = 4_000_000, 700_000
	at(0, much, 2)
	at(20*time.Second, little, 0) // down at once
	at(500*time.Millisecond, much, 0)
	at(600*time.Millisecond, much, 2)  // up after a second
	at(2*time.Second, little, 0)       // that was soon after it grew
	at(1500*time.Millisecond, much, 0) // now two
	at(600*time.Millisecond, much, 2)
	at(time.Second, little, 0)
	at(3500*time.Millisecond, much, 0) // four
	at(600*time.Millisecond, much, 2)
	at(time.Minute, little, 0)
	at(1100*time.Millisecond, much, 2) // and one again, after it held for a while
}

func TestASourceThatVariesDoesNotMakeThePictureJump(t *testing.T) {
	var a Allocator
	changes, last := 0, -2
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		vary := func(bits int) int { return bits - bits/20 + r.IntN(bits/10) } // 5 % either way
		tracks := []Track{{"mic", Sound, []int{40_000}}, {"speaker", Stage, []int{vary(100_000), vary(400_000), vary(1_200_000)}}}
		got := index(a.Allocate(t0.Add(time.Duration(i)*200*time.Millisecond), 1_330_000, tracks), "speaker")
		if got != last {
			changes++
		}
		last = got
	}
	if changes > 2 {
		t.Errorf("%d changes in two minutes on a steady path", changes)
	}
}

// random makes tracks of any kind, among them ones whose measured costs are nonsense.
func random(r *rand.Rand) (tracks []Track) {
	for i := range 1 + r.IntN(12) {
		t := Track{ID: string(rune('a' + i)), Class: Class(r.IntN(4))}
		n := r.IntN(5)
		if t.Class == Sound {
			n = 1
		}
		for range n {
			t.Costs = append(t.Costs, r.IntN(1_500_000))
		}
		if r.IntN(8) > 0 {
			slices.Sort(t.Costs)
		}
		tracks = append(tracks, t)
	}
	return tracks
}

func TestPropertiesOfAnyAllocation(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 3))
		var a Allocator
		now := t0
		tracks := random(r)
		estimate := r.IntN(8_000_000)
		for range 30 {
			if r.IntN(6) == 0 {
				tracks = random(r)
			}
			estimate = max(0, estimate+r.IntN(2_000_000)-1_000_000)
			now = now.Add(time.Duration(r.IntN(1500)) * time.Millisecond)
			check(t, a.Allocate(now, estimate, tracks), estimate, tracks)
		}
		// On a steady path it comes to rest, and gives the same again.
		for range 3 {
			now = now.Add(maxHold)
			a.Allocate(now, estimate, tracks)
		}
		rest := a.Allocate(now, estimate, tracks)
		for range 20 {
			now = now.Add(time.Duration(r.IntN(5000)) * time.Millisecond)
			if again := a.Allocate(now, estimate, tracks); !slices.Equal(rest, again) {
				t.Fatalf("seed %d: no rest: %v, %v", seed, rest, again)
			}
		}
		// More never takes the picture from the first of the first class.
		if more, f := a.Allocate(now, 2*estimate, tracks), first(tracks); f >= 0 && rest[f].Index >= 0 && more[f].Index < 0 {
			t.Fatalf("seed %d: a better path made it worse", seed)
		}
		if len(a.tracks) > len(tracks) {
			t.Fatalf("seed %d: remembers %d of %d tracks", seed, len(a.tracks), len(tracks))
		}
	}
}

func first(tracks []Track) (at int) {
	at = -1
	for i, t := range tracks {
		if t.Class != Sound && (at < 0 || t.Class < tracks[at].Class) {
			at = i
		}
	}
	return at
}

func check(t *testing.T, got []Choice, estimate int, tracks []Track) {
	t.Helper()
	sound := 0
	for i, tr := range tracks {
		switch c := got[i]; {
		case c.ID != tr.ID:
			t.Fatalf("choice %d is %s's, not %s's", i, c.ID, tr.ID)
		case tr.Class == Sound && c.Index != 0:
			t.Fatalf("sound was touched: %+v", c)
		case c.Index < Paused || c.Index >= max(len(tr.Costs), 1):
			t.Fatalf("%+v of %d", c, len(tr.Costs))
		}
		if tr.Class == Sound {
			sound += cost(tr, 0)
		}
	}
	if total := Total(tracks, got); total > max(estimate, sound) {
		t.Fatalf("%d chosen of %d, sound %d", total, estimate, sound)
	}
}

// Whether somebody has a picture does not depend on how large anybody's is: larger ones are given from what is left after the
// smallest of all.
func TestTheSmallestOfAllBeforeAnybodysSecond(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 4))
		tracks, estimate := random(r), r.IntN(6_000_000)
		smallest := slices.Clone(tracks)
		for i := range smallest {
			smallest[i].Costs = smallest[i].Costs[:min(1, len(smallest[i].Costs))]
		}
		var a, b Allocator
		all, only := a.Allocate(t0, estimate, tracks), b.Allocate(t0, estimate, smallest)
		for i := range tracks {
			if (all[i].Index == Paused) != (only[i].Index == Paused) {
				t.Fatalf("seed %d: %v, %v", seed, all, only)
			}
		}
	}
}

func TestCeiling(t *testing.T) {
	if got := Ceiling(pictures()); got != 4_620_000+4_620_000*15/100 {
		t.Error(got)
	}
}
