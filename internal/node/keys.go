package node

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/side"
)

// Names in the data directory, beside side.BundleFile.
const (
	keyFile    = "node.key"
	secretFile = "link.secret"
	storeFile  = "parley.db"
	socketFile = "admin.sock"

	keyMark = "# parley node key, certified by the side's delegation key "
)

// Key reads the node key, making it on the first start. It is made here and never leaves: what goes to the offline machine is a
// request with the public half.
func Key(dir string) (ident.Key, error) {
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return ident.Key{}, fmt.Errorf("read the node key: %w", err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm()&0o077 != 0 {
		return ident.Key{}, fmt.Errorf("read the node key: %s can be read by others than its owner; chmod 600 it, and if it was ever shared delete it and have a new one certified", path)
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	seed, err := hex.DecodeString(strings.TrimSpace(rest))
	if !strings.HasPrefix(first, keyMark) || err != nil {
		return ident.Key{}, fmt.Errorf("read the node key: %s is not one; restore it from a backup, or delete it and have a new one certified", path)
	}
	key, err := ident.KeyFromSeed(seed)
	if err != nil {
		return ident.Key{}, fmt.Errorf("read the node key: %w", err)
	}
	return key, nil
}

func makeKey(path string) (ident.Key, error) {
	key, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		return ident.Key{}, err
	}
	text := keyMark + hex.EncodeToString(key.Public()) + "\n" + hex.EncodeToString(key.Seed()) + "\n"
	return key, side.WriteFile(path, []byte(text), 0o600)
}

// linkSecret is kept from start to start, so that a peer learns of a crash with the first packet.
func linkSecret(dir string) (link.Secret, error) {
	var s link.Secret
	path := filepath.Join(dir, secretFile)
	b, err := os.ReadFile(path)
	if err == nil && len(b) == len(s) {
		copy(s[:], b)
		return s, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("read the link secret: %w", err)
	}
	if _, err := rand.Read(s[:]); err != nil {
		return s, fmt.Errorf("make the link secret: %w", err)
	}
	return s, side.WriteFile(path, s[:], 0o600)
}
