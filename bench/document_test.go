package main

import (
	"strings"
	"testing"
	"time"

	"parley.link/parley/bench/report"
)

func TestBetweenKeepsTheProse(t *testing.T) {
	old := "prose\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nmore\n"
	got, err := report.Between(old, "bench:x", "new\n")
	if err != nil || got != "prose\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nmore\n" {
		t.Fatalf("%q %v", got, err)
	}
	if again, err := report.Between(got, "bench:x", "new\n"); err != nil || again != got {
		t.Fatalf("%q %v", again, err)
	}
	if _, err := report.Between(old, "bench:y", ""); err == nil {
		t.Fatal("a missing marker was not told")
	}
}

func TestPercentiles(t *testing.T) {
	var s samples
	for i := range 100 {
		s.add(time.Duration(100-i) * time.Millisecond)
	}
	if s.at(50) != 50 || s.at(95) != 95 || s.at(99) != 99 || s.at(100) != 100 {
		t.Fatal(s.at(50), s.at(95), s.at(99), s.at(100))
	}
	s.between(time.Time{}, time.Now())
	if len(s) != 100 {
		t.Fatal("what did not happen was counted")
	}
	if !strings.Contains(ms(samples{}.at(50)), "–") {
		t.Fatal("no samples have a figure")
	}
}

// The document must hold a marker for every section, or its figures could not be kept.
func TestDocumentHasEveryMarker(t *testing.T) {
	text, err := readDocument("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(sections, section{id: "machine"}) {
		if _, err := report.Between(text, "bench:"+s.id, ""); err != nil {
			t.Error(err)
		}
	}
}
