// Package side does the work of the delegation key, on a machine that serves nobody: it makes the key, certifies node and
// officers, and writes the public bundle that the node is given. It also reads and writes the small text files of a side:
// node requests, link cards, device keys.
package side

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
)

// BundleFile is the name of the public bundle, in a side's directory and in the node's data directory.
const BundleFile = "side.parley"

// Armour types.
const (
	armourBundle = "PARLEY SIDE"
	armourCard   = "PARLEY LINK CARD"
)

// maxArmour bounds a text file that is read whole.
const maxArmour = 256 << 10

// ErrArmour is returned for a text that is not the one expected armour and nothing else.
var ErrArmour = errors.New("side: not the expected block of text")

// Bundle is all that a node must know of its own side. It holds no secret.
type Bundle struct {
	Version    int               `cbor:"v"`
	Name       map[string]string `cbor:"name"`
	Language   string            `cbor:"language"`
	Delegation []byte            `cbor:"delegation"` // canonical ident.DelegationKey
	Node       []byte            `cbor:"node"`       // canonical ident.Signed of a NodeCert; empty until certified
	Officers   [][]byte          `cbor:"officers"`   // canonical ident.Signed of OfficerCerts, at most two
}

// Officers of one side: two, so that one lost device blocks nobody.
const Officers = 2

// Checked is a bundle whose chain was verified at some time.
type Checked struct {
	Bundle
	ID       [32]byte
	Key      ident.DelegationKey
	NodeCert ident.NodeCert // zero until certified
	People   []ident.OfficerCert
}

// Check verifies every certificate against the delegation key, the node's at now (ms). An officer's is verified as of its own
// beginning: one that has ended signs nothing more, but what it signed in its time stands.
func (b Bundle) Check(now int64) (Checked, error) {
	c := Checked{Bundle: b}
	if b.Version != 1 || len(b.Officers) > Officers || !ident.IsLanguage(b.Language) {
		return c, fmt.Errorf("check side bundle: %w", ident.ErrBounds)
	}
	if err := ident.Texts(b.Name, ident.MaxText); err != nil {
		return c, fmt.Errorf("check the side's name: %w", err)
	}
	key, err := ident.Decode[ident.DelegationKey](b.Delegation)
	if err != nil {
		return c, fmt.Errorf("check the delegation key: %w", err)
	}
	c.Key, c.ID = key, ident.SideID(key)
	if len(b.Node) > 0 {
		if c.NodeCert, err = ident.VerifyNode(b.Node, key, now); err != nil {
			return c, fmt.Errorf("check the node certificate: %w", err)
		}
	}
	for _, o := range b.Officers {
		cert, _, err := ident.Open[ident.OfficerCert](o)
		if err == nil {
			cert, err = ident.VerifyOfficer(o, key, cert.From)
		}
		if err != nil {
			return c, fmt.Errorf("check the officer's certificate of %q: %w", cert.Person, err)
		}
		c.People = append(c.People, cert)
	}
	return c, nil
}

// Chain is what accreditations of this side are checked against.
func (c Checked) Chain(revocations []ident.Revocation) ident.Chain {
	return ident.Chain{Delegation: c.Key, Officers: c.Officers, Revocations: revocations}
}

// Officer returns the certificate of an officer's device, if it is in force at now (ms).
func (c Checked) Officer(device []byte, now int64) (ident.OfficerCert, bool) {
	for _, o := range c.People {
		if bytes.Equal(o.Device, device) && ident.InForce(o.From, o.Until, now) == nil {
			return o, true
		}
	}
	return ident.OfficerCert{}, false
}

// ReadBundle reads a bundle file, or the one in a directory.
func ReadBundle(path string) (Bundle, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, BundleFile)
	}
	text, err := readBounded(path)
	if err != nil {
		return Bundle{}, fmt.Errorf("read the side's bundle: %w", err)
	}
	return DecodeBundle(text)
}

// DecodeBundle reads a bundle from its text.
func DecodeBundle(text []byte) (Bundle, error) {
	var b Bundle
	raw, err := unarmour(text, armourBundle)
	if err != nil {
		return b, fmt.Errorf("read the side's bundle: %w", err)
	}
	if err := canon.Decode(raw, &b); err != nil {
		return b, fmt.Errorf("read the side's bundle: %w", err)
	}
	return b, nil
}

// Text is the bundle as a file.
func (b Bundle) Text() []byte { return armour(armourBundle, canon.Encode(b)) }

func armour(kind string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}

// unarmour accepts exactly one block: text around it, which a person might take for part of it, is refused.
func unarmour(text []byte, kind string) ([]byte, error) {
	if len(text) > maxArmour {
		return nil, canon.ErrTooLarge
	}
	text = bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	if !bytes.HasPrefix(text, []byte("-----BEGIN "+kind+"-----\n")) {
		return nil, fmt.Errorf("%w: it must begin with -----BEGIN %s-----", ErrArmour, kind)
	}
	block, rest := pem.Decode(append(text, '\n'))
	if block == nil || block.Type != kind || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: one block of type %s and nothing else", ErrArmour, kind)
	}
	return block.Bytes, nil
}

func readBounded(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxArmour {
		return nil, fmt.Errorf("%s: %w", path, canon.ErrTooLarge)
	}
	return os.ReadFile(path)
}

// WriteFile replaces a file in one step: a crash leaves the old or the new, never half.
func WriteFile(path string, b []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer os.Remove(f.Name())
	err = errors.Join(f.Chmod(mode), write(f, b), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func write(f *os.File, b []byte) error { _, err := f.Write(b); return err }
