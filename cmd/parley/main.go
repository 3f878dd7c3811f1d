// Command parley runs one side's node, does the work of the delegation key, and speaks for officers and operators.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/problem"
)

const usage = `parley: a protected video link between sides that do not trust each other

  parley serve                 run this side's node
  parley side init             make a side: its delegation key, on a machine that serves nobody
  parley side node-cert        certify a node
  parley side officer-cert     certify an officer's device, after comparing its words
  parley side show             show a side and its fingerprint
  parley link card             write this node's link card
  parley link add              take the other side's link card
  parley link verify           compare its fingerprint by hand, which lets the link come up
  parley link list             show the links
  parley person key            make a device key for an officer's command line
  parley person list           show who waits and who is accredited
  parley person words          show the words of a device
  parley person accredit       accredit a person whose words were compared
  parley person decline        decline an enrolment
  parley person revoke         end a person's accreditation, now
  parley session list          show the sessions
  parley session term          let another side's node order a session, with an officer of every side
  parley rehearse              rehearse with synthetic people, together with the other side's officer
  parley version               show the version

Each command explains itself: parley serve --help. The whole way is in docs/running.md.
`

// command is one word of the command line, or two.
type command struct {
	name  string
	about string // usage text before the flags
	run   func(c *call) error
}

// call is one run of a command: its flags, its arguments, its ends.
type call struct {
	fs   *flag.FlagSet
	args []string
	in   *os.File
	out  io.Writer
	err  io.Writer

	config *config.FlagValues // of commands that read the configuration
}

// parse reads flags wherever they stand among the arguments, as people write them.
func (c *call) parse() error {
	var rest []string
	args := c.args
	for {
		if err := c.fs.Parse(args); err != nil {
			return err
		}
		args = c.fs.Args()
		if len(args) == 0 {
			c.args = rest
			return nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// want names the arguments that must be there, no more and no fewer.
func (c *call) want(example string, names ...string) error {
	if err := c.parse(); err != nil {
		return err
	}
	if len(c.args) != len(names) {
		return &node.Fault{What: fmt.Sprintf("%s wants %d argument(s): %s", c.fs.Name(), len(names), strings.Join(names, " ")),
			Do: "Give them, or see --help.", Example: example, Exit: node.ExitUsage}
	}
	return nil
}

var commands = []command{
	{"serve", serveAbout, runServe},
	{"side init", sideInitAbout, runSideInit},
	{"side node-cert", sideNodeAbout, runSideNode},
	{"side officer-cert", sideOfficerAbout, runSideOfficer},
	{"side show", sideShowAbout, runSideShow},
	{"link card", linkCardAbout, runLinkCard},
	{"link add", linkAddAbout, runLinkAdd},
	{"link verify", linkVerifyAbout, runLinkVerify},
	{"link list", linkListAbout, runLinkList},
	{"person key", personKeyAbout, runPersonKey},
	{"person list", personListAbout, runPersonList},
	{"person words", personWordsAbout, runPersonWords},
	{"person accredit", personAccreditAbout, runPersonAccredit},
	{"person decline", personDeclineAbout, runPersonDecline},
	{"person revoke", personRevokeAbout, runPersonRevoke},
	{"session list", sessionListAbout, runSessionList},
	{"session term", sessionTermAbout, runSessionTerm},
	{"rehearse", rehearseAbout, runRehearse},
	{"version", "parley version: show the version", func(c *call) error {
		if err := c.want("parley version"); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "parley "+config.Version)
		return nil
	}},
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in *os.File, out, errs io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Fprint(out, usage)
		return 0
	}
	cmd, rest, ok := find(args)
	if !ok {
		fmt.Fprintf(errs, "parley: there is no command %q\n  the commands: parley help\n", strings.Join(args[:min(2, len(args))], " "))
		return node.ExitUsage
	}
	fs := flag.NewFlagSet("parley "+cmd.name, flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.Usage = func() {
		fmt.Fprintln(errs, cmd.about)
		fs.PrintDefaults()
	}
	err := cmd.run(&call{fs: fs, args: rest, in: in, out: out, err: errs})
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case isFlagError(err, fs):
		return node.ExitUsage
	}
	fmt.Fprintf(errs, "parley %s: %v\n", cmd.name, explain(err))
	return node.ExitCode(err)
}

// isFlagError: package flag has said it already, with the usage.
func isFlagError(err error, fs *flag.FlagSet) bool {
	return !fs.Parsed() && !errors.As(err, new(*node.Fault)) || strings.HasPrefix(err.Error(), "flag provided but not defined") || strings.HasPrefix(err.Error(), "invalid value")
}

func find(args []string) (command, []string, bool) {
	for _, c := range commands {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return c, args[len(words):], true
		}
	}
	return command{}, nil, false
}

// explain puts a sentence to the problem codes that a command line meets.
func explain(err error) string {
	text := err.Error()
	var f *node.Fault
	var c *config.Error
	if errors.As(err, &f) || errors.As(err, &c) {
		return text
	}
	if s, ok := sentences[problem.CodeOf(err)]; ok {
		text += "\n  " + s
	}
	return text
}

var sentences = map[problem.Code]string{
	problem.FingerprintWrong:      "The digits are not those of the card that is kept. Nothing was stored. Compare again with the other side, in person or by a voice you know; if they still differ, somebody has exchanged the card.",
	problem.LinkUnknownKey:        "There is no (single) link card of that side. See parley link list; name a side by its name or by the beginning of its id.",
	problem.BadSignature:          "The file was altered, or was not made by the side that it names. Nothing was stored.",
	problem.NotOfficer:            "This device has no officer's certificate. Certify it on the offline machine: parley side officer-cert DIR --device HEX --person ID --name NAME, then copy side.parley to the node.",
	problem.AlreadyDone:           "There is no such enrolment that still waits. See parley person list.",
	problem.AccreditationRevoked:  "A newer revocation ends it.",
	problem.ClockOff:              "The clocks of this machine and of the node differ by more than two seconds. Set them, then try again.",
	problem.NotYours:              "This belongs to another side or another officer.",
	problem.TooMany:               "The node has as many of these as it takes. Decide on what waits first.",
	problem.AccreditationExpired:  "Its validity has ended: make a new one.",
	problem.AccreditationAltered:  "Its signature does not hold.",
	problem.WrongVersion:          "The node speaks another version of the protocol. Use the parley binary of the node.",
	problem.NodeStopping:          "The node is stopping. Try again when it runs.",
	problem.ReplacedByOtherDevice: "The same device key was used from somewhere else at the same time.",
}
