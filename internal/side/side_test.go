package side

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley.link/parley/internal/ident"
)

func init() { workFactor = 10 }

var names = map[string]string{"en": "Velmark", "ar": "فيلمارك"}

func newKey(t *testing.T) ident.Key {
	t.Helper()
	k, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newSide(t *testing.T) (string, *Dir, Bundle) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "side")
	if _, err := Init(path, names, "en", []byte("pass")); err != nil {
		t.Fatal(err)
	}
	d, b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, d, b
}

func words(k ident.Key) string { return strings.Join(ident.DeviceWords(k.Public()), " ") }

func TestSideFromInitToCard(t *testing.T) {
	path, d, b := newSide(t)
	node := newKey(t)
	pub, err := ParseNodeRequest(NodeRequest(node.Public()) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if b, err = d.CertifyNode(b, pub, 24*time.Hour, []byte("pass")); err != nil {
		t.Fatal(err)
	}
	first, second, third := newKey(t), newKey(t), newKey(t)
	for person, k := range map[string]ident.Key{"v-chief": first, "v-deputy": second} {
		if b, err = d.CertifyOfficer(b, k.Public(), person, "Officer", words(k), 24*time.Hour, []byte("pass")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = d.CertifyOfficer(b, third.Public(), "v-third", "Third", words(third), time.Hour, []byte("pass")); !errors.Is(err, ErrTwoOfficers) {
		t.Fatal("a third officer:", err)
	}
	if b, err = d.CertifyOfficer(b, third.Public(), "v-chief", "Officer", words(third), time.Hour, []byte("pass")); err != nil {
		t.Fatal("a lost device is not replaced:", err)
	}
	again, err := ReadBundle(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	c, err := again.Check(now)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Officer(third.Public(), now); !ok {
		t.Error("the new device is not an officer's")
	}
	if _, ok := c.Officer(first.Public(), now); ok {
		t.Error("the lost device still is")
	}
	raw, err := CardText(Card(c, node, "velmark.example:7443"))
	if err != nil {
		t.Fatal(err)
	}
	card, err := CheckCard(raw, now)
	if err != nil {
		t.Fatal(err)
	}
	if !card.Fingerprint.Matches(ident.Fingerprint(c.Key, node.Public()).Digits) {
		t.Error("fingerprints differ")
	}
	if _, err := CheckCard(CardBytes(c, newKey(t), "x.example:1"), now); err == nil {
		t.Error("a card signed by another key is accepted")
	}
	if _, err := CheckCard(raw, now+48*time.Hour.Milliseconds()); err == nil {
		t.Error("an expired card is accepted")
	}
}

func TestWrongPassphraseAndWords(t *testing.T) {
	path, d, b := newSide(t)
	k := newKey(t)
	if _, err := d.CertifyNode(b, k.Public(), time.Hour, []byte("other")); !errors.Is(err, ErrPassphrase) {
		t.Fatal(err)
	}
	if _, err := d.CertifyOfficer(b, k.Public(), "p", "P", words(newKey(t)), time.Hour, []byte("pass")); !errors.Is(err, ErrWords) {
		t.Fatal(err)
	}
	if _, err := Init(path, names, "en", []byte("pass")); !errors.Is(err, ErrExists) {
		t.Fatal("a second init would overwrite the side:", err)
	}
}

func TestNoPlainSecretOnDisk(t *testing.T) {
	path, d, b := newSide(t)
	key, err := d.unlock(b, []byte("pass"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(path, DelegationFile))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, key.Seed()[:8]) {
		t.Fatal("the seed is in the file")
	}
}

func TestServingDirectoryWithDelegationKeyIsSeen(t *testing.T) {
	path, _, _ := newSide(t)
	data := t.TempDir()
	if _, found := HoldsDelegationKey(data); found {
		t.Fatal("found in an empty directory")
	}
	text, err := os.ReadFile(filepath.Join(path, DelegationFile))
	if err != nil {
		t.Fatal(err)
	}
	// Under any name, in any depth.
	deep := filepath.Join(data, "backup", "old")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deep, "x.txt"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if at, found := HoldsDelegationKey(data); !found || filepath.Base(at) != "x.txt" {
		t.Fatal("not seen", at)
	}
}

func TestDeviceKeyFiles(t *testing.T) {
	dir, k := t.TempDir(), newKey(t)
	pass := func() ([]byte, error) { return []byte("pass"), nil }
	for name, p := range map[string][]byte{"plain": nil, "sealed": []byte("pass")} {
		path := filepath.Join(dir, name)
		if err := WriteDeviceKey(path, k, p); err != nil {
			t.Fatal(err)
		}
		got, err := ReadDeviceKey(path, pass)
		if err != nil || !bytes.Equal(got.Public(), k.Public()) {
			t.Fatal(name, err)
		}
		if err := WriteDeviceKey(path, k, p); !errors.Is(err, ErrExists) {
			t.Fatal("overwritten")
		}
	}
	if err := os.Chmod(filepath.Join(dir, "plain"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDeviceKey(filepath.Join(dir, "plain"), pass); err == nil {
		t.Fatal("a key that others can read is used")
	}
}

func TestRequestCatchesASlip(t *testing.T) {
	r := NodeRequest(newKey(t).Public())
	for _, bad := range []string{"", r[:len(r)-1], strings.Replace(r, "-node-", "-nude-", 1), r[:20] + "z" + r[21:], r + " x"} {
		if _, err := ParseNodeRequest(bad); !errors.Is(err, ErrArmour) {
			t.Errorf("%q accepted", bad)
		}
	}
}

func FuzzTexts(f *testing.F) {
	b := Bundle{Version: 1, Name: names, Language: "en", Officers: [][]byte{}}
	f.Add(b.Text())
	f.Add(armour(armourCard, []byte{0xa0}))
	f.Add([]byte("-----BEGIN PARLEY SIDE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if b, err := DecodeBundle(text); err == nil {
			_, _ = b.Check(0)
			if again, err := DecodeBundle(b.Text()); err != nil || !bytes.Equal(again.Text(), b.Text()) {
				t.Fatal("does not survive a round", err)
			}
		}
		if raw, err := CardText(text); err == nil {
			_, _ = CheckCard(raw, 0)
		}
		_, _ = ParseNodeRequest(string(text))
	})
}
