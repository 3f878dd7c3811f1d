package sframe

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(t []byte) error {
	b, err := hex.DecodeString(string(t))
	*h = b
	return err
}

type vector struct {
	Suite     uint16   `json:"cipher_suite"`
	KID       uint64   `json:"kid"`
	CTR       uint64   `json:"ctr"`
	Encoded   hexBytes `json:"encoded"`
	Key       hexBytes `json:"key"`
	BaseKey   hexBytes `json:"base_key"`
	KeyLabel  hexBytes `json:"sframe_key_label"`
	SaltLabel hexBytes `json:"sframe_salt_label"`
	Secret    hexBytes `json:"sframe_secret"`
	FrameKey  hexBytes `json:"sframe_key"`
	Salt      hexBytes `json:"sframe_salt"`
	Metadata  hexBytes `json:"metadata"`
	Nonce     hexBytes `json:"nonce"`
	AAD       hexBytes `json:"aad"`
	PT        hexBytes `json:"pt"`
	CT        hexBytes `json:"ct"`
}

func vectors(t testing.TB, file string) map[string][]vector {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string][]vector
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestHeaderVectors(t *testing.T) {
	all := vectors(t, "test-vectors.json")["header"]
	if len(all) != 289 {
		t.Fatalf("%d vectors, want 289", len(all))
	}
	for _, v := range all {
		if got := AppendHeader(nil, v.KID, v.CTR); !bytes.Equal(got, v.Encoded) {
			t.Fatalf("kid %d ctr %d: %x, want %x", v.KID, v.CTR, got, v.Encoded)
		}
		h, err := ParseHeader(append(v.Encoded, 0xff))
		if want := (Header{v.KID, v.CTR, len(v.Encoded)}); err != nil || h != want {
			t.Fatalf("parse %x: %+v %v", v.Encoded, h, err)
		}
	}
}

// The CTR suites are not in the product: their vectors check labels and derivation here, and the mode by composition.
func TestSFrameVectors(t *testing.T) {
	n := 0
	files := []map[string][]vector{vectors(t, "test-vectors.json"), vectors(t, "test-vectors-aes256.json")}
	for _, m := range files {
		for _, v := range append(m["sframe"], m["sframe_aes_256_ctr_hmac"]...) {
			n++
			h := func() hash.Hash { return sha256.New() }
			if v.Suite >= 5 {
				h = func() hash.Hash { return sha512.New() }
			}
			if got := label("key", v.KID, v.Suite); got != string(v.KeyLabel) {
				t.Fatalf("suite %d: key label %x", v.Suite, got)
			}
			if got := label("salt", v.KID, v.Suite); got != string(v.SaltLabel) {
				t.Fatalf("suite %d: salt label %x", v.Suite, got)
			}
			secret, _ := hkdf.Extract(h, v.BaseKey, nil)
			key, _ := hkdf.Expand(h, secret, string(v.KeyLabel), len(v.FrameKey))
			salt, _ := hkdf.Expand(h, secret, string(v.SaltLabel), nonceSize)
			if !bytes.Equal(secret, v.Secret) || !bytes.Equal(key, v.FrameKey) || !bytes.Equal(salt, v.Salt) {
				t.Fatalf("suite %d: derivation", v.Suite)
			}
			if got := nonce([nonceSize]byte(salt), v.CTR); !bytes.Equal(got[:], v.Nonce) {
				t.Fatalf("suite %d: nonce %x", v.Suite, got)
			}
			header := AppendHeader(nil, v.KID, v.CTR)
			switch v.Suite {
			case 4:
				block, _ := aes.NewCipher(key)
				aead, _ := cipher.NewGCM(block)
				if got := aead.Seal(header, v.Nonce, v.PT, v.AAD); !bytes.Equal(got, v.CT) {
					t.Fatalf("suite 4: %x", got)
				}
			case 5:
				k, err := derive(v.BaseKey, v.KID)
				if err != nil {
					t.Fatal(err)
				}
				got := k.Seal(nil, v.CTR, v.Metadata, v.PT)
				if !bytes.Equal(got, v.CT) {
					t.Fatalf("suite 5: %x, want %x", got, v.CT)
				}
				hd, _ := ParseHeader(got)
				if pt, err := k.Open(nil, hd, v.Metadata, got); err != nil || !bytes.Equal(pt, v.PT) {
					t.Fatalf("suite 5: open: %v", err)
				}
			default:
				if got := ctrHMAC(v.Suite, key, v.Nonce, v.AAD, v.PT); !bytes.Equal(append(header, got...), v.CT) {
					t.Fatalf("suite %d: %x", v.Suite, got)
				}
			}
		}
		for _, v := range append(m["aes_ctr_hmac"], m["aes_256_ctr_hmac"]...) {
			n++
			if got := ctrHMAC(v.Suite, v.Key, v.Nonce, v.AAD, v.PT); !bytes.Equal(got, v.CT) {
				t.Fatalf("suite %d: %x", v.Suite, got)
			}
		}
	}
	if n < 11 {
		t.Fatalf("only %d vectors", n)
	}
}

func ctrHMAC(suite uint16, key, nonce, aad, pt []byte) []byte {
	split, h, tags := 16, sha256.New, []int{10, 8, 4}
	i := int(suite) - 1
	if suite > 5 {
		split, h, i = 32, sha512.New, int(suite)-6
	}
	block, _ := aes.NewCipher(key[:split])
	iv := make([]byte, 16)
	copy(iv, nonce)
	ct := make([]byte, len(pt))
	cipher.NewCTR(block, iv).XORKeyStream(ct, pt)
	mac := hmac.New(h, key[split:])
	for _, n := range []int{len(aad), len(ct), tags[i]} {
		_ = binary.Write(mac, binary.BigEndian, uint64(n))
	}
	mac.Write(nonce)
	mac.Write(aad)
	mac.Write(ct)
	return append(ct, mac.Sum(nil)[:tags[i]]...)
}

func base(n byte) BaseKey {
	k, err := NewBaseKey(bytes.Repeat([]byte{n}, BaseKeySize))
	if err != nil {
		panic(err)
	}
	return k
}

// A leaf is given anew in the commit that follows its holder's removal. The one who was removed keeps the keys of the epochs before, and its node may
// send on what it seals for the newcomer's track.
func TestLeafGivenAnew(t *testing.T) {
	now := time.Unix(1000, 0)
	removed, newcomer, r := NewRing(), NewRing(), NewRing()
	removed.Install(1, 3, base(1), now)
	newcomer.Install(3, 3, base(3), now)
	for e := range uint64(3) {
		r.Install(e+1, 1, base(byte(e+1)), now)
	}
	for _, tt := range []struct {
		from  *Ring
		since uint64
		want  Verdict
	}{{removed, 3, WrongLeaf}, {newcomer, 3, Opened}, {removed, 1, Opened}} {
		if err := tt.from.SendNewest(); err != nil {
			t.Fatal(err)
		}
		f, err := tt.from.Seal(nil, 5, nil, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, v := r.Open(nil, 3, tt.since, 5, nil, f, now); v != tt.want {
			t.Errorf("since %d: %v, want %v", tt.since, v, tt.want)
		}
	}
}

func TestRing(t *testing.T) {
	now := time.Unix(1000, 0)
	s, r := NewRing(), NewRing()
	s.Install(1, 3, base(1), now)
	r.Install(1, 1, base(1), now)
	if _, err := s.Seal(nil, 5, nil, []byte("x")); err != ErrNoSendKey {
		t.Fatal(err)
	}
	if err := s.SendNewest(); err != nil {
		t.Fatal(err)
	}
	seal := func(text string) []byte {
		b, err := s.Seal(nil, 5, []byte("meta"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	open := func(leaf uint32, context uint16, f []byte, after time.Duration) Verdict {
		_, v := r.Open(nil, leaf, 0, context, []byte("meta"), f, now.Add(after))
		return v
	}
	a, b, c := seal("a"), seal("b"), seal("c")
	forged := bytes.Clone(a)
	forged[len(forged)-1] ^= 1
	for _, tt := range []struct {
		name    string
		leaf    uint32
		context uint16
		frame   []byte
		want    Verdict
	}{
		{"wrong leaf", 2, 5, a, WrongLeaf},
		{"wrong context", 3, 6, a, WrongContext},
		{"empty", 3, 5, nil, Malformed},
		{"short", 3, 5, []byte{0xff}, Malformed},
		{"forged", 3, 5, forged, Forged},
		{"opened", 3, 5, a, Opened},
		{"replayed", 3, 5, a, Replayed},
	} {
		if got := open(tt.leaf, tt.context, tt.frame, 0); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	r.Install(2, 1, base(2), now.Add(time.Second))
	if got := open(3, 5, b, 10*time.Second); got != Opened {
		t.Error("old key before 10 s:", got)
	}
	if got := open(3, 5, c, 11*time.Second); got != NoKey {
		t.Error("old key after 10 s:", got)
	}
	s.Install(2, 3, base(2), now)
	if h, _ := ParseHeader(seal("still the old epoch")); uint8(h.KID) != 1 {
		t.Error("sends with the new key before SendNewest")
	}
	s.Stop()
	if _, err := s.Seal(nil, 5, nil, nil); err != ErrStopped {
		t.Error(err)
	}
	_ = s.SendNewest()
	if got := open(3, 5, seal("d"), 11*time.Second); got != Opened {
		t.Error(got)
	}
	if err := s.SendNewest(); err != nil {
		t.Fatal(err)
	}
	if h, _ := ParseHeader(seal("e")); h.CTR != 1 {
		t.Error("counter went back:", h.CTR)
	}
}

func TestWindowAtWrapPoints(t *testing.T) {
	for _, start := range []uint64{0, 1, 63, 64, 1023, 1024, 1 << 31, 1<<32 - 10} {
		var w window
		w.mark(start)
		w.mark(start + 100)
		for _, tt := range []struct {
			ctr  uint64
			want Verdict
		}{{start, Replayed}, {start + 100, Replayed}, {start + 50, Opened}, {start + 101, Opened}} {
			if got := w.check(tt.ctr); got != tt.want {
				t.Errorf("start %d: %d: %v, want %v", start, tt.ctr-start, got, tt.want)
			}
		}
		w.mark(start + ReplayWindow)
		if got := w.check(start); got != TooOld {
			t.Errorf("start %d: %v, want too old", start, got)
		}
		if got := w.check(start + 1); got != Opened {
			t.Errorf("start %d: oldest in the window: %v", start, got)
		}
	}
}

func TestFrames(t *testing.T) {
	key := append([]byte{0x10}, bytes.Repeat([]byte{7}, 99)...)
	delta := append([]byte{0x11}, bytes.Repeat([]byte{7}, 99)...)
	for _, tt := range []struct {
		codec Codec
		key   bool
		frame []byte
		clear int
	}{{Opus, false, key, 0}, {VP9, true, key, 0}, {VP8, true, key, 10}, {VP8, false, delta, 3}, {AV1, true, key, 0}, {AV1, false, delta, 0}} {
		c, secret, err := Split(tt.codec, tt.frame)
		if err != nil || len(c) != tt.clear {
			t.Fatalf("%s: clear %d, %v", tt.codec, len(c), err)
		}
		c2, s2, err := Unwrap(tt.codec, Wrap(tt.codec, tt.key, c, secret))
		if err != nil || !bytes.Equal(c, c2) || !bytes.Equal(secret, s2) {
			t.Fatalf("%s: %v", tt.codec, err)
		}
	}
	if _, err := unwrapOBU([]byte{0x12, 0, 0x32, 2, 9, 9}); err != nil {
		t.Error("sized OBU after a temporal delimiter:", err)
	}
	for _, b := range [][]byte{nil, {0x80}, {0x32, 3, 9, 9}, {0x12, 0}, {0x32, 0x80, 0x80, 0x80, 0x80}} {
		if _, err := unwrapOBU(b); err == nil {
			t.Errorf("%x accepted", b)
		}
	}
	if _, _, err := Split("h264", key); err == nil {
		t.Error("h264 accepted")
	}
}

// web/src/seal/sframe.test.ts expects the same number.
func TestTrackContext(t *testing.T) {
	if got := TrackContext("AAAAAAAAAAAAAAAAAAAAAA"); got != 0x594 {
		t.Fatalf("%#x", got)
	}
}

func TestKID(t *testing.T) {
	k, err := NewKID(4095, 1023, 511)
	if err != nil || k.Uint64() != 1<<30-1 {
		t.Fatal(k, err)
	}
	if got, ok := ParseKID(k.Uint64()); !ok || got != k {
		t.Fatal(got)
	}
	if _, ok := ParseKID(1 << 30); ok {
		t.Fatal("bits outside the layout accepted")
	}
	if _, err := NewKID(4096, 0, 0); err == nil {
		t.Fatal("context accepted")
	}
}

func TestRedacted(t *testing.T) {
	b := base(0x41)
	f, _ := b.Derive(1)
	r := NewRing()
	r.Install(1, 1, b, time.Time{})
	for _, v := range []any{b, &b, f, *f, r, struct{ K BaseKey }{b}, struct{ k BaseKey }{b}} {
		var out strings.Builder
		fmt.Fprintf(&out, "%v %+v %#v %s %x %d", v, v, v, v, v, v)
		j, _ := json.Marshal(v)
		out.Write(j)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", v)
		if s := out.String(); strings.Contains(s, "AAAA") || strings.Contains(s, "4141") || strings.Contains(s, "65 65") || strings.Contains(s, "0x41") {
			t.Errorf("%T shows its key: %s", v, s)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, s := range []string{"00", "ff", "8008", "9901234567", "080800", "7f0102030405060708"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		if got := AppendHeader(nil, h.KID, h.CTR); !bytes.Equal(got, b[:h.Size]) {
			t.Fatalf("%x reads as %+v, written %x", b, h, got)
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	f.Add([]byte{0x12, 0, 0x32, 2, 9, 9})
	f.Add([]byte{0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, c := range []Codec{Opus, VP8, VP9, AV1} {
			_, _, _ = Unwrap(c, b)
		}
	})
}

func FuzzOpen(f *testing.F) {
	r := NewRing()
	r.Install(1, 0, base(1), time.Time{})
	_ = r.SendNewest()
	s, _ := r.Seal(nil, 0, nil, []byte("seed"))
	f.Add(s)
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = r.Open(nil, 0, 0, 0, nil, b, time.Time{}) })
}

func BenchmarkSeal1K(b *testing.B) {
	k, _ := base(1).Derive(1)
	pt := make([]byte, 1024)
	buf := make([]byte, 0, 2048)
	b.SetBytes(1024)
	for i := range b.N {
		k.Seal(buf, uint64(i), nil, pt)
	}
}
