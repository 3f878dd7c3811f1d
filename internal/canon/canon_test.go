package canon_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"parley.link/parley/internal/canon"
)

type sample struct {
	V    int               `cbor:"v"`
	Long string            `cbor:"longer"`
	B    []byte            `cbor:"b"`
	L    [][]byte          `cbor:"l"`
	M    map[string]string `cbor:"m"`
	Yes  bool              `cbor:"yes"`
	N    int64             `cbor:"n"`
}

var full = sample{V: 1, Long: "x", B: []byte{1, 2}, L: [][]byte{{}, {3}}, M: map[string]string{"en": "a", "a": "b"}, Yes: true, N: -5}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForm pins the bytes: keys in bytewise order of their encodings (RFC 8949 §4.2.1), nil as empty.
func TestForm(t *testing.T) {
	const want = "a7616242010261" + "6c8240410361" + "6da2616161626265" + "6e6161616e24617601637965" + "73f5666c6f6e6765726178"
	if got := hex.EncodeToString(canon.Encode(full)); got != want {
		t.Errorf("got %s", got)
	}
	if got := hex.EncodeToString(canon.Encode(sample{})); got != "a761624061"+"6c80616da0616e006176006379"+"6573f4666c6f6e67657260" {
		t.Errorf("empty: %s", got)
	}
}

func TestRefused(t *testing.T) {
	type one struct {
		A int `cbor:"a"`
	}
	for name, c := range map[string]string{
		"longer form of a number":    "a161611801",
		"longer form of a length":    "a178016101",
		"longer form of a map head":  "b801616101",
		"indefinite map":             "bf616101ff",
		"two keys alike":             "a2616101616101",
		"a field that is not known":  "a2616101616201",
		"a field missing":            "a0",
		"a tag":                      "a16161c101",
		"a float":                    "a16161f93c00",
		"a big float":                "a16161fb3ff0000000000000",
		"null":                       "a16161f6",
		"undefined":                  "a16161f7",
		"another case of the key":    "a1614101",
		"a byte too many":            "a16161010",
		"a byte after the end":       "a161610100",
		"nothing":                    "",
		"a number beyond 64 bits":    "a16161c249010000000000000000",
		"key as bytes":               "a1416101",
		"text instead of the number": "a161616131",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(c)
			if err != nil {
				b = append(b, 0)
			}
			var v one
			if canon.Decode(b, &v) == nil {
				t.Errorf("%x is accepted", b)
			}
		})
	}
	var v sample
	if err := canon.Decode(unhex(t, "a7616242010261"+"6c8240410361"+"6da2616161626265"+"6e6161616e24617601637965"+"73f5666c6f6e6765726178"), &v); err != nil {
		t.Error(err)
	}
	if err := canon.Decode(unhex(t, "a761624061"+"6c80616da1616162c328616e006176006379"+"6573f4666c6f6e67657260"), &v); err == nil {
		t.Error("text that is not UTF-8 is accepted")
	}
	if err := canon.Decode(make([]byte, canon.MaxBytes+1), &v); !errors.Is(err, canon.ErrTooLarge) {
		t.Error(err)
	}
}

// TestMessage: no two contexts and byte strings have one message.
func TestMessage(t *testing.T) {
	if bytes.Equal(canon.Message("a", []byte("bc")), canon.Message("ab", []byte("c"))) {
		t.Error("a message of one purpose is a message of another")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(canon.Encode(full))
	f.Add(canon.Encode(sample{}))
	f.Add([]byte{0xbf, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v sample
		if canon.Decode(b, &v) == nil && !bytes.Equal(canon.Encode(v), b) {
			t.Errorf("two byte forms of %x", b)
		}
	})
}
