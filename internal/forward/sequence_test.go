package forward

import "testing"

// wrapPoints are where a script about 16-bit numbers is started: every place in the coarse run, and all places around the wrap.
func wrapPoints(yield func(uint16) bool) {
	for start := range 1 << 16 {
		if !yield(uint16(start)) {
			return
		}
	}
}

func TestUnwrapFromEveryWrapPoint(t *testing.T) {
	steps := []struct {
		add  int
		want int // counter relative to the first
	}{{0, 0}, {1, 1}, {3, 3}, {2, 2}, {-5, -5}, {900, 900}, {899, 899}, {2900, 2900}, {2901, 2901}, {2000, 2000}}
	for start := range wrapPoints {
		var u Unwrapper
		for _, s := range steps {
			seq := start + uint16(s.add)
			c, restarted, ok := u.Unwrap(seq)
			if !ok || restarted || int(c)-firstCounter != s.want {
				t.Fatalf("start %d step %d: counter %d restarted %v ok %v", start, s.add, int(c)-firstCounter, restarted, ok)
			}
			if u.Wire(c) != seq {
				t.Fatalf("start %d: wire of %d is %d", start, c, u.Wire(c))
			}
		}
	}
}

func TestUnwrapFollowsARestart(t *testing.T) {
	for start := range wrapPoints {
		var u Unwrapper
		u.Unwrap(start)
		if _, _, ok := u.Unwrap(start + 20000); ok {
			t.Fatalf("start %d: a stray was believed", start)
		}
		if c, _, ok := u.Unwrap(start + 1); !ok || c != firstCounter+1 {
			t.Fatalf("start %d: the old place was lost", start)
		}
		u.Unwrap(start + 30000)
		c, restarted, ok := u.Unwrap(start + 30001)
		if !ok || !restarted || c != firstCounter+2 || u.Wire(c) != start+30001 {
			t.Fatalf("start %d: not followed: %d %v %v", start, c, restarted, ok)
		}
	}
}

func TestNear(t *testing.T) {
	for start := range wrapPoints {
		high := uint64(1<<20) + uint64(start)
		for _, d := range []int64{0, 1, -1, 1000, -1000, 32767, -32768} {
			if got := near(uint16(int64(high)+d), high); int64(got)-int64(high) != d {
				t.Fatalf("high %d delta %d: %d", high, d, int64(got)-int64(high))
			}
		}
	}
}
