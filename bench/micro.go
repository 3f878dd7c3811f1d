package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// measured are the packages whose Go benchmarks are run; those without one cost nothing. mlsjs stops at eight members: bringing 32
// together takes longer than everything else, and the epochs' table says how it is with 32.
var (
	measured  = []string{"sframe", "forward", "session", "ledger", "group", "store", "mlsframe", "link", "rtc", "synth"}
	smallOnly = []string{"mlsjs"}
)

// micro runs the Go benchmarks once and lists all their figures.
func micro(ctx context.Context, c config) ([]table, error) {
	var out []byte
	var err error
	for _, x := range []struct {
		pattern, span string
		packages      []string
	}{{".", "0.3s", measured}, {"./^(2|8)$", "10x", smallOnly}} {
		args := []string{"test", "-run", "^$", "-bench", x.pattern, "-benchtime", x.span, "-p", "1", "-timeout", "5m"}
		for _, m := range x.packages {
			args = append(args, "./internal/"+m)
		}
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir, cmd.Stderr = c.root, os.Stderr
		b, e := cmd.Output()
		out, err = append(out, b...), errors.Join(err, e)
	}
	t := table{Title: "Go benchmarks", Head: []string{"benchmark", "figures"}}
	pkg := ""
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "pkg:":
			pkg = f[1][strings.LastIndexByte(f[1], '/')+1:]
		case len(f) >= 4 && strings.HasPrefix(f[0], "Benchmark"):
			name, _, _ := strings.Cut(strings.TrimPrefix(f[0], "Benchmark"), "-")
			var figures []string
			for i := 2; i+1 < len(f); i += 2 {
				figures = append(figures, f[i]+" "+f[i+1])
			}
			t.Rows = append(t.Rows, []string{pkg + " " + name, strings.Join(figures, ", ")})
		}
	}
	if err != nil {
		return []table{t}, fmt.Errorf("go test -bench: %w: %.500s", err, out)
	}
	return []table{t}, nil
}
