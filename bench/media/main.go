//go:build linux

// Command media measures the media engine: it puts load on a server pinned to one core, from another core, with ends that do not decode
// (package light), and does the same to the peers that are running, in turn. It prints every figure and, with -keep, writes the
// tables and the plot of docs/benchmarks-media.md. It fails when something does not work, never because something was slow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"parley.link/parley/bench/media/bare"
	"parley.link/parley/bench/media/serve"
	"parley.link/parley/bench/report"
)

// config is what the command line says.
type config struct {
	root    string
	host    netip.Addr
	serverC int
	loadC   int
	window  time.Duration
	rounds  int
	only    []string
	big     bool
	keep    bool
	self    string // this program
	profile string
	targets []*target
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-media:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "-serve":
			return runServe(ctx, os.Args[2:])
		case "-bare":
			return bare.Child(os.Args[2:])
		}
	}
	c, err := read(os.Args[1:])
	if err != nil {
		return err
	}
	return c.run(ctx)
}

// runServe is the process that is measured as Parley.
func runServe(ctx context.Context, args []string) error {
	var s serve.Config
	f := flag.NewFlagSet("-serve", flag.ContinueOnError)
	f.StringVar(&s.Control, "control", "127.0.0.1:7460", "TCP host:port of the signalling")
	f.StringVar(&s.UDP, "udp", "127.0.0.1:7461", "UDP host:port of media")
	f.StringVar(&s.Party, "party", "", "a or b: which end of the link; none without it")
	f.StringVar(&s.Link, "link", "127.0.0.1:7462", "UDP host:port of the own end of the link")
	f.StringVar(&s.Peer, "peer", "", "UDP host:port of the other end, if this one dials")
	profile := f.String("cpuprofile", "", "write a CPU profile here, until the end")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *profile != "" {
		out, err := os.Create(*profile)
		if err != nil {
			return fmt.Errorf("write the profile: %w", err)
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return fmt.Errorf("write the profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	return serve.Run(ctx, s, func(control, _ net.Addr) { fmt.Println("listening", control) })
}

func read(args []string) (*config, error) {
	c := &config{}
	var host, only, kinds, earlier string
	f := flag.NewFlagSet("bench-media", flag.ContinueOnError)
	f.StringVar(&c.root, "root", ".", "the repository")
	f.StringVar(&host, "host", "127.0.0.1", "IPv4 address of this machine that all media uses")
	f.IntVar(&c.serverC, "server-core", 1, "the core that servers are pinned to")
	f.IntVar(&c.loadC, "load-core", 0, "the core of this program")
	f.DurationVar(&c.window, "window", 10*time.Second, "how long a scenario is measured once it is steady")
	f.IntVar(&c.rounds, "rounds", 3, "how often each scenario is measured; medians are reported")
	f.StringVar(&only, "only", "", "scenarios, separated by commas ("+strings.Join(names(), ", ")+", ramp, link, bare); default all")
	f.StringVar(&kinds, "servers", "", "of the servers that were given, only these kinds; default all")
	f.BoolVar(&c.big, "500", false, "measure 1 → 500 too")
	f.StringVar(&earlier, "before", "", "a build of this program from another commit, whose engine is measured too, in turn with this one's")
	f.StringVar(&c.profile, "cpuprofile", "", "write a CPU profile of our server here (the last that ran: use with -only, -servers parley and -rounds 1)")
	f.BoolVar(&c.keep, "keep", false, "write docs/benchmarks-media.md and its plot")
	us, old := &target{id: own, kind: "parley", name: "Parley"}, &target{id: before, kind: "parley", name: "Parley before"}
	c.targets = append(c.targets, us, old)
	for _, kind := range []string{"galene", "livekit", "janus"} {
		t := &target{id: kind, kind: kind, name: titles[kind]}
		f.StringVar(&t.address, kind, "", "TCP host:port of "+t.name+"'s signalling; without it "+t.name+" is not measured")
		f.StringVar(&t.command, kind+"-run", "", "a command that starts "+t.name+", anew for each measurement; without it the running one is measured")
		f.StringVar(&t.version, kind+"-version", "", "what to call its version, if the server does not tell")
		c.targets = append(c.targets, t)
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var err error
	if c.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if c.host, err = netip.ParseAddr(host); err != nil {
		return nil, fmt.Errorf("-host %s is no address: %w", host, err)
	}
	c.only = strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, o := range c.only {
		if !slices.Contains(append(names(), "ramp", "link", "bare"), o) {
			return nil, fmt.Errorf("-only %s: there is no such scenario; for example -only 1-50,m8,ramp", o)
		}
	}
	if c.rounds < 1 || c.window < time.Second {
		return nil, errors.New("at least one round, and a window of a second")
	}
	us.address = net.JoinHostPort(host, "7460")
	us.command = c.ownCommand(host, "7460", "7461")
	us.version = report.Commit(c.root)
	if earlier != "" {
		old.address, old.command = us.address, strings.Replace(us.command, c.self, earlier, 1)
	}
	wanted := strings.FieldsFunc(kinds, func(r rune) bool { return r == ',' })
	c.targets = slices.DeleteFunc(c.targets, func(t *target) bool {
		return t.address == "" || len(wanted) > 0 && !slices.Contains(wanted, t.id)
	})
	return c, nil
}

var titles = map[string]string{"galene": "Galène", "livekit": "LiveKit", "janus": "Janus"}

// ownCommand starts this program as a server.
func (c *config) ownCommand(host, control, udp string, more ...string) string {
	args := append([]string{"exec", c.self, "-serve", "-control", host + ":" + control, "-udp", host + ":" + udp}, more...)
	if c.profile != "" {
		args = append(args, "-cpuprofile", c.profile)
	}
	return strings.Join(args, " ")
}

func (c *config) wants(name string) bool { return len(c.only) == 0 || slices.Contains(c.only, name) }
