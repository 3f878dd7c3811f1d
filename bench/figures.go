package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// samples are measurements of one thing, in milliseconds.
type samples []float64

func (s *samples) add(d time.Duration) { *s = append(*s, float64(d.Nanoseconds())/1e6) }

// between adds b - a, if both have happened.
func (s *samples) between(a, b time.Time) {
	if !a.IsZero() && !b.IsZero() {
		s.add(b.Sub(a))
	}
}

// at is the value that percent of the samples do not exceed (nearest rank).
func (s samples) at(percent float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	x := slices.Clone(s)
	slices.Sort(x)
	return x[min(max(int(math.Ceil(float64(len(x))*percent/100))-1, 0), len(x)-1)]
}

// ms writes a figure in milliseconds with as many digits as mean something.
func ms(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.Abs(v) < 10:
		return fmt.Sprintf("%.2f", v)
	case math.Abs(v) < 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}

// row is a line of a table: a name, how many samples, and percentiles of them.
func (s samples) row(name string, percents ...float64) []string {
	r := []string{name, fmt.Sprint(len(s))}
	for _, p := range percents {
		r = append(r, ms(s.at(p)))
	}
	return r
}
