package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/side"
)

const (
	linkCardAbout = `parley link card: write this node's link card, for the other side

  parley link card --data /var/lib/parley --address parley.velmark.example:7443 > velmark.card

The card is public. It reaches the other side by any way; what counts is that both compare its fingerprint by hand.
`
	linkAddAbout = `parley link add FILE: take the other side's link card

  parley link add qasran.card --data /var/lib/parley
  parley link add qasran.card --address 203.0.113.9:7443

The link does not come up before its fingerprint was compared: parley link verify.
`
	linkVerifyAbout = `parley link verify SIDE: compare the other side's fingerprint by hand

  parley link verify Qasran --by "Ilse Tarn"

The other side's people read their fingerprint from "parley side show" or "parley serve", in person or by a voice you know. You
type it here. A wrong one stores nothing.
`
	linkListAbout = `parley link list: show the links of this node

The words of the two sides are the same at both, and the same in every session, until a delegation key changes.
`
)

// admin finds the running node of a data directory, or opens its store.
func admin(ctx context.Context, c *call) (node.LinkAdmin, func(), error) {
	cfg, err := config.Load(c.config, os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	running, err := node.DialAdmin(cfg.Data)
	if err == nil {
		return running, func() {}, nil
	}
	l, release, err := node.Offline(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return l, func() { _ = release() }, nil
}

func runLinkCard(c *call) error {
	c.config = config.Flags(c.fs)
	address := c.fs.String("address", "", "`host:port` where the other side's node reaches this one (default: link.announce)")
	if err := c.want("parley link card --address parley.velmark.example:7443"); err != nil {
		return err
	}
	ctx := context.Background()
	l, done, err := admin(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	text, err := l.Card(ctx, *address)
	if errors.Is(err, node.ErrNoAnnounce) {
		return &node.Fault{What: "The card needs an address that the other side's node can reach", Do: "Give --address, or set link.announce.", Example: "parley link card --address parley.velmark.example:7443", Exit: node.ExitConfig}
	}
	if err != nil {
		return err
	}
	_, err = c.out.Write(text)
	return err
}

func runLinkAdd(c *call) error {
	c.config = config.Flags(c.fs)
	address := c.fs.String("address", "", "`host:port` of the other side's node, when it is not the card's")
	if err := c.want("parley link add qasran.card", "FILE"); err != nil {
		return err
	}
	text, err := os.ReadFile(c.args[0])
	if err != nil {
		return &node.Fault{What: "The link card cannot be read", Err: err, Do: "Give the file that the other side sent.", Example: "parley link add qasran.card", Exit: node.ExitUsage}
	}
	ctx := context.Background()
	l, done, err := admin(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	line, err := l.AddCard(ctx, text, *address)
	if errors.Is(err, side.ErrArmour) {
		return &node.Fault{What: "The file is not a link card", Err: err, Means: "Nothing was stored.", Do: "Ask the other side for the whole output of parley link card.", Exit: node.ExitRefused}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Kept the card of %s (id %.16s…), not verified. Now compare its fingerprint:\n  parley link verify %.16s\n", nameOf(line), line.Side, line.Side)
	return nil
}

func runLinkVerify(c *call) error {
	c.config = config.Flags(c.fs)
	by := c.fs.String("by", "", "`who` compared (name)")
	how := c.fs.String("how", node.InPerson, "`in-person`, or demonstration for a demonstration")
	typed := c.fs.String("fingerprint", "", "the `digits`, for scripts; otherwise they are asked for")
	if err := c.want("parley link verify Qasran --by \"Ilse Tarn\"", "SIDE"); err != nil {
		return err
	}
	if *by == "" {
		return &node.Fault{What: "Who compares must be recorded", Do: "Give --by with your name.", Example: "parley link verify Qasran --by \"Ilse Tarn\"", Exit: node.ExitUsage}
	}
	ctx := context.Background()
	l, done, err := admin(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	line, err := l.VerifyCard(ctx, c.args[0], *how, *by, "")
	if err != nil {
		return err
	}
	if *typed == "" {
		if *typed, err = c.ask(fmt.Sprintf("Type the fingerprint of %s (8 groups of 5 digits), as they read it to you: ", nameOf(line))); err != nil {
			return err
		}
	}
	if *typed == "" {
		return &node.Fault{What: "No fingerprint was typed", Means: "Nothing was stored.", Do: "Type the digits that the other side reads to you.", Exit: node.ExitUsage}
	}
	if line, err = l.VerifyCard(ctx, line.Side, *how, *by, *typed); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "The link with %s is verified (%s, by %s).\n", nameOf(line), line.Verified, line.VerifiedBy)
	return nil
}

func runLinkList(c *call) error {
	c.config = config.Flags(c.fs)
	if err := c.want("parley link list"); err != nil {
		return err
	}
	ctx := context.Background()
	l, done, err := admin(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	lines, err := l.ListCards(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SIDE\tID\tSTATE\tROUND TRIP\tVERIFIED\tWORDS OF THE TWO SIDES\tPROBLEM")
	for _, x := range lines {
		state, rtt, verified := x.State, "-", "NOT VERIFIED"
		if !x.Running {
			state = "node not running"
		}
		if x.RTT > 0 {
			rtt = (time.Duration(x.RTT) * time.Microsecond).Round(100 * time.Microsecond).String()
		}
		if x.VerifiedAt > 0 {
			verified = fmt.Sprintf("%s, %s, by %s", x.Verified, date(x.VerifiedAt), x.VerifiedBy)
		}
		fmt.Fprintf(w, "%s\t%.16s\t%s\t%s\t%s\t%s\t%s\n", nameOf(x), x.Side, state, rtt, verified, strings.Join(x.Words, " "), x.Problem)
	}
	return w.Flush()
}

func nameOf(l node.LinkLine) string { return visible(textOf(l.Name, l.Side)) }

// textOf is a text in English, or in the first language that it has, or what stands for none.
func textOf(texts map[string]string, none string) string {
	if t := texts["en"]; t != "" {
		return t
	}
	for _, lang := range sortedTexts(texts) {
		return texts[lang]
	}
	return none
}

func sortedTexts(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
