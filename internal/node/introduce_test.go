package node

import (
	"bytes"
	"context"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/native"
)

// An officer who is replaced while the link is up is known to the other side at once: its next plan would else name a device that is
// gone. A false introduction changes nothing.
func TestOfficerReplacedWhileTheLinkIsUp(t *testing.T) {
	w := newWorld(t)
	desk := w.b.officer(0)
	defer desk.Desk.Close()
	known := func() [][]byte {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		l, err := desk.List(ctx)
		must(t, err)
		p, err := native.PeerIntroduction(l.Links[0])
		must(t, err)
		return p.Officers
	}
	k := newKey(t)
	w.a.officers[1] = k
	await(t, "the new officer, on the other side", func() bool {
		w.a.certify(w.a.node.key.Public()) // the time of the file changes with each copy
		for _, o := range known() {
			if bytes.Contains(o, k.Public()) {
				return true
			}
		}
		return false
	})

	before := known()
	forged := act.PlanSide{}
	must(t, canon.Decode(w.a.node.introduction(), &forged))
	forged.Officers = [][]byte{append([]byte{}, forged.Officers[0]...), append([]byte{}, forged.Officers[1]...)}
	forged.Officers[0][len(forged.Officers[0])-1] ^= 1
	w.b.node.introduced(context.Background(), w.a.id, act.Encode(forged))
	w.b.node.introduced(context.Background(), w.a.id, []byte("nonsense"))
	w.b.node.introduced(context.Background(), w.a.id, w.b.node.introduction()) // another's
	if after := known(); len(after) != len(before) || !bytes.Equal(after[0], before[0]) {
		t.Error("a false introduction was believed")
	}
}
