package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/wire/signalpb"
)

const personConnect = `
The command speaks with the node as any client does, with an officer's device key (parley person key): it needs no access to the
node's machine. --node and --key may stand in PARLEY_NODE and PARLEY_KEY.
`

const (
	personKeyAbout = `parley person key FILE: make a device key for an officer's command line

  parley person key officer.key

It shows the device's key and words; certify it on the offline machine: parley side officer-cert.
`
	personListAbout = `parley person list: show who waits and who is accredited

  parley person list --node https://parley.velmark.example:8443 --key officer.key
` + personConnect
	personWordsAbout = `parley person words DEVICE: show the words of a device key (64 hexadecimal digits), or of an officer's key file

  parley person words officer.key
`
	personAccreditAbout = `parley person accredit ENROLMENT: accredit a person whose words were compared in person

  parley person accredit 3f9a --person v-prin --role principal --name en="Mara Voss" --office en="Minister" --formats plenary

Go to the person. The device shows six words; they are asked for here. Nothing else admits anybody.
` + personConnect
	personDeclineAbout = `parley person decline ENROLMENT: decline an enrolment

  parley person decline 3f9a --reason "not of our delegation"
` + personConnect
	personRevokeAbout = `parley person revoke PERSON: end a person's accreditation, now, in running sessions too

  parley person revoke v-prin --reason "device lost"
` + personConnect
)

// connection are the flags that reach a node as an officer.
type connection struct{ node, key, ca, pass *string }

func (c *call) connection() connection {
	return connection{
		node: c.fs.String("node", os.Getenv("PARLEY_NODE"), "`address` of the node, as https://parley.velmark.example:8443"),
		key:  c.fs.String("key", os.Getenv("PARLEY_KEY"), "the officer's device key `file`"),
		ca:   c.fs.String("ca", "", "PEM `file` with the authority of the node's certificate, or a self-signed certificate itself (web.pem)"),
		pass: c.fs.String("passphrase-file", "", "read the key file's passphrase from this `file`"),
	}
}

// authority is what the node's certificate is checked against; nil is the system's.
func (n connection) authority() (*tls.Config, error) {
	if *n.ca == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(*n.ca)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		return nil, &node.Fault{What: "The authority's certificate cannot be read", Err: err, Do: "Give a PEM file.", Example: "parley person list --node https://parley.velmark.example:8443 --key officer.key --ca web.pem", Exit: node.ExitUsage}
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, nil
}

func (c *call) office(ctx context.Context, n connection) (native.Office, error) {
	var o native.Office
	example := "parley person list --node https://parley.velmark.example:8443 --key officer.key"
	if *n.node == "" || *n.key == "" {
		return o, &node.Fault{What: "The command needs a node and an officer's key", Do: "Give --node and --key, or PARLEY_NODE and PARLEY_KEY.", Example: example, Exit: node.ExitUsage}
	}
	key, err := side.ReadDeviceKey(*n.key, func() ([]byte, error) { return c.passphrase(*n.pass, *n.key, false) })
	if err != nil {
		return o, &node.Fault{What: "The officer's key cannot be used", Err: err, Do: "Give the file that parley person key made.", Example: example, Exit: node.ExitIdentity}
	}
	conf, err := n.authority()
	if err != nil {
		return o, err
	}
	d, err := native.OpenDesk(ctx, native.DeskConfig{Address: *n.node, TLS: conf, Device: key, Language: "en", Build: "parley person"})
	if err != nil {
		return o, fmt.Errorf("reach the node: %w", err)
	}
	o = native.Office{Desk: d, Author: native.Author{Device: key, Side: d.Welcome.Side.Id, Now: time.Now}}
	if !d.Welcome.Officer {
		d.Close()
		return o, &node.Fault{What: "This key is no officer's", Means: "The side's delegation key has not certified it, or the node has not been given the new side.parley.",
			Do: "Certify it on the offline machine, then copy side.parley to the node.", Example: fmt.Sprintf("parley side officer-cert DIR --device %x --person v-chief --name NAME", key.Public()), Exit: node.ExitIdentity}
	}
	return o, nil
}

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 30*time.Second)
}

func runPersonKey(c *call) error {
	plain := c.fs.Bool("plain", false, "no passphrase: the file itself opens the officer's door")
	pass := c.fs.String("passphrase-file", "", "read the passphrase from this `file`")
	if err := c.want("parley person key officer.key", "FILE"); err != nil {
		return err
	}
	var phrase []byte
	var err error
	if !*plain {
		if phrase, err = c.passphrase(*pass, "the new device key", true); err != nil {
			return err
		}
	}
	key, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	if err := side.WriteDeviceKey(c.args[0], key, phrase); err != nil {
		return &node.Fault{What: "The device key cannot be kept", Err: err, Do: "Choose a file that does not exist yet.", Example: "parley person key officer.key", Exit: node.ExitUsage}
	}
	showDevice(c, key.Public())
	return nil
}

func showDevice(c *call, device []byte) {
	fmt.Fprintf(c.out, "device  %x\nwords   %s\n", device, strings.Join(ident.DeviceWords(device), " "))
}

func runPersonWords(c *call) error {
	pass := c.fs.String("passphrase-file", "", "read the key file's passphrase from this `file`")
	if err := c.want("parley person words officer.key", "DEVICE"); err != nil {
		return err
	}
	if b, err := hex.DecodeString(c.args[0]); err == nil && len(b) == 32 {
		showDevice(c, b)
		return nil
	}
	key, err := side.ReadDeviceKey(c.args[0], func() ([]byte, error) { return c.passphrase(*pass, c.args[0], false) })
	if err != nil {
		return &node.Fault{What: "That is neither a device key nor a key file", Err: err, Do: "Give 64 hexadecimal digits, or a file that parley person key made.", Example: "parley person words officer.key", Exit: node.ExitUsage}
	}
	showDevice(c, key.Public())
	return nil
}

func runPersonList(c *call) error {
	n := c.connection()
	if err := c.want("parley person list --node https://localhost:8443 --key officer.key"); err != nil {
		return err
	}
	ctx, cancel := limited()
	defer cancel()
	o, err := c.office(ctx, n)
	if err != nil {
		return err
	}
	defer o.Desk.Close()
	r, err := o.List(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "WAITING\tSAYS OF ITSELF\tSINCE\tWORDS OF ITS DEVICE")
	for _, p := range r.Pending {
		fmt.Fprintf(w, "%x\t%s\t%s\t%s\n", p.Id[:4], visible(p.Name), time.UnixMilli(p.Since).Format("15:04:05"), strings.Join(ident.DeviceWords(p.Device), " "))
	}
	fmt.Fprintln(w, "\nPERSON\tROLE\tUNTIL\tVERIFIED\tSTATE\tDEVICE")
	for _, p := range r.People {
		a, _, err := ident.Open[ident.Accreditation](p.Accreditation)
		if err != nil {
			continue
		}
		state := "away"
		switch {
		case len(p.Revocation) > 0:
			state = "revoked"
		case time.Now().UnixMilli() >= a.Until:
			state = "expired"
		case p.Connected:
			state = "connected"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s, %s\t%s\t%x\n", a.Person, a.Role, date(a.Until), a.Verified, date(a.At), state, a.Device[:4])
	}
	return w.Flush()
}

// visible keeps what a stranger wrote from moving the cursor.
func visible(s string) string { return strings.Trim(fmt.Sprintf("%q", s), `"`) }

// waiting finds an enrolment by the beginning of its id.
func waiting(ctx context.Context, o native.Office, id string) (*signalpb.PendingEnrolment, error) {
	r, err := o.List(ctx)
	if err != nil {
		return nil, err
	}
	var hit *signalpb.PendingEnrolment
	for _, p := range r.Pending {
		if len(id) >= 4 && strings.HasPrefix(hex.EncodeToString(p.Id), strings.ToLower(id)) {
			if hit != nil {
				return nil, &node.Fault{What: "More than one enrolment begins with " + id, Do: "Give more of its id.", Exit: node.ExitUsage}
			}
			hit = p
		}
	}
	if hit == nil {
		return nil, &node.Fault{What: "No waiting enrolment begins with " + id, Do: "See parley person list for the ids (at least four digits).", Example: "parley person accredit 3f9a0c1d …", Exit: node.ExitUsage}
	}
	return hit, nil
}

func runPersonAccredit(c *call) error {
	n := c.connection()
	name, office := texts{}, texts{}
	person := c.fs.String("person", "", "the person's `id` within the side, as v-prin")
	c.fs.Var(name, "name", "the person's name, as `LANGUAGE=TEXT`; once per language")
	c.fs.Var(office, "office", "the person's office, as `LANGUAGE=TEXT`; once per language")
	role := c.fs.String("role", "", "role in a session: principal, adviser, interpreter, …")
	formats := c.fs.String("formats", "plenary", "`formats` the person may sit in, separated by commas")
	days := c.fs.Int("days", 30, "how long the accreditation holds")
	words := c.fs.String("words", "", "the six `words` of the person's device, for scripts; otherwise they are asked for")
	verified := c.fs.String("verified", node.InPerson, "how the words were compared")
	example := `parley person accredit 3f9a --person v-prin --role principal --name en="Mara Voss" --office en="Minister"`
	if err := c.want(example, "ENROLMENT"); err != nil {
		return err
	}
	if !ident.IsID(*person) || !ident.IsRole(*role) || len(name) == 0 || len(office) == 0 {
		return &node.Fault{What: "An accreditation needs a person, a role, a name and an office", Do: "Give --person (small letters, digits, hyphens), --role (a word such as principal, adviser, note_taker, interpreter), --name and --office.", Example: example, Exit: node.ExitUsage}
	}
	ctx, cancel := limited()
	defer cancel()
	o, err := c.office(ctx, n)
	if err != nil {
		return err
	}
	defer o.Desk.Close()
	p, err := waiting(ctx, o, c.args[0])
	if err != nil {
		return err
	}
	if *words == "" {
		if *words, err = c.ask(fmt.Sprintf("%s waits. Read the six words from the person's own device, and type them: ", visible(p.Name))); err != nil {
			return err
		}
	}
	if !side.WordsMatch(p.Device, *words) {
		return &node.Fault{What: "The words are not those of the device that waits", Means: "Somebody else's device may wait under this name. Nobody was accredited.", Do: "Compare again, with the person.", Exit: node.ExitRefused}
	}
	now := time.Now()
	ctx2, cancel2 := limited() // the person may have taken long
	defer cancel2()
	_, err = o.Accredit(ctx2, p.Id, ident.Accreditation{
		Person: *person, Name: name, Office: office, Role: *role, Formats: strings.Split(*formats, ","), Device: p.Device,
		From: now.Add(-time.Minute).UnixMilli(), Until: now.Add(valid(*days)).UnixMilli(), Verified: *verified,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is accredited until %s.\n", *person, date(now.Add(valid(*days)).UnixMilli()))
	return nil
}

func runPersonDecline(c *call) error {
	n := c.connection()
	reason := c.fs.String("reason", "", "what the person is told")
	if err := c.want("parley person decline 3f9a", "ENROLMENT"); err != nil {
		return err
	}
	ctx, cancel := limited()
	defer cancel()
	o, err := c.office(ctx, n)
	if err != nil {
		return err
	}
	defer o.Desk.Close()
	p, err := waiting(ctx, o, c.args[0])
	if err != nil {
		return err
	}
	_, err = o.Desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{
		Ask: &signalpb.Officer_Decline{Decline: &signalpb.Decline{Enrolment: p.Id, Reason: *reason}},
	}}})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "Declined.")
	return nil
}

func runPersonRevoke(c *call) error {
	n := c.connection()
	reason := c.fs.String("reason", "", "why, for the record")
	device := c.fs.String("device", "", "only this device (64 hexadecimal `digits`); otherwise all of the person's")
	if err := c.want("parley person revoke v-prin --reason \"device lost\"", "PERSON"); err != nil {
		return err
	}
	var one []byte
	if *device != "" {
		var err error
		if one, err = hex.DecodeString(*device); err != nil || len(one) != 32 {
			return &node.Fault{What: "The device is not 64 hexadecimal digits", Do: "Copy it whole, or leave it out to end all of the person's devices.", Exit: node.ExitUsage}
		}
	}
	if !ident.IsID(c.args[0]) {
		return &node.Fault{What: "That is no person's id", Do: "See parley person list.", Example: "parley person revoke v-prin", Exit: node.ExitUsage}
	}
	ctx, cancel := limited()
	defer cancel()
	o, err := c.office(ctx, n)
	if err != nil {
		return err
	}
	defer o.Desk.Close()
	// The registry first: the node acts on it at once. Then every log, so that the other side knows too.
	var scopes [][]byte
	for _, s := range o.Desk.Welcome.Sessions {
		if s.State != "closed" && s.State != "planned" {
			scopes = append(scopes, s.Scope)
		}
	}
	if err := o.Revoke(ctx, c.args[0], one, *reason, scopes...); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is revoked: the node has closed the person's devices, and %d session(s) say so.\n", c.args[0], len(scopes))
	return nil
}
