//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"parley.link/parley/bench/media/bare"
	"parley.link/parley/bench/report"
)

// row is a scenario's figures by kind of server.
type row struct {
	Name, Title string
	By          map[string]figures
}

// results is all that was measured.
type results struct {
	Machine report.Machine
	Window  float64 // seconds
	Rounds  int
	Servers []title
	Rows    []*row
	Ramp    *row // nil: not measured
	Link    []across
	Bare    [][]bare.Result // by way, then round
	Took    float64         // seconds
}

// title names a server in the tables.
type title struct{ Kind, Title, Profile string }

func (c *config) run(ctx context.Context) error {
	began := time.Now()
	r := &results{Machine: report.Look(c.root), Window: c.window.Seconds(), Rounds: c.rounds}
	fmt.Print(machineText(r.Machine), "\n")
	if err := pin(os.Getpid(), c.loadC); err != nil {
		return err
	}
	for _, sc := range scenarios {
		if c.wants(sc.name) && (sc.name != "1-500" || c.big || slices.Contains(c.only, sc.name)) {
			r.Rows = append(r.Rows, &row{sc.name, sc.title, map[string]figures{}})
		}
	}
	if c.wants("ramp") {
		r.Ramp = &row{"ramp", "1 → 100, one core saturated", map[string]figures{}}
	}
	var failed []error
	for round := range c.rounds {
		failed = append(failed, c.round(ctx, r, round)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for _, t := range c.targets {
		if p := r.profile(t.id); p != "" { // measured at all
			r.Servers = append(r.Servers, title{t.id, t.title(), p})
		}
	}
	r.Took = time.Since(began).Seconds()
	for _, t := range r.tables() {
		fmt.Println("\n" + t.text())
	}
	return errors.Join(append(failed, r.keep(c))...)
}

// round measures everything once. The order of the servers turns, so that none always follows the same other.
func (c *config) round(ctx context.Context, r *results, round int) (failed []error) {
	order := slices.Concat(c.targets[round%len(c.targets):], c.targets[:round%len(c.targets)])
	note := func(what string, err error) {
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench-media: %s: %v\n", what, err)
			failed = append(failed, fmt.Errorf("%s was not measured", what))
		}
	}
	fmt.Printf("── round %d of %d\n", round+1, c.rounds)
	if c.wants("bare") {
		note("the bare loop", c.bareRound(ctx, r))
	}
	for _, w := range r.Rows {
		sc := scenarios[slices.Index(names(), w.Name)]
		for _, t := range order {
			if ctx.Err() != nil {
				return failed
			}
			f, err := c.measure(ctx, t, sc)
			note(t.name+", "+sc.title, err)
			if err == nil {
				w.By[t.id] = append(w.By[t.id], f)
				fmt.Printf("%-16s %-10s %s\n", sc.title, t.name, f.line())
			}
		}
	}
	if r.Ramp != nil {
		for _, t := range order {
			fmt.Printf("%-16s %s\n", "saturation", t.name)
			f, err := c.ramp(ctx, t)
			note(t.name+", saturation", err)
			if err == nil {
				r.Ramp.By[t.id] = append(r.Ramp.By[t.id], f)
				fmt.Printf("%-16s %-10s %s\n", "saturation", t.name, f.line())
			}
		}
	}
	if c.wants("link") && c.has(own) {
		a, err := c.across(ctx)
		note("the link", err)
		if err == nil {
			r.Link = append(r.Link, a)
			fmt.Println("across the link:", a.line())
		}
	}
	return failed
}

func (c *config) has(id string) bool {
	return slices.ContainsFunc(c.targets, func(t *target) bool { return t.id == id })
}

func (f figure) line() string {
	return fmt.Sprintf("%6s CPU s/M · p50 %s p95 %s p99 %s ms · %s MB each · %.0f packets/s · lost %.3f %% · core %.0f %%, others on it %.0f %%, load generator %.0f %% · %s%s",
		digits(f.CPU), digits(f.P50), digits(f.P95), digits(f.P99), digits(f.Memory), f.Rate, 100*f.Loss, 100*f.Busy, 100*f.Others, 100*f.Own, f.Profile, bad(f.Bad))
}

func bad(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" · %d packets did not open", n)
}

func (r *results) profile(kind string) string {
	for _, w := range append(r.Rows[:len(r.Rows):len(r.Rows)], r.Ramp) {
		if w != nil && len(w.By[kind]) > 0 {
			return w.By[kind][0].Profile
		}
	}
	return ""
}

// disturbance is the largest share of the servers' core that anybody else used in a window, and the largest of its own core that the load
// generator used.
func (r *results) disturbance() (others, generator float64) {
	for _, w := range append(r.Rows[:len(r.Rows):len(r.Rows)], r.Ramp) {
		if w == nil {
			continue
		}
		for _, list := range w.By {
			for _, f := range list {
				others, generator = max(others, f.Others), max(generator, f.Own)
			}
		}
	}
	return others, generator
}

// keep writes the JSON and, if asked, the document and the plot.
func (r *results) keep(c *config) error {
	if err := report.Keep(c.root, "bench-media.json", r); err != nil {
		return err
	}
	if !c.keep {
		return nil
	}
	return r.document(c.root)
}

func machineText(m report.Machine) string {
	return fmt.Sprintf("%s, %s\n%s\n", m.Hardware(), m.Go, m.When())
}
