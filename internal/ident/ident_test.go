package ident_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

func seeded(n int, size int) []byte {
	return bytes.Repeat([]byte{byte(n)}, size)
}

func key(t testing.TB, n int) ident.Key {
	k, err := ident.KeyFromSeed(seeded(n, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func delegation(t testing.TB, n int) ident.Delegation {
	d, err := ident.DelegationFromSeed(seeded(n, ident.DelegationSeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSecretsArePrintedNowhere tries every way in which a key could slip into a log.
func TestSecretsArePrintedNowhere(t *testing.T) {
	k, d := key(t, 7), delegation(t, 9)
	for name, v := range map[string]any{
		"key": k, "key pointer": &k, "delegation": d, "delegation pointer": &d,
		"in a struct": struct {
			K ident.Key
			D ident.Delegation
		}{k, d},
		"in a slice": []ident.Key{k}, "in a map": map[string]ident.Delegation{"x": d},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
				fmt.Fprintf(&out, verb+"\n", v)
			}
			j, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(j)
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", v)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", v)
			fmt.Fprint(&out, fmt.Errorf("with %v", v))
			if !strings.Contains(out.String(), "redacted") {
				t.Error("not marked as redacted:", out.String())
			}
			for _, n := range []string{"07 07", "0707", "7 7 7", "BwcH", "09 09", "0909", "9 9 9", "CQkJ", "7, 7", "9, 9", "0x7, 0x7", "0x9, 0x9"} {
				if strings.Contains(strings.ToLower(out.String()), strings.ToLower(n)) {
					t.Errorf("the seed shows as %q in %s", n, out.String())
				}
			}
		})
	}
}

// house is one side with one officer certified and one person accredited.
type house struct {
	root    ident.Delegation
	officer ident.Key
	person  ident.Key
	chain   ident.Chain
	acc     ident.Accreditation
}

const now = 1_000_000

func newHouse(t testing.TB) house {
	h := house{root: delegation(t, 1), officer: key(t, 2), person: key(t, 3)}
	side := h.root.Side()
	cert, err := h.root.SignOfficer(ident.OfficerCert{Version: 1, Side: side[:], Person: "officer-1", Name: "Officer",
		Device: h.officer.Public(), From: 0, Until: 2 * now})
	if err != nil {
		t.Fatal(err)
	}
	h.chain = ident.Chain{Delegation: h.root.Public(), Officers: [][]byte{canon.Encode(cert)}}
	h.acc = ident.Accreditation{Version: 1, Side: side[:], Person: "prin", Name: map[string]string{"en": "Ada", "ar": "آدا"},
		Office: map[string]string{"en": "Minister"}, Role: "principal", Formats: []string{"restricted"}, Device: h.person.Public(),
		From: now - 10, Until: now + 10, Verified: "in-person", At: now - 5, By: h.officer.Public()}
	return h
}

func (h house) sign(change func(*ident.Accreditation), signer ident.Key) []byte {
	a := h.acc
	change(&a)
	return canon.Encode(signer.SignBody(ident.ContextAccreditation, a))
}

func TestVerifyAccreditation(t *testing.T) {
	h := newHouse(t)
	same := func(*ident.Accreditation) {}
	good := h.sign(same, h.officer)
	side := h.root.Side()
	revoked := h.chain
	revoked.Revocations = []ident.Revocation{{Side: side[:], Person: "prin", At: now}}
	other := h.chain
	other.Revocations = []ident.Revocation{{Side: side[:], Person: "prin", Device: key(t, 8).Public(), At: now}, {Side: side[:], Person: "prin", At: now - 6}}
	halfSigned := h.chain
	var cert ident.Signed
	if err := canon.Decode(h.chain.Officers[0], &cert); err != nil {
		t.Fatal(err)
	}
	cert.MLDSA65[0] ^= 1
	halfSigned.Officers = [][]byte{canon.Encode(cert)}
	foreign := h.chain
	foreign.Delegation = delegation(t, 5).Public()
	for _, c := range []struct {
		name   string
		signed []byte
		chain  ident.Chain
		device []byte
		now    int64
		want   problem.Code
	}{
		{"good", good, h.chain, h.person.Public(), now, ""},
		{"first moment", good, h.chain, h.person.Public(), now - 10, ""},
		{"a moment early", good, h.chain, h.person.Public(), now - 11, problem.AccreditationEarly},
		{"last moment", good, h.chain, h.person.Public(), now + 9, ""},
		{"a moment late", good, h.chain, h.person.Public(), now + 10, problem.AccreditationExpired},
		{"of another side", good, foreign, h.person.Public(), now, problem.AccreditationForeign},
		{"by an unknown officer", h.sign(func(a *ident.Accreditation) { a.By = key(t, 6).Public() }, key(t, 6)), h.chain, h.person.Public(), now, problem.AccreditationForeign},
		{"in the officer's name", h.sign(same, key(t, 6)), h.chain, h.person.Public(), now, problem.AccreditationAltered},
		{"on another device", good, h.chain, key(t, 6).Public(), now, problem.AccreditationDevice},
		{"revoked", good, revoked, h.person.Public(), now, problem.AccreditationRevoked},
		{"other device revoked, or before", good, other, h.person.Public(), now, ""},
		{"officer's certificate with one good signature of two", good, halfSigned, h.person.Public(), now, problem.AccreditationAltered},
		{"bytes cut", good[:len(good)-1], h.chain, h.person.Public(), now, problem.Malformed},
		{"no bytes", nil, h.chain, h.person.Public(), now, problem.Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ident.VerifyAccreditation(c.signed, c.chain, c.device, c.now)
			if c.want == "" && err != nil || c.want != "" && problem.CodeOf(err) != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestEveryBitOfAnAccreditationCounts flips each bit: none of the results may be accepted.
func TestEveryBitOfAnAccreditationCounts(t *testing.T) {
	h := newHouse(t)
	good := h.sign(func(*ident.Accreditation) {}, h.officer)
	h.chain.Officers = h.chain.Officers[:1]
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := ident.VerifyAccreditation(bad, h.chain, h.person.Public(), now); err == nil {
			t.Fatalf("accepted with byte %d changed", i)
		}
	}
}

func TestSignaturesHaveOnePurpose(t *testing.T) {
	k := key(t, 4)
	sig := k.Sign(ident.ContextSession, []byte("x"))
	if err := ident.VerifyEd25519(k.Public(), ident.ContextSession, []byte("x"), sig); err != nil {
		t.Fatal(err)
	}
	for _, context := range []string{ident.ContextNode, ident.ContextAccreditation, "parley session-cert v", ""} {
		if err := ident.VerifyEd25519(k.Public(), context, []byte("x"), sig); !errors.Is(err, ident.ErrSignature) {
			t.Errorf("a session signature is accepted as %q", context)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		in   string
		good bool
	}{
		{"Ada Lovelace", true}, {"وزيرة الخارجية", true}, {"José", true}, {"李明", true}, {"Ж. О’Нил", true}, {"A-1 (deputy)", true},
		{"", false}, {strings.Repeat("x", ident.MaxText), true}, {strings.Repeat("x", ident.MaxText+1), false},
		{" Ada", false}, {"Ada ", false}, {"A\nB", false}, {"A\tB", false}, {"A\x7fB", false}, {"A\u0085B", false},
		{"A\u200bB", false}, {"A\u200dB", false}, {"A\u202eB", false}, {"A\u2066B", false}, {"A\u061cB", false}, {"\ufeffA", false},
		{"A\u00adB", false}, {"A\u3164B", false}, {"A\U000e0041B", false}, {"A\ufe0fB", false}, {"A\xffB", false}, {"A\u00a0B", false},
	} {
		if err := ident.Text(c.in, ident.MaxText); (err == nil) != c.good {
			t.Errorf("%q: %v", c.in, err)
		}
	}
}

// TestWords: the list is the published one, and four letters tell its words apart.
func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for i := range 2048 {
		w := ident.Words([]byte{byte(i >> 3), byte(i << 5)}, 1)[0]
		p := w[:min(4, len(w))]
		if seen[p] {
			t.Fatalf("%s: its first letters are another word's", w)
		}
		seen[p] = true
	}
	if got := ident.Words([]byte{0, 0, 0}, 2); got[0] != "abandon" || got[1] != "abandon" {
		t.Error(got)
	}
	if got := ident.Words([]byte{0xff, 0xff, 0xff}, 1); got[0] != "zoo" {
		t.Error(got)
	}
}

// TestFingerprint pins the values that TypeScript pins too (web/src/words/fingerprint.test.ts).
func TestFingerprint(t *testing.T) {
	f := ident.Fingerprint(delegation(t, 1).Public(), key(t, 2).Public())
	if want := fingerprintDigits; f.Digits != want {
		t.Errorf("digits %q, want %q", f.Digits, want)
	}
	if got := strings.Join(f.Words, " "); got != fingerprintWords {
		t.Errorf("words %q", got)
	}
	if got := strings.Join(ident.DeviceWords(key(t, 3).Public()), " "); got != deviceWords {
		t.Errorf("device words %q", got)
	}
	if ident.Fingerprint(delegation(t, 1).Public(), key(t, 3).Public()).Digits == f.Digits {
		t.Error("a swapped node key has the same fingerprint")
	}
	if ident.Fingerprint(delegation(t, 2).Public(), key(t, 2).Public()).Digits == f.Digits {
		t.Error("a swapped delegation key has the same fingerprint")
	}
	for typed, want := range map[string]bool{
		f.Digits: true, strings.ReplaceAll(f.Digits, " ", ""): true, strings.ReplaceAll(f.Digits, " ", "-"): true, " " + f.Digits + "\n": true,
		strings.ToUpper(strings.Join(f.Words, "  ")): true, "": false, f.Digits[:20]: false, "12345": false,
	} {
		if f.Matches(typed) != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
}

// TestPairWords pins what TypeScript pins too (web/src/words/words.test.ts).
func TestPairWords(t *testing.T) {
	a, b := [32]byte(seeded(1, 32)), [32]byte(seeded(2, 32))
	got := strings.Join(ident.PairWords(a, b), " ")
	if got != pairWords {
		t.Errorf("words %q", got)
	}
	if strings.Join(ident.PairWords(b, a), " ") != got {
		t.Error("the two sides read different words")
	}
	if strings.Join(ident.PairWords(a, [32]byte(seeded(3, 32))), " ") == got {
		t.Error("another side has the same words")
	}
}

func TestRandomKeys(t *testing.T) {
	d, err := ident.GenerateDelegation(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ident.DelegationFromSeed(d.Seed())
	if err != nil || again.Side() != d.Side() {
		t.Error("a delegation key does not come back from its seed", err)
	}
	s, err := d.SignNode(ident.NodeCert{Version: 1, Side: seeded(1, 32), Key: seeded(2, 32), From: 0, Until: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := ident.VerifyDelegation(s, ident.ContextNode, d.Public()); err != nil {
		t.Error(err)
	}
	for name, broken := range map[string]ident.Signed{
		"without ML-DSA":  {Body: s.Body, Ed25519: s.Ed25519},
		"without Ed25519": {Body: s.Body, MLDSA65: s.MLDSA65},
		"neither":         {Body: s.Body},
	} {
		if ident.VerifyDelegation(broken, ident.ContextNode, d.Public()) == nil {
			t.Error("accepted", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	h := newHouse(f)
	f.Add(h.sign(func(*ident.Accreditation) {}, h.officer))
	f.Add(h.chain.Officers[0])
	f.Add(canon.Encode(h.root.Public()))
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.Signed](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.DelegationKey](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.Accreditation](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.OfficerCert](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.NodeCert](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.SessionCert](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.Revocation](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.LinkCard](b); return v, err })
		again(t, b, func() (any, error) { v, err := ident.Decode[ident.Leaf](b); return v, err })
		_, _ = ident.VerifyAccreditation(b, h.chain, h.person.Public(), now)
	})
}

func again(t *testing.T, b []byte, decode func() (any, error)) {
	v, err := decode()
	if err == nil && !bytes.Equal(canon.Encode(v), b) {
		t.Errorf("%T: two byte forms", v)
	}
}

const (
	fingerprintDigits = "52550 10549 99427 47323 24371 39969 63162 81006"
	fingerprintWords  = "member fire book tourist cloth click"
	pairWords         = "dance faculty utility around entry labor"
	deviceWords       = "nasty stomach urge grunt sample real"
)
