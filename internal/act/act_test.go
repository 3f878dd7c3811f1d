package act_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
)

// TestBytes pins the bytes and hash of an entry, as docs/protocol.md shows them.
func TestBytes(t *testing.T) {
	e := act.Entry{Version: 1, Scope: make([]byte, 32), Term: 1, Prev: make([]byte, 32), At: 1000, From: act.ItemAct, Item: []byte{1}}
	b := act.Encode(e)
	const want = "a8617601626174" + "1903e864" + "66726f6d63616374" + "646974656d4101" + "6470726576" + "5820" +
		"0000000000000000000000000000000000000000000000000000000000000000" + "647465726d01" + "65696e64657800" + "6573636f7065" + "5820" +
		"0000000000000000000000000000000000000000000000000000000000000000"
	if hex.EncodeToString(b) != want {
		t.Errorf("bytes %x", b)
	}
	h := act.Hash(b)
	if got := hex.EncodeToString(h[:]); got != "e7ba4d7f0b24bd870cffc2162e798f18f86f2ee4e53096fdc5a092e3f84888b6" {
		t.Errorf("hash %s", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(act.Encode(act.Entry{Version: 1, Scope: make([]byte, 32), Prev: make([]byte, 32)}))
	f.Add(act.Encode(act.Act{Version: 1, Kind: act.KindMute, Body: act.Encode(act.Mute{Track: "x"})}))
	f.Add(act.Encode(act.Plan{Profile: act.Profile, Sides: []act.PlanSide{{}}, Format: act.Format{Seats: []act.Seat{{}}}}))
	f.Add(act.Encode(act.Commit{Adds: [][]byte{{1}}, Removes: []uint32{1, 2}}))
	f.Add(act.Encode(act.Term{Others: [][]byte{{1}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []any{&act.Entry{}, &act.Act{}, &act.Signed{}, &act.Head{}, &act.Outbox{}, &act.SignedOutbox{}, &act.Plan{}, &act.Commit{}, &act.Term{}, &act.Join{}, &act.Admit{}, &act.Extend{}} {
			if canon.Decode(b, v) == nil && !bytes.Equal(act.Encode(v), b) {
				t.Errorf("%T: two byte forms", v)
			}
		}
	})
}
