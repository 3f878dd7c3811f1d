package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"parley.link/parley/internal/native"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/office"
)

const rehearseAbout = `parley rehearse: rehearse a session with synthetic people, together with the other side's officer

  parley rehearse --node https://parley.velmark.example:8443 --key officer.key --people 5

An officer of each side runs it, each at the own node, in any order. They agree on a session of the status "test"; synthetic people of both
sides come in as any person does, publish a pilot tone and a numbered picture, sealed, and say whom they hear and see, and how late. It ends
when everybody has heard and seen everybody for a while, closes the session, revokes the synthetic people, and prints what was observed at
this side. Their accreditations are for rehearsals alone. The two officers may compare the session fingerprint by another way.
` + personConnect

func runRehearse(c *call) error {
	n := c.connection()
	with := c.fs.String("with", "", "the other `side`, by name or id, when there is more than one link")
	people := c.fs.Int("people", 2, "synthetic people on each side; counts at the side that proposes")
	hold := c.fs.Duration("for", 10*time.Second, "how long everybody must be heard and seen without a break")
	patience := c.fs.Duration("wait", 5*time.Minute, "how long to wait for the other side's officer")
	example := "parley rehearse --node https://parley.velmark.example:8443 --key officer.key"
	if err := c.want(example); err != nil {
		return err
	}
	if *people < 1 || *people > office.MaxPeople || *hold < 0 || *hold > 10*time.Minute || *patience <= 0 {
		return &node.Fault{What: fmt.Sprintf("A rehearsal has 1 to %d people on each side and lasts at most ten minutes", office.MaxPeople), Do: "Give --people and --for within that.", Example: example + " --people 5 --for 30s", Exit: node.ExitUsage}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f, err := c.follow(ctx, n)
	if err != nil {
		return err
	}
	defer f.Close()
	conf, err := n.authority()
	if err != nil {
		return err
	}
	r := office.Rehearsal{Follower: f, Desk: native.DeskConfig{Address: *n.node, TLS: conf}, With: *with, People: *people, Hold: *hold, Patience: *patience,
		Loopback: onLoopback(*n.node), Say: func(s string) { fmt.Fprintln(c.err, visible(s)) }}
	report, err := r.Run(ctx)
	if len(report.Lines) > 0 {
		if err := report.Write(c.out); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return waited(err, "parley rehearse at the other node")
	case !report.Passed:
		return &node.Fault{What: "The rehearsal failed", Means: "At the end: " + visible(report.Why) + ".", Do: "See parley link list and the node's log at both sides, mend it, rehearse again.", Exit: node.ExitRefused}
	}
	return nil
}

// onLoopback says whether the node is on this machine, so that media may go over its loopback addresses.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// waited says what to do when the other side's officer did not come.
func waited(err error, other string) error {
	if !errors.Is(err, office.ErrWait) {
		return err
	}
	return &node.Fault{What: "The other side did not do its part in time", Err: err, Means: "Nothing was changed without it.", Do: "Agree on a time with the other side's officer, who runs " + other + ".", Exit: node.ExitRefused}
}
