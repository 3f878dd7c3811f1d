package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley.link/parley/bench/report"
)

// table is figures as they are printed and kept.
type table struct {
	Title string
	Head  []string
	Rows  [][]string
	Notes []string
	Raw   map[string]samples `json:",omitempty"`
}

// result is one section's tables and the circumstances.
type result struct {
	ID                    string
	Tables                []table
	At                    time.Time
	Took                  time.Duration
	LoadBefore, LoadAfter float64
	Commit                string
	Quick                 bool
}

type figures struct {
	Machine machine
	Results []result
}

func (r result) circumstances() string {
	s := fmt.Sprintf("%s, commit %s, took %.0f s; load average before %.1f, after %.1f", r.At.UTC().Format("2006-01-02 15:04 UTC"), r.Commit, r.Took.Seconds(), r.LoadBefore, r.LoadAfter)
	if r.Quick {
		s += "; few runs"
	}
	return s
}

func (r result) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "── %s · %s\n", r.ID, r.circumstances())
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n%s\n", t.Title)
		report.Lines(&b, t.Head, t.Rows, report.Plain)
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "  %s\n", n)
		}
	}
	return b.String()
}

func (r result) markdown() string {
	var b strings.Builder
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "**%s**\n\n", t.Title)
		report.Lines(&b, t.Head, t.Rows, report.Markdown)
		b.WriteString("\n")
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "%s\n", n)
		}
		if len(t.Notes) > 0 {
			b.WriteString("\n")
		}
	}
	fmt.Fprintf(&b, "_%s_\n", r.circumstances())
	return b.String()
}

// keep writes the JSON and, unless told not to, the document. Sections that were not measured keep their old tables.
func (r figures) keep(c config, withoutDocument bool) error {
	if len(r.Results) == 0 {
		return nil
	}
	if err := report.Keep(c.root, "bench.json", r); err != nil {
		return err
	}
	if withoutDocument {
		return nil
	}
	text, err := readDocument(c.root)
	if err != nil {
		return err
	}
	text, err = report.Between(text, "bench:machine", "- "+strings.Join(r.Machine.lines(), "\n- ")+"\n")
	for _, s := range r.Results {
		if err == nil {
			text, err = report.Between(text, "bench:"+s.ID, s.markdown())
		}
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.root, document), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

const document = "docs/benchmarks.md"

func readDocument(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		return "", fmt.Errorf("read the document: %w", err)
	}
	return string(b), nil
}
