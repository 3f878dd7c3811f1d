// Command parley-demo shows a living summit on this machine: two sides, two nodes, a session, synthetic people, and an address per
// persona. It is a script over the ordinary API. Its officers accredit whoever opens a persona's address, without comparing
// anything, which is why it serves loopback only and says so; `parley serve` has nothing of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == participantCommand {
		err = participate(ctx, os.Stdin)
	} else {
		err = show(ctx, os.Args[1:])
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "parley-demo:", err)
		stop()
		os.Exit(1)
	}
}

func show(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("parley-demo", flag.ContinueOnError)
	port := fs.Int("port", 8441, "first of the two ports that browsers use")
	binary := fs.String("parley", beside("parley"), "the parley binary")
	dir := fs.String("dir", "", "where to keep the demonstration's keys and logs (default: a directory that is removed at the end)")
	doubles := fs.Int("people", 2, "synthetic people on each side, 0 to 5")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *doubles < 0 || *doubles > 5 {
		return fmt.Errorf("-people %d: there are five people on each side, so choose 0 to 5, for example -people 2", *doubles)
	}
	if *dir == "" {
		made, err := os.MkdirTemp("", "parley-demo-")
		if err != nil {
			return fmt.Errorf("make a directory: %w", err)
		}
		defer os.RemoveAll(made)
		*dir = made
	}
	d := &demo{binary: *binary, dir: *dir, port: *port, doubles: *doubles, out: os.Stdout}
	return d.run(ctx)
}

// beside is a program in the same directory as this one.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
