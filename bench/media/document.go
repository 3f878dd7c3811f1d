//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parley.link/parley/bench/report"
)

const (
	documentPath = "docs/benchmarks-media.md"
	plotPath     = "docs/pictures/benchmarks-media.svg"
)

// document replaces the tables between their markers and the plot. Tables that were not measured keep their old figures.
func (r *results) document(root string) error {
	b, err := os.ReadFile(filepath.Join(root, documentPath))
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	text := string(b)
	if text, err = report.Between(text, "bench-media:machine", r.circumstances()); err != nil {
		return err
	}
	for _, t := range r.tables() {
		if text, err = report.Between(text, "bench-media:"+t.ID, t.markdown()); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(root, documentPath), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	if len(r.Rows) == 0 {
		return nil
	}
	if err := os.WriteFile(filepath.Join(root, plotPath), r.plot(), 0o644); err != nil {
		return fmt.Errorf("write the plot: %w", err)
	}
	return nil
}

func (r *results) circumstances() string {
	var b strings.Builder
	for _, l := range strings.Split(strings.TrimSpace(machineText(r.Machine)), "\n") {
		b.WriteString("- " + l + "\n")
	}
	for _, s := range r.Servers {
		if s.Profile != "" {
			fmt.Fprintf(&b, "- %s: %s\n", s.Title, s.Profile)
		}
	}
	fmt.Fprintf(&b, "- %d rounds, windows of %.0f s, %.0f min in all\n", r.Rounds, r.Window, r.Took/60)
	others, generator := r.disturbance()
	fmt.Fprintf(&b, "- in the worst window others used %.0f %% of the servers' core, and the load generator %.0f %% of its own\n", 100*others, 100*generator)
	return b.String()
}
