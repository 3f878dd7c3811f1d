package sim

import (
	"bytes"
	"reflect"

	"google.golang.org/protobuf/proto"
	"parley.link/parley/internal/ledger"
)

// resumed counts the starts from a snapshot that were compared with the whole replay.
var resumed int

// snapshotNow keeps a snapshot every few entries, as the node does; where, depends on the seed and the log, so that the faults hit every place.
func (n *node) snapshotNow() {
	l := n.ledger()
	if l == nil || len(n.disk.Entries)%(3+int(n.s.seed%5)+n.index) != 0 {
		return
	}
	if p, ok := l.Snapshot(); ok {
		if p.Index >= uint64(len(n.disk.Entries)) || n.disk.Entries[p.Index].Hash != p.Hash {
			n.s.fail("node %d: a snapshot of what is not durable", n.index)
		}
		n.snap = &p
	}
}

// withSnapshot adds the snapshot to what the disk holds and proves that it changes nothing.
func (n *node) withSnapshot(saved ledger.Saved) ledger.Saved {
	if n.snap == nil || n.snap.Index >= uint64(len(saved.Entries)) {
		return saved // a disk of yesterday, where a test asks for it
	}
	cfg := n.host().Config
	cfg.Scope, cfg.Own, cfg.Key = n.s.scope, n.id, n.side.Node.Public()
	full, err := ledger.Replay(cfg, saved, n.clock())
	saved.Snapshot = n.snap
	fast, err2 := ledger.Replay(cfg, saved, n.clock())
	if err != nil || err2 != nil {
		n.s.fail("node %d: replay %v, with a snapshot %v", n.index, err, err2)
		return saved
	}
	if k, ignored := fast.Resumed(); ignored != nil || k != n.snap.Index+1 {
		n.s.fail("node %d: snapshot not used: %d, %v", n.index, k, ignored)
	}
	same := bytes.Equal(full.State().Summary(), fast.State().Summary()) && reflect.DeepEqual(full.Entries(0), fast.Entries(0)) &&
		reflect.DeepEqual(full.Outbox(), fast.Outbox()) && reflect.DeepEqual(full.Votes(), fast.Votes()) && reflect.DeepEqual(full.Evidence(), fast.Evidence())
	for _, o := range n.s.nodes {
		same = same && proto.Equal(full.Head(o.id), fast.Head(o.id))
	}
	a, _ := full.Snapshot()
	b, _ := fast.Snapshot()
	if !same || !bytes.Equal(a.State, b.State) {
		n.s.fail("node %d: another state with the snapshot", n.index)
	}
	resumed++
	return saved
}
