package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
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

type report struct {
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
		t.lines(&b, " ", "  ", " ")
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
		t.lines(&b, "| ", " | ", " |")
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

// lines writes the table with equal widths; Markdown, if the borders are bars.
func (t table) lines(b *strings.Builder, left, between, right string) {
	widths := make([]int, len(t.Head))
	all := append([][]string{t.Head}, t.Rows...)
	for _, r := range all {
		for i := range min(len(r), len(widths)) {
			widths[i] = max(widths[i], utf8.RuneCountInString(r[i]))
		}
	}
	write := func(r []string) {
		b.WriteString(left)
		for i := range widths {
			cell := ""
			if i < len(r) {
				cell = r[i]
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				cell += pad
			} else {
				cell = pad + cell
			}
			if b.WriteString(cell); i < len(widths)-1 {
				b.WriteString(between)
			}
		}
		b.WriteString(right + "\n")
	}
	write(t.Head)
	if strings.HasPrefix(left, "|") {
		for i := range widths {
			b.WriteString("|---")
			if i > 0 {
				b.WriteString(":")
			}
		}
		b.WriteString("|\n")
	}
	for _, r := range t.Rows {
		write(r)
	}
}

// keep writes the JSON and, unless told not to, the document. Sections that were not measured keep their old tables.
func (r report) keep(c config, withoutDocument bool) error {
	if len(r.Results) == 0 {
		return nil
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	dir := filepath.Join(c.root, "build")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if withoutDocument {
		return nil
	}
	text, err := readDocument(c.root)
	if err != nil {
		return err
	}
	text, err = between(text, "machine", "- "+strings.Join(r.Machine.lines(), "\n- ")+"\n")
	for _, s := range r.Results {
		if err == nil {
			text, err = between(text, s.ID, s.markdown())
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

// between replaces what stands between the two markers of an id.
func between(text, id, new string) (string, error) {
	begin, end := "<!-- bench:"+id+" -->\n", "<!-- /bench:"+id+" -->"
	i := strings.Index(text, begin)
	if i < 0 {
		return "", fmt.Errorf(document+" has no marker %q", strings.TrimSpace(begin))
	}
	i += len(begin)
	j := strings.Index(text[i:], end)
	if j < 0 {
		return "", fmt.Errorf(document+" has no marker %q", end)
	}
	return text[:i] + "\n" + new + "\n" + text[i+j:], nil
}
