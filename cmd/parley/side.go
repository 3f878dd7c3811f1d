package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/side"
)

const (
	sideInitAbout = `parley side init DIR: make a side, on a machine that serves nobody

  parley side init velmark --name en=Velmark --name ar=فيلمارك --language en

DIR gets the delegation key, encrypted under a passphrase, and side.parley, which is public. Keep DIR off every serving machine:
whoever has the key and the passphrase can make nodes and officers of this side.
`
	sideNodeAbout = `parley side node-cert DIR --key REQUEST: certify a node

  parley side node-cert velmark --key parley-node-1f0c…-9a3b5c7d
  parley side node-cert velmark --key request.txt

REQUEST is the line that "parley serve --init" shows on the node, or a file that holds it. Then copy DIR/side.parley into the
node's data directory.
`
	sideOfficerAbout = `parley side officer-cert DIR: certify an officer's device

  parley side officer-cert velmark --device 77aa… --person v-chief --name "Ilse Tarn"

The device shows its key (64 hexadecimal digits) and six words. Read the words from the device itself, in person: they are asked
for. A side has two officers; certifying a person again replaces that person's device. Then copy DIR/side.parley to the node.
`
	sideShowAbout = `parley side show DIR: show a side, its officers and its fingerprint

  parley side show velmark
  parley side show /var/lib/parley/side.parley
`
)

const year = 365

func runSideInit(c *call) error {
	name := texts{}
	c.fs.Var(name, "name", "name of the side in a language, as `LANGUAGE=TEXT`; once per language")
	language := c.fs.String("language", "en", "the side's own language")
	file := c.fs.String("passphrase-file", "", "read the passphrase from this `file`")
	if err := c.want("parley side init velmark --name en=Velmark --language en", "DIR"); err != nil {
		return err
	}
	if len(name) == 0 || !ident.IsLanguage(*language) {
		return &node.Fault{What: "A side needs a name and a language", Do: "Give --name once per language, and --language.", Example: "parley side init velmark --name en=Velmark --language en", Exit: node.ExitUsage}
	}
	pass, err := c.passphrase(*file, "the new delegation key", true)
	if err != nil {
		return err
	}
	checked, err := side.Init(c.args[0], name, *language, pass)
	if err != nil {
		return sideFault(err, c.args[0])
	}
	show(c, checked)
	fmt.Fprintf(c.out, `
The delegation key is in %s.
It must never lie on a machine that serves: a node refuses to start when it finds one in its data directory.
Next: on the node "parley serve --init", then here "parley side node-cert %s --key REQUEST".
`, filepath.Join(c.args[0], side.DelegationFile), c.args[0])
	return nil
}

func runSideNode(c *call) error {
	key := c.fs.String("key", "", "the node's `request`, or a file that holds it")
	days := c.fs.Int("days", year, "how long the certificate holds")
	file := c.fs.String("passphrase-file", "", "read the passphrase from this `file`")
	example := "parley side node-cert velmark --key parley-node-…"
	if err := c.want(example, "DIR"); err != nil {
		return err
	}
	line := *key
	if b, err := os.ReadFile(*key); err == nil && len(b) < 4096 {
		line = string(b)
	}
	public, err := side.ParseNodeRequest(line)
	if err != nil {
		return &node.Fault{What: "The node request cannot be read", Err: err, Do: "Copy the whole line that parley serve --init shows on the node.", Example: example, Exit: node.ExitUsage}
	}
	dir, b, err := side.Open(c.args[0])
	if err != nil {
		return sideFault(err, c.args[0])
	}
	pass, err := c.passphrase(*file, "the delegation key", false)
	if err != nil {
		return err
	}
	b, err = dir.CertifyNode(b, public, valid(*days), pass)
	if err != nil {
		return sideFault(err, c.args[0])
	}
	return report(c, b, c.args[0])
}

func runSideOfficer(c *call) error {
	device := c.fs.String("device", "", "the device's public key, 64 hexadecimal `digits`")
	person := c.fs.String("person", "", "the officer's `id` within the side, as v-chief")
	name := c.fs.String("name", "", "the officer's name")
	words := c.fs.String("words", "", "the six `words` that the device shows, for scripts; otherwise they are asked for")
	days := c.fs.Int("days", year, "how long the certificate holds")
	file := c.fs.String("passphrase-file", "", "read the passphrase from this `file`")
	example := `parley side officer-cert velmark --device 77aa… --person v-chief --name "Ilse Tarn"`
	if err := c.want(example, "DIR"); err != nil {
		return err
	}
	public, err := hex.DecodeString(strings.TrimSpace(*device))
	if err != nil || len(public) != 32 {
		return &node.Fault{What: "The device's key is not 64 hexadecimal digits", Do: "Copy it from the device's enrolment page, or from parley person key.", Example: example, Exit: node.ExitUsage}
	}
	if !ident.IsID(*person) || ident.Text(*name, ident.MaxText) != nil {
		return &node.Fault{What: "An officer needs an id (small letters, digits, hyphens) and a name", Do: "Give --person and --name.", Example: example, Exit: node.ExitUsage}
	}
	dir, b, err := side.Open(c.args[0])
	if err != nil {
		return sideFault(err, c.args[0])
	}
	typed := *words
	if typed == "" {
		if typed, err = c.ask("Read the six words from the officer's device itself, and type them: "); err != nil {
			return err
		}
	}
	if !side.WordsMatch(public, typed) {
		return sideFault(side.ErrWords, c.args[0])
	}
	pass, err := c.passphrase(*file, "the delegation key", false)
	if err != nil {
		return err
	}
	b, err = dir.CertifyOfficer(b, public, *person, *name, typed, valid(*days), pass)
	if err != nil {
		return sideFault(err, c.args[0])
	}
	return report(c, b, c.args[0])
}

func runSideShow(c *call) error {
	if err := c.want("parley side show velmark", "DIR"); err != nil {
		return err
	}
	b, err := side.ReadBundle(c.args[0])
	if err != nil {
		return sideFault(err, c.args[0])
	}
	checked, err := b.Check(time.Now().UnixMilli())
	if err != nil {
		return sideFault(err, c.args[0])
	}
	show(c, checked)
	return nil
}

func report(c *call, b side.Bundle, dir string) error {
	checked, err := b.Check(time.Now().UnixMilli())
	if err != nil {
		return sideFault(err, dir)
	}
	show(c, checked)
	fmt.Fprintf(c.out, "\nCopy %s into the node's data directory; a running node takes it within seconds.\n", filepath.Join(dir, side.BundleFile))
	return nil
}

func show(c *call, s side.Checked) {
	for _, lang := range sortedTexts(s.Name) {
		fmt.Fprintf(c.out, "side         %s (%s)\n", s.Name[lang], lang)
	}
	fmt.Fprintf(c.out, "id           %x\n", s.ID)
	if len(s.Node) > 0 {
		fp := ident.Fingerprint(s.Key, s.NodeCert.Key)
		fmt.Fprintf(c.out, "node         %x, until %s\n", s.NodeCert.Key[:8], date(s.NodeCert.Until))
		fmt.Fprintf(c.out, "fingerprint  %s\n             %s\n", fp.Digits, strings.Join(fp.Words, " "))
	} else {
		fp := ident.Fingerprint(s.Key, nil)
		fmt.Fprintf(c.out, "node         none certified yet\nkey          %s\n             %s\n", fp.Digits, strings.Join(fp.Words, " "))
	}
	for _, o := range s.People {
		fmt.Fprintf(c.out, "officer      %s (%s), device %x, until %s\n             %s\n", o.Name, o.Person, o.Device, date(o.Until), strings.Join(ident.DeviceWords(o.Device), " "))
	}
	for i := len(s.People); i < side.Officers; i++ {
		fmt.Fprintln(c.out, "officer      none yet: a side needs two, so that one lost device blocks nobody")
	}
}

func sideFault(err error, dir string) error {
	f := &node.Fault{What: "The side in " + dir + " cannot be used", Err: err, Exit: node.ExitIdentity, Do: "See the error above."}
	switch {
	case errors.Is(err, side.ErrExists):
		f.What, f.Err = "There is a delegation key in "+dir+" already", nil
		f.Means = "It was left as it is: a side's key cannot be had again."
		f.Do = "Choose another directory for another side."
	case errors.Is(err, side.ErrPassphrase):
		f.What, f.Err = "The passphrase does not open the delegation key", nil
		f.Means = "Nothing was changed."
		f.Do = "Try again. Nobody can open the key without it."
	case errors.Is(err, side.ErrWords):
		f.What, f.Err = "The words are not those of this device", nil
		f.Means = "The key that was given is another device's: a slip of the hand, or somebody in between. Nothing was certified."
		f.Do = "Take key and words again from the officer's device itself."
	case errors.Is(err, side.ErrTwoOfficers):
		f.What, f.Err = "Two officers are certified already", nil
		f.Means = "Nothing was changed."
		f.Do = "To replace a device, give the --person of the officer whose device it replaces (see parley side show)."
	case errors.Is(err, os.ErrNotExist):
		f.Means = "There is no side in this directory."
		f.Do = "Give the directory that parley side init made."
		f.Example = "parley side show velmark"
	}
	return f
}

func valid(days int) time.Duration { return time.Duration(days) * 24 * time.Hour }

func date(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02") }
