package mlsframe

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"slices"
	"testing"
)

// A member whose key takes nothing would stop every commit after the one that adds it.
func TestUsable(t *testing.T) {
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	dh, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := append(kem.EncapsulationKey().Bytes(), dh.PublicKey().Bytes()...)
	beyond := slices.Clone(good)
	beyond[0], beyond[1] = 0xff, beyond[1]|0x0f // a coefficient of 4095, above q
	small := append(slices.Clone(good[:mlkem.EncapsulationKeySize768]), make([]byte, 32)...)
	for name, c := range map[string]struct {
		key []byte
		ok  bool
	}{
		"good":               {good, true},
		"coefficient beyond": {beyond, false},
		"small order":        {small, false},
		"short":              {good[1:], false},
		"all ones":           {bytes.Repeat([]byte{0xff}, hpkeKeySize), false},
	} {
		if usable(c.key) != c.ok {
			t.Error(name)
		}
	}
}
