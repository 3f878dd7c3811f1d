package side

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
)

// DelegationFile is the name of the encrypted delegation key in a side's directory.
const DelegationFile = "delegation-key.age"

// Dir is a side's directory on the offline machine.
type Dir struct{ path string }

var (
	// ErrExists is returned where init would overwrite a key: a side's id cannot be had again.
	ErrExists = errors.New("side: a delegation key is already here")
	// ErrTwoOfficers is returned when a third officer would be certified.
	ErrTwoOfficers = errors.New("side: two officers are certified already")
	// ErrWords is returned when the words typed are not those of the device.
	ErrWords = errors.New("side: the words are not those of this device")
)

// Init makes a side: its delegation key, encrypted under a passphrase, and its bundle.
func Init(path string, name map[string]string, language string, pass []byte) (Checked, error) {
	b := Bundle{Version: 1, Name: name, Language: language, Officers: [][]byte{}}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return Checked{}, fmt.Errorf("make the side's directory: %w", err)
	}
	keyFile := filepath.Join(path, DelegationFile)
	if _, err := os.Stat(keyFile); !errors.Is(err, os.ErrNotExist) {
		return Checked{}, fmt.Errorf("%w: %s", ErrExists, keyFile)
	}
	key, err := ident.GenerateDelegation(rand.Reader)
	if err != nil {
		return Checked{}, err
	}
	b.Delegation = canon.Encode(key.Public())
	checked, err := b.Check(time.Now().UnixMilli())
	if err != nil {
		return Checked{}, err
	}
	sealed, err := seal(delegationMark, checked.ID[:], key.Seed(), pass)
	if err != nil {
		return Checked{}, err
	}
	if err := WriteFile(keyFile, sealed, 0o600); err != nil {
		return Checked{}, err
	}
	return checked, WriteFile(filepath.Join(path, BundleFile), b.Text(), 0o644)
}

// Open finds the side in a directory.
func Open(path string) (*Dir, Bundle, error) {
	if _, err := os.Stat(filepath.Join(path, DelegationFile)); err != nil {
		return nil, Bundle{}, fmt.Errorf("find the delegation key: %w", err)
	}
	b, err := ReadBundle(path)
	return &Dir{path}, b, err
}

func (d *Dir) unlock(b Bundle, pass []byte) (ident.Delegation, error) {
	text, err := readBounded(filepath.Join(d.path, DelegationFile))
	if err != nil {
		return ident.Delegation{}, fmt.Errorf("read the delegation key: %w", err)
	}
	seed, err := unseal(delegationMark, text, pass)
	if err != nil {
		return ident.Delegation{}, fmt.Errorf("open the delegation key: %w", err)
	}
	key, err := ident.DelegationFromSeed(seed)
	if err != nil {
		return ident.Delegation{}, fmt.Errorf("open the delegation key: %w", err)
	}
	if !bytes.Equal(canon.Encode(key.Public()), b.Delegation) {
		return ident.Delegation{}, errors.New("side: the delegation key and the bundle of this directory are not of one side")
	}
	return key, nil
}

// CertifyNode certifies a node key for some time from now.
func (d *Dir) CertifyNode(b Bundle, node []byte, valid time.Duration, pass []byte) (Bundle, error) {
	key, err := d.unlock(b, pass)
	if err != nil {
		return b, err
	}
	id := key.Side()
	from, until := span(valid)
	s, err := key.SignNode(ident.NodeCert{Version: ident.Version, Side: id[:], Key: node, From: from, Until: until})
	if err != nil {
		return b, err
	}
	b.Node = canon.Encode(s)
	return b, d.keep(b)
}

// CertifyOfficer certifies an officer's device after its words were compared; typed is what the person at this machine typed of
// the words that the device shows. An officer's new device takes the place of the old one.
func (d *Dir) CertifyOfficer(b Bundle, device []byte, person, name, typed string, valid time.Duration, pass []byte) (Bundle, error) {
	if !WordsMatch(device, typed) {
		return b, ErrWords
	}
	key, err := d.unlock(b, pass)
	if err != nil {
		return b, err
	}
	id := key.Side()
	from, until := span(valid)
	s, err := key.SignOfficer(ident.OfficerCert{Version: ident.Version, Side: id[:], Person: person, Name: name, Device: device, From: from, Until: until})
	if err != nil {
		return b, err
	}
	at := len(b.Officers)
	for i, raw := range b.Officers {
		c, _, err := ident.Open[ident.OfficerCert](raw)
		if err != nil {
			return b, fmt.Errorf("read the bundle: %w", err)
		}
		if c.Person == person {
			at = i
		}
	}
	if at == Officers {
		return b, ErrTwoOfficers
	}
	officers := append([][]byte{}, b.Officers...)
	if at == len(officers) {
		officers = append(officers, nil)
	}
	officers[at] = canon.Encode(s)
	b.Officers = officers
	return b, d.keep(b)
}

func (d *Dir) keep(b Bundle) error {
	if _, err := b.Check(time.Now().UnixMilli()); err != nil {
		return err
	}
	return WriteFile(filepath.Join(d.path, BundleFile), b.Text(), 0o644)
}

// span begins an hour ago: the clock of an offline machine is not the node's.
func span(valid time.Duration) (from, until int64) {
	now := time.Now()
	return now.Add(-time.Hour).UnixMilli(), now.Add(valid).UnixMilli()
}
