package main

import (
	"testing"
	"time"
)

var start = time.UnixMilli(1_700_000_000_000)

func fates(seed uint64, c Condition, n int) (out []Verdict, at []time.Time) {
	p := NewPath(seed)
	p.Condition = c
	for i := range n {
		t, v := p.Offer(start.Add(time.Duration(i)*time.Millisecond), 1000)
		out, at = append(out, v), append(at, t)
	}
	return out, at
}

func TestSameSeedSameFate(t *testing.T) {
	c := Condition{Loss: 10, Burst: 3, Delay: 20, Jitter: 10, Rate: 2000}
	a, at := fates(7, c, 5000)
	b, bt := fates(7, c, 5000)
	other, _ := fates(8, c, 5000)
	differs := false
	for i := range a {
		if a[i] != b[i] || !at[i].Equal(bt[i]) {
			t.Fatalf("packet %d: %v at %v, then %v at %v", i, a[i], at[i], b[i], bt[i])
		}
		differs = differs || a[i] != other[i]
	}
	if !differs {
		t.Fatal("another seed gives the same fates")
	}
}

func TestLossAndBursts(t *testing.T) {
	for _, c := range []Condition{{Loss: 2}, {Loss: 10}, {Loss: 5, Burst: 4}, {Loss: 20, Burst: 10}} {
		out, _ := fates(1, c, 200_000)
		lost, runs, before := 0, 0, Sent
		for _, v := range out {
			if v == Lost {
				lost++
				if before != Lost {
					runs++
				}
			}
			before = v
		}
		share := 100 * float64(lost) / float64(len(out))
		if share < 0.85*c.Loss || share > 1.15*c.Loss {
			t.Errorf("%+v lost %.2f %%", c, share)
		}
		if mean := float64(lost) / float64(runs); c.Burst > 1 && (mean < 0.85*c.Burst || mean > 1.15*c.Burst) {
			t.Errorf("%+v has bursts of %.2f", c, mean)
		}
	}
}

func TestRateAndQueue(t *testing.T) {
	// 8 Mbit/s offered to 2 Mbit/s: a quarter passes, and what passes waits the queue's length and no longer.
	out, at := fates(1, Condition{Rate: 2000, Queue: 100}, 4000)
	sent := 0
	for i, v := range out {
		if v != Sent {
			continue
		}
		sent++
		if wait := at[i].Sub(start.Add(time.Duration(i) * time.Millisecond)); wait > 105*time.Millisecond {
			t.Fatalf("packet %d waited %v", i, wait)
		}
	}
	if sent < 950 || sent > 1100 {
		t.Fatalf("%d of 4000 passed", sent)
	}
}

func TestOrderIsKept(t *testing.T) {
	_, at := fates(3, Condition{Delay: 50, Jitter: 50}, 2000)
	for i := 1; i < len(at); i++ {
		if at[i].Before(at[i-1]) {
			t.Fatalf("packet %d overtakes", i)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []Condition{{Loss: 101}, {Loss: -1}, {Delay: -1}, {Rate: -5}, {Queue: 1e9}} {
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if err := (Condition{Loss: 100, Burst: 5, Delay: 100, Rate: 64}).Check(); err != nil {
		t.Error(err)
	}
}
