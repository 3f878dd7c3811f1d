// Command bench measures Parley on this machine and keeps the figures: it prints them, writes build/bench.json, and replaces the tables of
// docs/benchmarks.md between their markers. It raises real nodes as processes, native participants in its own process, and Chromium. It
// fails when something does not work, never because something was slow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parley.link/parley/bench/report"
)

// config is what the command line says.
type config struct {
	binary string // parley
	root   string // of the repository
	quick  bool
	sizes  []int // of the sessions whose epochs change
}

// runs is n, or few where a quick look is asked for.
func (c config) runs(n, few int) int {
	if c.quick {
		return few
	}
	return n
}

// section is one group of figures; its id names the marker in the document.
type section struct {
	id      string
	measure func(context.Context, config) ([]table, error)
}

var sections = []section{
	{"chromium", chromiumOpen}, {"native", nativeOpen}, {"epochs", epochs}, {"latency", latency}, {"cost", cost}, {"micro", micro},
}

// longest is what a section may take: on a quiet machine none needs half of it, and one that hangs must not cost the others.
const longest = 4 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var c config
	var only, profile string
	var dry bool
	flag.StringVar(&c.binary, "parley", "bin/parley", "the parley binary")
	flag.StringVar(&c.root, "root", ".", "the repository")
	flag.StringVar(&only, "only", "", "sections, separated by commas (native, chromium, epochs, latency, cost, micro); default all")
	flag.BoolVar(&c.quick, "quick", false, "few runs: to try the benchmark, not to keep its figures")
	flag.BoolVar(&dry, "dry", false, "do not write docs/benchmarks.md")
	flag.StringVar(&profile, "cpuprofile", "", "write a CPU profile of the participants (not of the nodes) to this file")
	flag.Func("members", "sizes of the sessions whose epochs change, separated by commas (2,8,32)", func(v string) error {
		for n := range strings.SplitSeq(v, ",") {
			x, err := strconv.Atoi(n)
			if err != nil || x < 2 || x > 64 {
				return fmt.Errorf("%q is no size of a session; for example -members 2,8,32", n)
			}
			c.sizes = append(c.sizes, x)
		}
		return nil
	})
	flag.Parse()
	if len(c.sizes) == 0 {
		c.sizes = []int{2, 8, 32}
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return fmt.Errorf("write the profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("write the profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	wanted := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, w := range wanted {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.id == w }) {
			return fmt.Errorf("-only %s: there is no such section; for example -only native,latency", w)
		}
	}
	m := lookAtMachine(ctx, c)
	fmt.Print(m.text(), "\n")
	out := figures{Machine: m}
	var failed []error
	for _, s := range sections {
		if len(wanted) > 0 && !slices.Contains(wanted, s.id) {
			continue
		}
		began, before := time.Now(), report.Load()
		limited, cancel := context.WithTimeout(ctx, longest)
		tables, err := s.measure(limited, c)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the other figures are still worth having
			failed = append(failed, fmt.Errorf("%s was not measured whole", s.id))
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", s.id, err)
		}
		if len(tables) == 0 {
			continue
		}
		r := result{ID: s.id, Tables: tables, At: began, Took: time.Since(began), LoadBefore: before, LoadAfter: report.Load(), Commit: m.Commit, Quick: c.quick}
		fmt.Println(r.text())
		out.Results = append(out.Results, r)
	}
	if err := out.keep(c, dry || c.quick); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
