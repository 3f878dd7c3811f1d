//go:build linux

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley.link/parley/bench/media/bare"
)

func sample() *results {
	f := func(cpu float64) figures {
		return figures{{CPU: cpu, P99: cpu / 10, Memory: 1}, {CPU: cpu + 1}, {CPU: cpu + 2}}
	}
	r := &results{
		Servers: []title{{own, "Parley x", ""}, {"galene", "Galène 1 <2>", ""}, {"janus", "Janus", ""}},
		Rows: []*row{
			{"1-1", "1 → 1", map[string]figures{own: f(100), "galene": f(200)}},
			{"1-50", "1 → 50", map[string]figures{own: f(5), "galene": f(11), "janus": f(20)}},
		},
		Ramp: &row{By: map[string]figures{own: f(4)}},
		Link: []across{{}},
	}
	for range bare.Ways {
		r.Bare = append(r.Bare, []bare.Result{{CPU: 3, Rate: 1e5}})
	}
	return r
}

func TestTables(t *testing.T) {
	r := sample()
	rows := r.cpuRows()
	if got := strings.Join(rows[1], "|"); got != "1 → 50|6.00 (5.00–7.00)|12.0 (11.0–13.0)|21.0 (20.0–22.0)|0.50|2.00|–" {
		t.Error(got)
	}
	if rows[0][3] != "–" {
		t.Errorf("a server that was not measured has %q", rows[0][3])
	}
	for _, tb := range r.tables() {
		for _, line := range tb.Rows {
			if len(line) > len(tb.Head)+1 {
				t.Errorf("%s: %d cells under %d heads", tb.ID, len(line), len(tb.Head))
			}
		}
	}
}

func TestPlotIsXML(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(string(sample().plot())))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Every table has its place in the document.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", documentPath))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, d := range []string{"docs", "docs/pictures"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, documentPath), b, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what was written can be replaced
		if err := sample().document(dir); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := os.ReadFile(filepath.Join(dir, documentPath))
	if strings.Count(string(after), "6.00 (5.00–7.00)") != 1 {
		t.Error("the table is not there once")
	}
}
