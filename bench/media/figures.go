//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
)

// figure is one measurement.
type figure struct {
	CPU           float64 // server CPU seconds per million forwarded packets
	Busy          float64 // share of the core the server used
	Others        float64 // and everybody else on it: what this is above a few per cent spoils the figure
	Own           float64 // and this program of its own
	Rate          float64 // packets forwarded a second
	Sent          float64 // packets published a second
	Loss          float64 // share of what should have come and did not
	P50, P95, P99 float64 // ms from the publisher's stamp to the kernel of the receiver
	Memory        float64 // MB of RSS per subscriber
	Bad           uint64  // sampled packets that did not open, or were not what was sent
	Profile       string  // of SRTP
}

// figures are those of several rounds.
type figures []figure

func (f figures) median(of func(figure) float64) float64 {
	if len(f) == 0 {
		return math.NaN()
	}
	v := make([]float64, len(f))
	for i := range f {
		v[i] = of(f[i])
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func (f figures) spread(of func(figure) float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range f {
		low, high = min(low, of(x)), max(high, of(x))
	}
	return low, high
}

func cpuOf(f figure) float64    { return f.CPU }
func p50Of(f figure) float64    { return f.P50 }
func p95Of(f figure) float64    { return f.P95 }
func p99Of(f figure) float64    { return f.P99 }
func memoryOf(f figure) float64 { return f.Memory }
func lossOf(f figure) float64   { return f.Loss }
func rateOf(f figure) float64   { return f.Rate }
func busyOf(f figure) float64   { return f.Busy }
func ownOf(f figure) float64    { return f.Own }

// percentile is the value in ms that percent of late (µs) do not exceed (nearest rank). It sorts late.
func percentile(late []int32, percent float64) float64 {
	if len(late) == 0 {
		return math.NaN()
	}
	slices.Sort(late)
	return float64(late[min(max(int(math.Ceil(float64(len(late))*percent/100))-1, 0), len(late)-1)]) / 1000
}

// digits writes a figure with as many digits as mean something.
func digits(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case math.Abs(v) < 10:
		return fmt.Sprintf("%.2f", v)
	case math.Abs(v) < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
