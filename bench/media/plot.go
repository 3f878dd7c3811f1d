//go:build linux

package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// colours tell servers apart also in grey and for most colour-blind eyes (Okabe and Ito).
var colours = map[string]string{own: "#0072B2", before: "#56B4E9", "galene": "#E69F00", "livekit": "#009E73", "janus": "#CC79A7"}

const (
	plotLeft, plotTop, plotWide, plotHigh = 52, 56, 860, 260
	plotFoot                              = 60
)

// plot draws CPU per million packets of every scenario and server: bars for medians, whiskers from the lowest to the highest round. Bars end at
// the top of the frame where a scenario has too few packets for its figure to be of the others' size; the number stands beside it.
func (r *results) plot() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotLeft+plotWide+12, plotTop+plotHigh+plotFoot)
	b.WriteString(`<rect width="100%" height="100%" fill="#fff"/>` + "\n")
	fmt.Fprintf(&b, `<text x="%d" y="18" font-size="14">Server CPU seconds per million forwarded packets (less is better)</text>`+"\n", plotLeft)
	x := float64(plotLeft)
	for _, s := range r.Servers {
		fmt.Fprintf(&b, `<rect x="%.0f" y="30" width="11" height="11" fill="%s"/><text x="%.0f" y="40">%s</text>`+"\n", x, colours[s.Kind], x+16, html.EscapeString(s.Title))
		x += 40 + 6.2*float64(len(s.Title))
	}
	top := r.plotTop()
	y := func(v float64) float64 { return plotTop + plotHigh*(1-math.Min(v, top)/top) }
	for i := range 5 {
		v := top * float64(i) / 4
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.3g</text>`+"\n", plotLeft, y(v), plotLeft+plotWide, plotLeft-6, y(v)+4, v)
	}
	rows := r.Rows
	if r.Ramp != nil {
		rows = append(rows[:len(rows):len(rows)], &row{Title: "saturated", By: r.Ramp.By})
	}
	group := float64(plotWide) / float64(len(rows))
	bar := 0.8 * group / float64(max(len(r.Servers), 1))
	for i, w := range rows {
		left := plotLeft + group*float64(i)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", left+group/2, plotTop+plotHigh+18, html.EscapeString(w.Title))
		for k, s := range r.Servers {
			f := w.By[s.Kind]
			if len(f) == 0 {
				continue
			}
			at, m := left+0.1*group+bar*float64(k), f.median(cpuOf)
			low, high := f.spread(cpuOf)
			fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s, %s: %s</title></rect>`, at, y(m), bar-1, plotTop+plotHigh-y(m),
				colours[s.Kind], html.EscapeString(s.Title), html.EscapeString(w.Title), digits(m))
			fmt.Fprintf(&b, `<path d="M%.1f %.1fV%.1f" stroke="#333"/>`+"\n", at+bar/2, y(low), y(high))
			if m > top {
				fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="8" text-anchor="middle">%s</text>`+"\n", at+bar/2, plotTop-3.0, digits(m))
			}
		}
	}
	if v := r.bareBest(); !math.IsNaN(v) {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#d00" stroke-dasharray="4 3"/>`+"\n", plotLeft, y(v), plotLeft+plotWide)
		fmt.Fprintf(&b, `<path d="M%.0f 36h16" stroke="#d00" stroke-dasharray="4 3"/><text x="%.0f" y="40">bare loop %s</text>`+"\n", x, x+20, digits(v))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#555">%s, %s, %d rounds; commit %s. Whiskers: lowest and highest round.</text>`+"\n</svg>\n",
		plotLeft, plotTop+plotHigh+42, html.EscapeString(r.Machine.CPU), r.Machine.At.Format("2006-01-02"), r.Rounds, html.EscapeString(r.Machine.Commit))
	return b.Bytes()
}

// plotTop is a round number over all medians but those of 1 → 1, which say little: a few hundred packets a second against a process's own life.
func (r *results) plotTop() float64 {
	top := 10.0
	for _, w := range r.Rows {
		for _, f := range w.By {
			if m := f.median(cpuOf); w.Name != "1-1" && m > top {
				top = m
			}
		}
	}
	return 10 * math.Ceil(top/10)
}
