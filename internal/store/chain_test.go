package store

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ledger"
)

var (
	testScope = ledger.Scope{1, 2, 3}
	testOwn   = ledger.Side{0xaa}
	testPeer  = ledger.Side{0xbb}
)

// chain makes turns as a ledger would: each adds one entry; every third one contains the peer's next outbox item, which
// the turn before it received, and every fourth adds an item to the own chain.
type chain struct {
	prev             [32]byte
	next             uint64
	ownPrev, peerPre [32]byte
	ownSeq, peerSeq  uint64
	waiting          []byte
	size             int
}

func (c *chain) item(side ledger.Side, seq *uint64, prev *[32]byte) ledger.Item {
	item := act.Encode(act.Outbox{Version: 1, Scope: testScope[:], Side: side[:], Seq: *seq, Prev: prev[:], Act: []byte{byte(*seq)}})
	it := ledger.Item{Side: side, Seq: *seq, Hash: sha256.Sum256(item), Bytes: act.Encode(act.SignedOutbox{Item: item, Sig: make([]byte, 64)})}
	*prev, *seq = it.Hash, *seq+1
	return it
}

func (c *chain) turn() ledger.Records {
	var r ledger.Records
	e := act.Entry{Version: 1, Scope: testScope[:], Term: 1, Index: c.next, Prev: append([]byte(nil), c.prev[:]...), From: act.ItemAct}
	e.Item = make([]byte, 8+c.size)
	binary.BigEndian.PutUint64(e.Item, c.next)
	if c.waiting != nil {
		e.From, e.Item, c.waiting = act.ItemOutbox, c.waiting, nil
	} else if c.next%3 == 1 {
		it := c.item(testPeer, &c.peerSeq, &c.peerPre)
		r.Items, c.waiting = append(r.Items, it), it.Bytes
	}
	if c.next%4 == 2 {
		r.Items = append(r.Items, c.item(testOwn, &c.ownSeq, &c.ownPrev))
	}
	b := act.Encode(e)
	c.prev = act.Hash(b)
	r.Entries = []ledger.Entry{{Index: c.next, Term: 1, Hash: c.prev, Bytes: b, Sigs: []act.NodeSig{{Side: testOwn[:], Sig: make([]byte, 64)}}}}
	r.Heads = []ledger.HeadSig{{Side: testPeer, Index: c.next, Head: []byte("head"), Sig: []byte("sig")}}
	if c.next%5 == 4 {
		r.Evidence = []ledger.Evidence{{Kind: ledger.AlarmFork, Of: testPeer, At: 5, A: b}}
		r.Promise = &ledger.Promise{Term: c.next, After: c.next, Vote: []byte("vote")}
	}
	c.next++
	return r
}

func open(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// checkLog fails unless the stored log is exactly the first n turns.
func checkLog(t *testing.T, s *Store, n uint64) {
	t.Helper()
	saved, err := s.Load(t.Context(), testScope)
	if err != nil {
		t.Fatal(err)
	}
	if uint64(len(saved.Entries)) != n {
		t.Fatalf("%d entries, want %d", len(saved.Entries), n)
	}
	c := &chain{}
	own, peer := 0, map[uint64]bool{}
	for i := range n {
		r := c.turn()
		if saved.Entries[i].Hash != r.Entries[0].Hash {
			t.Fatalf("entry %d differs", i)
		}
		for _, it := range r.Items {
			if it.Side == testOwn {
				own++
			} else {
				peer[it.Seq] = true
			}
		}
		if c.waiting == nil && i%3 == 2 {
			delete(peer, i/3)
		}
	}
	for _, it := range saved.Items {
		if it.Side == testOwn {
			own--
		} else if !peer[it.Seq] {
			t.Fatalf("peer's item %d is still there", it.Seq)
		} else {
			delete(peer, it.Seq)
		}
	}
	if own != 0 || len(peer) != 0 {
		t.Fatalf("own items off by %d, peer's missing %v", own, peer)
	}
}
