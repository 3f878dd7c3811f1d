// Command desk is a scripted officer of one side, for tests over real networks: it speaks with its own node over HTTPS as any client
// does, with a key that `parley person key` made. It reads one JSON order a line and answers each with one JSON line. It can also
// let native people of its side take part, which need an officer to be admitted.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"parley.link/parley/internal/native"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/stage"
)

// order is one line from the test. Scope and To are hexadecimal.
type order struct {
	Do     string     `json:"do"`
	Scope  string     `json:"scope"`
	To     string     `json:"to"`
	Person string     `json:"person"`
	Number int        `json:"number"`
	Seats  [][]string `json:"seats"` // own people, then the other side's, as [person, role]; of convene
	Theirs [][]string `json:"theirs"`
	Canary string     `json:"canary"` // put behind every picture of a native person, before it is sealed
}

type answer struct {
	Scope string  `json:"scope,omitempty"`
	ID    string  `json:"id,omitempty"`
	State string  `json:"state,omitempty"`
	Links []line  `json:"links,omitempty"`
	Facts *facts  `json:"facts,omitempty"`
	Sees  []sight `json:"sees,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "desk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	node := flag.String("node", "", "address of the node")
	authority := flag.String("ca", "", "PEM file of the side's authority; none for a node on this machine without TLS")
	file := flag.String("key", "", "the officer's key file, plain")
	flag.Parse()
	trusts, err := trusting(*authority)
	if err != nil {
		return err
	}
	key, err := side.ReadDeviceKey(*file, func() ([]byte, error) { return nil, errors.New("the key is not plain") })
	if err != nil {
		return err
	}
	conf := native.DeskConfig{Address: *node, TLS: trusts, Device: key, Language: "en", Build: "native"}
	d, err := native.OpenDesk(ctx, conf)
	if err != nil {
		return fmt.Errorf("reach the node: %w", err)
	}
	o := newOfficer(d, conf)
	defer o.close()
	if err := stage.Serve(ctx, os.Stdin, os.Stdout, o.gone, answer{}, o.obey); err != nil {
		return err
	}
	select {
	case <-o.gone:
		return fmt.Errorf("the socket ended: %w", o.Desk.Err())
	default:
		return nil
	}
}

func trusting(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the authority's certificate: %w", errors.Join(err, errors.New("no certificate in it")))
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, nil
}
