package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/office"
)

const (
	sessionListAbout = `parley session list: show the sessions that this node has

  parley session list --node https://parley.velmark.example:8443 --key officer.key
` + personConnect
	sessionTermAbout = `parley session term SESSION: let another side's node order a session, by consent of every side

  parley session term 3f9a --to Qasran

When the node that orders holds acts back or breaks the rules, nothing elects another: an officer of every side runs this
command with the same side, each at the own node, within the same minutes. Each signs one exact point of the log; the side that takes
over puts the signatures together. Nothing that anybody was told is lost. A session can also be given back.
` + personConnect
)

func runSessionList(c *call) error {
	n := c.connection()
	if err := c.want("parley session list --node https://localhost:8443 --key officer.key"); err != nil {
		return err
	}
	ctx, cancel := limited()
	defer cancel()
	o, err := c.office(ctx, n)
	if err != nil {
		return err
	}
	defer o.Desk.Close()
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tTITLE\tSTATE\tSTATUS\tUNTIL")
	for _, s := range o.Desk.Welcome.Sessions {
		if len(s.Scope) != act.ScopeSize {
			continue
		}
		fmt.Fprintf(w, "%x\t%s\t%s\t%s\t%s\n", s.Scope[:8], visible(textOf(s.Title, "")), visible(s.State), visible(s.Status), date(s.Until))
	}
	return w.Flush()
}

func runSessionTerm(c *call) error {
	n := c.connection()
	to := c.fs.String("to", "", "the `side` whose node is to order, by name or the beginning of its id")
	patience := c.fs.Duration("wait", 5*time.Minute, "how long to wait for the officers of the other sides")
	example := "parley session term 3f9a --to Qasran"
	if err := c.want(example, "SESSION"); err != nil {
		return err
	}
	if *to == "" || *patience <= 0 {
		return &node.Fault{What: "The side that is to order must be named", Do: "Give --to with its name.", Example: example, Exit: node.ExitUsage}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f, err := c.follow(ctx, n)
	if err != nil {
		return err
	}
	defer f.Close()
	scope, err := sessionOf(f.Office, c.args[0])
	if err != nil {
		return err
	}
	if err := f.Watch(ctx, scope); err != nil {
		return err
	}
	side, err := f.SideNamed(*to)
	if err != nil {
		return &node.Fault{What: "No side of this session has that name", Do: "Give its name as the plan has it, or the beginning of its id.", Example: example, Exit: node.ExitUsage}
	}
	if !bytes.Equal(side, f.Office.Author.Side) {
		fmt.Fprintln(c.err, "Voting; the officer of that side runs the same command.")
	}
	term, err := f.NewTerm(ctx, side, *patience)
	if err != nil {
		return waited(err, "parley session term with the same side")
	}
	fmt.Fprintf(c.out, "Term %d: the node of %s orders.\n", term, *to)
	return nil
}

// follow is office for a command that reads on what the node tells.
func (c *call) follow(ctx context.Context, n connection) (*office.Follower, error) {
	o, err := c.office(ctx, n)
	if err != nil {
		return nil, err
	}
	return office.Follow(o), nil
}

// sessionOf finds a session by the beginning of its id.
func sessionOf(o native.Office, id string) ([]byte, error) {
	var hit []byte
	for _, s := range o.Desk.Welcome.Sessions {
		if len(id) >= 4 && strings.HasPrefix(hex.EncodeToString(s.Scope), strings.ToLower(id)) {
			if hit != nil {
				return nil, &node.Fault{What: "More than one session begins with " + id, Do: "Give more of its id.", Exit: node.ExitUsage}
			}
			hit = s.Scope
		}
	}
	if hit == nil {
		return nil, &node.Fault{What: "No session begins with " + id, Do: "See parley session list for the ids (at least four digits).", Example: "parley session term 3f9a0c1d --to Qasran", Exit: node.ExitUsage}
	}
	return hit, nil
}
