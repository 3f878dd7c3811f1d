package side

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"parley.link/parley/internal/ident"
)

// Marks are the first line of a file that holds a secret, so that a machine can say what it is without opening it.
const (
	delegationMark = "# parley delegation key, keep it off every serving machine; side "
	deviceMark     = "# parley device key "
)

// workFactor is scrypt's log2(N) (RFC 7914): about a second here.
var workFactor = 18

// ErrPassphrase is returned for a wrong or an empty passphrase.
var ErrPassphrase = errors.New("side: the passphrase does not open it")

func seal(mark string, id, secret, pass []byte) ([]byte, error) {
	if len(pass) == 0 {
		return nil, ErrPassphrase
	}
	to, err := age.NewScryptRecipient(string(pass))
	if err != nil {
		return nil, fmt.Errorf("seal under the passphrase: %w", err)
	}
	to.SetWorkFactor(workFactor)
	var out bytes.Buffer
	out.WriteString(mark + hex.EncodeToString(id) + "\n")
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, to)
	if err != nil {
		return nil, fmt.Errorf("seal under the passphrase: %w", err)
	}
	if _, err := io.WriteString(w, hex.EncodeToString(secret)+"\n"); err != nil {
		return nil, fmt.Errorf("seal under the passphrase: %w", err)
	}
	if err := errors.Join(w.Close(), text.Close()); err != nil {
		return nil, fmt.Errorf("seal under the passphrase: %w", err)
	}
	return out.Bytes(), nil
}

func unseal(mark string, text, pass []byte) ([]byte, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if !strings.HasPrefix(string(first), mark) {
		return nil, fmt.Errorf("%w: its first line is not %q…", ErrArmour, mark)
	}
	with, err := age.NewScryptIdentity(string(pass))
	if err != nil {
		return nil, ErrPassphrase
	}
	with.SetMaxWorkFactor(22)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(rest)), with)
	if err != nil {
		var no *age.NoIdentityMatchError
		if errors.As(err, &no) {
			return nil, ErrPassphrase
		}
		return nil, fmt.Errorf("open with the passphrase: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return nil, fmt.Errorf("open with the passphrase: %w", err)
	}
	return hex.DecodeString(strings.TrimSpace(string(plain)))
}

// HoldsDelegationKey looks for a delegation key in a directory that is to serve. Whoever breaks into a node must not find there
// what makes nodes and officers.
func HoldsDelegationKey(dir string) (string, bool) {
	found := ""
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what cannot be read is not served either; sockets and the like hold no key
		}
		if filepath.Base(path) == DelegationFile || startsWith(path, delegationMark) {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found, found != ""
}

func startsWith(path, mark string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	b := make([]byte, len(mark))
	_, err = io.ReadFull(f, b)
	return err == nil && string(b) == mark
}

// WriteDeviceKey keeps a device key in a file: sealed under a passphrase, or, with none, plain and readable by its owner only.
func WriteDeviceKey(path string, key ident.Key, pass []byte) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrExists, path)
	}
	if len(pass) > 0 {
		b, err := seal(deviceMark, key.Public(), key.Seed(), pass)
		if err != nil {
			return err
		}
		return WriteFile(path, b, 0o600)
	}
	return WriteFile(path, []byte(deviceMark+hex.EncodeToString(key.Public())+"\n"+hex.EncodeToString(key.Seed())+"\n"), 0o600)
}

// ReadDeviceKey reads a device key file; pass is asked only if the file is sealed.
func ReadDeviceKey(path string, pass func() ([]byte, error)) (ident.Key, error) {
	text, err := readBounded(path)
	if err != nil {
		return ident.Key{}, fmt.Errorf("read the device key: %w", err)
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if !strings.HasPrefix(string(first), deviceMark) {
		return ident.Key{}, fmt.Errorf("read the device key: %w: its first line is not %q…", ErrArmour, deviceMark)
	}
	var seed []byte
	if bytes.HasPrefix(rest, []byte(armor.Header)) {
		p, err := pass()
		if err != nil {
			return ident.Key{}, err
		}
		if seed, err = unseal(deviceMark, text, p); err != nil {
			return ident.Key{}, fmt.Errorf("open the device key: %w", err)
		}
	} else {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm()&0o077 != 0 {
			return ident.Key{}, fmt.Errorf("read the device key: %s can be read by others than its owner; chmod 600 it, and if it was ever shared make a new one", path)
		}
		if seed, err = hex.DecodeString(strings.TrimSpace(string(rest))); err != nil {
			return ident.Key{}, fmt.Errorf("read the device key: %w", ErrArmour)
		}
	}
	key, err := ident.KeyFromSeed(seed)
	if err != nil {
		return ident.Key{}, fmt.Errorf("read the device key: %w", err)
	}
	return key, nil
}
