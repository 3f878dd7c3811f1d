package stage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/side"
)

const validFor = 30 * 24 * time.Hour

// nodeKeyFile is the node key in a data directory.
const nodeKeyFile = "node.key"

// Side is one raised side.
type Side struct {
	Cast     Cast
	ID       []byte
	Ports    Ports
	Data     string // of the node
	Node     *Process
	Officers [side.Officers]ident.Key
	Office   native.Office // of the first officer, once open
	checked  side.Checked
	kept     kept
	offline  string // the directory with the delegation key
	pass     []byte
	sessions Sessions
}

// Address is where the side's people reach their node.
func (s *Side) Address() string { return fmt.Sprintf("http://127.0.0.1:%d", s.Ports.Web) }

// Origin is a persona's own origin: browsers keep keys per origin, so two personas on one machine do not share a device.
func (s *Side) Origin(person string) string {
	return fmt.Sprintf("http://%s.localhost:%d/", person, s.Ports.Web)
}

// kept is what came of the slow work with a delegation key.
type kept struct{ node, bundle []byte }

// found makes the side's keys in dir and the node's directory beside it. With an earlier side it takes that one's instead.
func found(dir, binary string, c Cast, p Ports, announce string, earlier *Side) (*Side, error) {
	s := &Side{Cast: c, Ports: p, Data: filepath.Join(dir, c.ID, "node")}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the node's directory: %w", err)
	}
	s.Node = newProcess(binary, s.Data, p, announce)
	s.Node.args = append(s.Node.args, "--zone", c.Zone)
	if earlier != nil {
		s.Officers, s.kept, s.checked, s.ID = earlier.Officers, earlier.kept, earlier.checked, earlier.ID
		s.offline, s.pass = earlier.offline, earlier.pass
	} else if err := s.certify(filepath.Join(dir, c.ID, "offline")); err != nil {
		return nil, err
	}
	if err := side.WriteFile(filepath.Join(s.Data, nodeKeyFile), s.kept.node, 0o600); err != nil {
		return nil, err
	}
	return s, side.WriteFile(filepath.Join(s.Data, side.BundleFile), s.kept.bundle, 0o644)
}

// certify does the offline machine's work: the side's delegation key, the node's certificate and the officers'.
func (s *Side) certify(offline string) error {
	c := s.Cast
	secret := make([]byte, 24)
	_, _ = rand.Read(secret)
	pass := []byte(hex.EncodeToString(secret))
	if _, err := side.Init(offline, c.Name, c.Language, pass); err != nil {
		return err
	}
	d, b, err := side.Open(offline)
	if err != nil {
		return err
	}
	key, err := node.Key(s.Data)
	if err != nil {
		return err
	}
	if b, err = d.CertifyNode(b, key.Public(), validFor, pass); err != nil {
		return err
	}
	for i := range s.Officers {
		if s.Officers[i], err = ident.GenerateKey(rand.Reader); err != nil {
			return err
		}
		device := s.Officers[i].Public()
		words := fmt.Sprint(ident.DeviceWords(device))
		id := fmt.Sprintf("%s-officer-%d", c.ID, i+1)
		if b, err = d.CertifyOfficer(b, device, id, fmt.Sprintf("Scripted officer %d", i+1), words[1:len(words)-1], validFor, pass); err != nil {
			return err
		}
	}
	s.kept.bundle = b.Text()
	if s.kept.node, err = os.ReadFile(filepath.Join(s.Data, nodeKeyFile)); err != nil {
		return fmt.Errorf("read the node key: %w", err)
	}
	s.offline, s.pass = offline, pass
	if s.checked, err = b.Check(time.Now().UnixMilli()); err != nil {
		return err
	}
	s.ID = s.checked.ID[:]
	return nil
}

// Certify makes a device the side's second officer, on the offline machine, and brings the new bundle to the node.
func (s *Side) Certify(device []byte, person, name string) error {
	d, b, err := side.Open(s.offline)
	if err != nil {
		return err
	}
	// Two officers at most: the second scripted one, who never sat down, makes room.
	b.Officers = b.Officers[:1]
	if b, err = d.CertifyOfficer(b, device, person, name, strings.Join(ident.DeviceWords(device), " "), validFor, s.pass); err != nil {
		return err
	}
	return side.WriteFile(filepath.Join(s.Data, side.BundleFile), b.Text(), 0o644)
}

// open brings the first officer to the node's desk.
func (s *Side) open(ctx context.Context) error {
	d, err := s.OfficerDesk(ctx, 0)
	if err != nil {
		return err
	}
	s.Office = d
	return nil
}

// Reopen brings the first officer back to a node that was away: a desk ends with its socket.
func (s *Side) Reopen(ctx context.Context) error {
	if s.Office.Desk != nil {
		s.Office.Desk.Close()
	}
	return s.open(ctx)
}

// OfficerDesk brings an officer to the node.
func (s *Side) OfficerDesk(ctx context.Context, i int) (native.Office, error) {
	d, err := native.OpenDesk(ctx, native.DeskConfig{Address: s.Address(), Device: s.Officers[i], Language: s.Cast.Language, Build: "native"})
	if err != nil {
		return native.Office{}, fmt.Errorf("bring an officer to %s: %w", s.Cast.ID, err)
	}
	go s.sessions.RunListen(d)
	return native.Office{Desk: d, Author: native.Author{Device: s.Officers[i], Side: s.ID, Now: time.Now}}, nil
}

// State is the phase of a session as this side's node last told its officer.
func (s *Side) State(scope []byte) string { return s.sessions.State(scope) }

// Person finds a part by id.
func (s *Side) Person(id string) (Person, bool) {
	for _, p := range s.Cast.People {
		if p.ID == id {
			return p, true
		}
	}
	return Person{}, false
}

// Accreditation is what the scripted officer signs for a part.
func (s *Side) Accreditation(p Person, device []byte) ident.Accreditation {
	now := time.Now()
	return ident.Accreditation{Person: p.ID, Name: p.Name, Office: p.Office, Role: p.Role, Formats: []string{FormatID}, Device: device,
		From: now.Add(-time.Minute).UnixMilli(), Until: now.Add(validFor / 2).UnixMilli(), Verified: "demonstration"}
}

// Enrol makes a device for a part the ordinary way: the device asks, the officer accredits.
func (s *Side) Enrol(ctx context.Context, p Person) (ident.Key, []byte, error) {
	conf := native.DeskConfig{Address: s.Address(), Language: s.Cast.Language, Build: "native"}
	return Enrol(ctx, s.Office, conf, p.Name["en"], s.Accreditation(p, nil))
}
