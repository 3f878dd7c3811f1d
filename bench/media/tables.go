//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"parley.link/parley/bench/media/bare"
	"parley.link/parley/bench/report"
)

// table is figures as they are printed and kept.
type table struct {
	ID, Title string
	Head      []string
	Rows      [][]string
}

// own and before are the columns that are no peer's.
const own, before = "parley", "before"

func (r *results) tables() (all []table) {
	servers := func(first string, last ...string) []string {
		h := []string{first}
		for _, s := range r.Servers {
			h = append(h, s.Title)
		}
		return append(h, last...)
	}
	if len(r.Rows) > 0 {
		price := table{"cpu", "Server CPU seconds per million forwarded packets (median; lowest–highest)", servers("scenario", "ours / best peer", "ours / bare loop", "ours / before"), r.cpuRows()}
		if !slices.ContainsFunc(r.Servers, func(s title) bool { return s.Kind == before }) {
			price.Head = price.Head[:len(price.Head)-1]
		}
		all = append(all,
			price,
			table{"latency", "Added latency, ms: p50 / p95 / p99 (medians)", servers("scenario", "p99: ours / best peer"), r.latencyRows()},
			table{"memory", "Memory per subscriber, MB (median)", servers("scenario", "ours / best peer"), r.memoryRows()},
			table{"loss", "Packets lost, % of those due (median) · packets forwarded a second", servers("scenario"), r.lossRows()})
	}
	if r.Ramp != nil {
		all = append(all, table{"saturation", "One core saturated, 1 → 100", servers("", "ours / best peer"), r.rampRows()})
	}
	if len(r.Link) > 0 {
		all = append(all, table{"link", "Across the link, 1 → 50", []string{"", "median"}, r.linkRows()})
	}
	if len(r.Bare) > 0 {
		all = append(all, table{"bare", "The bare loop: protect and send to 100 addresses in runs of 6", []string{"way", "CPU s per million", "packets/s"}, r.bareRows()})
	}
	return all
}

// best is the lowest median of the peers (the highest, if more is better).
func (r *results) best(w *row, of func(figure) float64, more bool) float64 {
	best := math.NaN()
	for _, s := range r.Servers {
		m := w.By[s.Kind].median(of)
		if s.Kind != own && s.Kind != before && !math.IsNaN(m) && (math.IsNaN(best) || more == (m > best)) {
			best = m
		}
	}
	return best
}

func (r *results) cells(w *row, cell func(figures) string) []string {
	line := []string{w.Title}
	for _, s := range r.Servers {
		if f := w.By[s.Kind]; len(f) > 0 {
			line = append(line, cell(f))
		} else {
			line = append(line, "–")
		}
	}
	return line
}

func ratio(a, b float64) string {
	if math.IsNaN(a / b) {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func (r *results) cpuRows() (rows [][]string) {
	for _, w := range r.Rows {
		line := r.cells(w, func(f figures) string {
			low, high := f.spread(cpuOf)
			return fmt.Sprintf("%s (%s–%s)", digits(f.median(cpuOf)), digits(low), digits(high))
		})
		ours := w.By[own].median(cpuOf)
		rows = append(rows, append(line, ratio(ours, r.best(w, cpuOf, false)), ratio(ours, r.bareBest()), ratio(ours, w.By[before].median(cpuOf))))
	}
	return rows
}

func (r *results) latencyRows() (rows [][]string) {
	for _, w := range r.Rows {
		line := r.cells(w, func(f figures) string {
			return digits(f.median(p50Of)) + " / " + digits(f.median(p95Of)) + " / " + digits(f.median(p99Of))
		})
		rows = append(rows, append(line, ratio(w.By[own].median(p99Of), r.best(w, p99Of, false))))
	}
	return rows
}

func (r *results) memoryRows() (rows [][]string) {
	for _, w := range r.Rows {
		line := r.cells(w, func(f figures) string { return digits(f.median(memoryOf)) })
		rows = append(rows, append(line, ratio(w.By[own].median(memoryOf), r.best(w, memoryOf, false))))
	}
	return rows
}

func (r *results) lossRows() (rows [][]string) {
	for _, w := range r.Rows {
		rows = append(rows, r.cells(w, func(f figures) string {
			return fmt.Sprintf("%.3f · %.0f", 100*f.median(lossOf), f.median(rateOf))
		}))
	}
	return rows
}

func (r *results) rampRows() [][]string {
	named := func(title string) *row { return &row{Title: title, By: r.Ramp.By} }
	ours := r.Ramp.By[own]
	rate := r.cells(named("packets forwarded a second"), func(f figures) string { return fmt.Sprintf("%.0f", f.median(rateOf)) })
	price := r.cells(named("CPU s per million"), func(f figures) string { return digits(f.median(cpuOf)) })
	busy := r.cells(named("core used by the server, %"), func(f figures) string { return fmt.Sprintf("%.0f", 100*f.median(busyOf)) })
	lost := r.cells(named("lost, %"), func(f figures) string { return fmt.Sprintf("%.1f", 100*f.median(lossOf)) })
	load := r.cells(named("core used by the load generator, %"), func(f figures) string { return fmt.Sprintf("%.0f", 100*f.median(ownOf)) })
	return [][]string{
		append(rate, ratio(ours.median(rateOf), r.best(r.Ramp, rateOf, true))),
		append(price, ratio(ours.median(cpuOf), r.best(r.Ramp, cpuOf, false))), busy, lost, load,
	}
}

func (r *results) linkRows() [][]string {
	var one, many, far figures
	for _, a := range r.Link {
		one, many, far = append(one, figure{Busy: a.One}), append(many, figure{Busy: a.Many}), append(far, a.Far)
	}
	return [][]string{
		{"publisher's node, % of a core, 1 subscriber behind the link", fmt.Sprintf("%.2f", 100*one.median(busyOf))},
		{fmt.Sprintf("the same with %d", behindLink), fmt.Sprintf("%.2f", 100*many.median(busyOf))},
		{"ratio", ratio(many.median(busyOf), one.median(busyOf))},
		{"subscribers' node, CPU s per million", digits(far.median(cpuOf))},
		{"latency through both nodes, ms: p50 / p95 / p99", digits(far.median(p50Of)) + " / " + digits(far.median(p95Of)) + " / " + digits(far.median(p99Of))},
		{"lost, %", fmt.Sprintf("%.3f", 100*far.median(lossOf))},
	}
}

func (r *results) bareMedian(way int) (f figures) {
	for _, x := range r.Bare[way] {
		f = append(f, figure{CPU: x.CPU, Rate: x.Rate})
	}
	return f
}

// bareBest is the cheapest way to receivers like those of the scenarios, which do not coalesce.
func (r *results) bareBest() float64 {
	best := math.NaN()
	for i, w := range bare.Ways {
		if len(r.Bare) > 0 && w.Name != "protect" && !w.Coalesce {
			if m := r.bareMedian(i).median(cpuOf); math.IsNaN(best) || m < best {
				best = m
			}
		}
	}
	return best
}

func (r *results) bareRows() (rows [][]string) {
	for i, w := range bare.Ways {
		f := r.bareMedian(i)
		rows = append(rows, []string{w.Title, digits(f.median(cpuOf)), fmt.Sprintf("%.0f", f.median(rateOf))})
	}
	return rows
}

func (t table) text() string {
	var b strings.Builder
	b.WriteString(t.Title + "\n")
	report.Lines(&b, t.Head, t.Rows, report.Plain)
	return b.String()
}

func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n", t.Title)
	report.Lines(&b, t.Head, t.Rows, report.Markdown)
	return b.String()
}
