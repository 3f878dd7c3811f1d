package sframe

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/frames.json anew")

// golden is a frame as it goes to the packetizer; web/src/seal/golden.test.ts seals and opens the same file.
type golden struct {
	Codec    Codec  `json:"codec"`
	KeyFrame bool   `json:"keyFrame"`
	Track    string `json:"track"`
	Leaf     uint32 `json:"leaf"`
	Epoch    uint64 `json:"epoch"`
	BaseKey  string `json:"baseKey"`
	Frame    string `json:"frame"`
	Wire     string `json:"wire"`
}

func TestGoldenFrames(t *testing.T) {
	const file = "testdata/frames.json"
	key := append([]byte{0x10}, bytes.Repeat([]byte{0xab}, 40)...)
	delta := append([]byte{0x11}, bytes.Repeat([]byte{0xcd}, 40)...)
	var all []golden
	for _, g := range []golden{
		{Codec: Opus, Track: "AAAAAAAAAAAAAAAAAAAAAA", Leaf: 0, Epoch: 0, Frame: hex.EncodeToString(delta)},
		{Codec: VP9, KeyFrame: true, Track: "BBBBBBBBBBBBBBBBBBBBBB", Leaf: 7, Epoch: 1, Frame: hex.EncodeToString(key)},
		{Codec: VP8, KeyFrame: true, Track: "CCCCCCCCCCCCCCCCCCCCCC", Leaf: 127, Epoch: 255, Frame: hex.EncodeToString(key)},
		{Codec: VP8, Track: "CCCCCCCCCCCCCCCCCCCCCC", Leaf: 1023, Epoch: 256, Frame: hex.EncodeToString(delta)},
		{Codec: AV1, KeyFrame: true, Track: "DDDDDDDDDDDDDDDDDDDDDD", Leaf: 3, Epoch: 300, Frame: hex.EncodeToString(key)},
		{Codec: AV1, Track: "DDDDDDDDDDDDDDDDDDDDDD", Leaf: 3, Epoch: 1 << 40, Frame: hex.EncodeToString(delta)},
	} {
		raw := bytes.Repeat([]byte{byte(len(all) + 1)}, BaseKeySize)
		g.BaseKey = hex.EncodeToString(raw)
		base, err := NewBaseKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(0, 0)
		ring := NewRing()
		ring.Install(g.Epoch, g.Leaf, base, now)
		if err := ring.SendNewest(); err != nil {
			t.Fatal(err)
		}
		frame, _ := hex.DecodeString(g.Frame)
		clearPart, secret, err := Split(g.Codec, frame)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := ring.Seal(nil, TrackContext(g.Track), clearPart, secret)
		if err != nil {
			t.Fatal(err)
		}
		wire := Wrap(g.Codec, g.KeyFrame, clearPart, sealed)
		g.Wire = hex.EncodeToString(wire)
		all = append(all, g)

		c, s, err := Unwrap(g.Codec, wire)
		if err != nil {
			t.Fatal(err)
		}
		got, v := ring.Open(nil, g.Leaf, 0, TrackContext(g.Track), c, s, now)
		if v != Opened || !bytes.Equal(append(bytes.Clone(c), got...), frame) {
			t.Fatalf("%s: %v", g.Codec, v)
		}
	}
	want, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s differs from what is sealed now (%v): a change of the wire format? -update writes it", file, err)
	}
}
