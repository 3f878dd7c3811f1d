package web

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A renewed certificate is used without a restart; one that cannot be used does not take the door away.
func TestRenewedCertificate(t *testing.T) {
	dir, now, failed := t.TempDir(), time.Now(), 0
	certFile, keyFile := filepath.Join(dir, "node.pem"), filepath.Join(dir, "node.key")
	put := func(name string, age time.Duration) tls.Certificate {
		t.Helper()
		made := filepath.Join(dir, name)
		if err := os.MkdirAll(made, 0o700); err != nil {
			t.Fatal(err)
		}
		cert, err := SelfSigned(made, []string{"localhost"}, now)
		if err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{"web.pem": certFile, "web.key": keyFile} {
			b, err := os.ReadFile(filepath.Join(made, from))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(to, now.Add(age), now.Add(age)); err != nil {
				t.Fatal(err)
			}
		}
		return cert
	}
	first := put("first", 0)
	conf, err := TLSFiles(certFile, keyFile, func() time.Time { return now }, func(error) { failed++ })
	if err != nil {
		t.Fatal(err)
	}
	shows := func(what string, want tls.Certificate) {
		t.Helper()
		got, err := conf.GetCertificate(nil)
		if err != nil || !bytes.Equal(got.Certificate[0], want.Certificate[0]) {
			t.Errorf("%s: another certificate, %v", what, err)
		}
	}
	shows("at first", first)
	second := put("second", time.Second)
	shows("before it is time to look", first)
	now = now.Add(2 * lookEvery)
	shows("renewed", second)
	if err := os.WriteFile(certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(2 * lookEvery)
		shows("a file that is none", second)
	}
	if failed != 1 {
		t.Errorf("said %d times", failed)
	}
	if _, err := TLSFiles(certFile, keyFile, time.Now, func(error) {}); err == nil {
		t.Error("a node starts with a file that is none")
	}
}
