package sim

import (
	"bytes"
	"encoding/binary"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/linkpb"
)

// node is a driver around a real Book: a disk that is slow, a network that loses, clients that come and go.
type node struct {
	s      *sim
	index  int
	side   *sessiontest.Side
	id     ledger.Side
	book   *ledger.Book
	up     bool
	gen    int
	skew   int64
	nonce  uint64
	disk   ledger.Saved
	snap   *ledger.Snapshot
	db     *store.Store // the real thing beside the disk, where a test asks for it
	writes []write      // in order, not yet durable
	wakeAt int64
	waiter map[act.ID]func(ledger.Answer)
	conns  map[*client]bool
	shown  uint64 // entries shown to clients since the start
	full   bool   // disk full
	tamper func(to *node, f *linkpb.LinkFrame) *linkpb.LinkFrame
	boast  func(h *linkpb.Heartbeat)
	dir    string // of db
	away   int64  // how long after a start, or a disconnect, a client is lost
}

type write struct {
	token uint64
	rec   ledger.Records
}

func newNode(s *sim, index int, side *sessiontest.Side) *node {
	return &node{s: s, index: index, side: side, id: ledger.Side(side.ID), away: 2000, disk: ledger.Saved{Scope: s.scope}}
}

func (n *node) clock() int64 { return n.s.now + n.skew }

func (n *node) host() ledger.Host {
	h := ledger.Host{Own: n.id, Key: n.side.Node.Public(), Delegation: canon.Encode(n.side.Delegation.Public())}
	h.Sign, h.Verify = signer(n.side.Node), verify
	h.Nonce = func() (b [act.NonceSize]byte) {
		n.nonce++
		binary.BigEndian.PutUint64(b[8:], n.nonce)
		b[0], b[1] = byte(n.index), byte(n.gen)
		return b
	}
	h.Known = func(s ledger.Side) ([]byte, bool) {
		for _, o := range n.s.nodes {
			if o.id == s {
				return o.side.Node.Public(), true
			}
		}
		return nil, false
	}
	return h
}

// start reads the disk and runs the same code that ran when the entries were new.
func (n *node) start() {
	n.up, n.gen = true, n.gen+1
	n.book = ledger.NewBook(n.host())
	n.waiter, n.conns, n.wakeAt, n.shown = map[act.ID]func(ledger.Answer){}, map[*client]bool{}, 0, uint64(len(n.disk.Entries))
	n.reload()
	n.s.log("node %d starts with %d entries", n.index, len(n.disk.Entries))
	n.beat()
	gen := n.gen
	for _, p := range n.s.people {
		if p.n == n {
			n.s.after(n.away+1500, func() { n.lostIfAway(gen, p) })
		}
	}
	for _, o := range n.s.nodes {
		if o != n && o.up && !n.s.net.cut[pair(n.index, o.index)] {
			o.do(o.book.LinkUp(n.id, o.clock()))
			n.do(n.book.LinkUp(o.id, n.clock()))
		}
	}
}

func (n *node) reload() {
	if len(n.disk.Entries) == 0 {
		return
	}
	if n.db != nil {
		n.reloadStore()
		return
	}
	if err := n.book.Restore(n.withSnapshot(n.disk), n.clock()); err != nil {
		n.s.fail("node %d does not start: %v", n.index, err)
	}
}

// kill ends the process. Of the writes under way some, in order, are in the file and nobody was told.
func (n *node) kill() {
	if !n.up {
		return
	}
	k := n.s.rng.IntN(len(n.writes) + 1)
	for _, w := range n.writes[:k] {
		n.commit(w.rec)
	}
	n.s.log("node %d killed with %d writes under way, %d durable", n.index, len(n.writes), k)
	n.writes, n.up, n.gen = nil, false, n.gen+1
	for c := range n.conns {
		c.disconnected()
	}
	n.conns = nil
}

func (n *node) beat() {
	gen := n.gen
	n.s.after(ledger.HeartbeatEvery, func() {
		if n.gen == gen {
			n.beat()
		}
	})
	for _, o := range n.s.nodes {
		if o == n {
			continue
		}
		h := &linkpb.Heartbeat{Now: n.clock(), Heads: n.book.Heads(o.id, n.clock())}
		if n.boast != nil {
			n.boast(h)
		}
		n.s.net.carry(n, o, func() { o.do(o.book.Heartbeat(n.id, h, o.clock())) })
	}
	n.do(n.book.Tick(n.clock()))
}

func (n *node) ledger() *ledger.Ledger { return n.book.Ledger(n.s.scope) }

func (n *node) state() *session.State {
	if l := n.ledger(); l != nil {
		return l.State()
	}
	return session.New(n.s.scope)
}

// do carries out effects in order.
func (n *node) do(effects []ledger.Scoped) {
	for _, x := range effects {
		switch e := x.Effect.(type) {
		case ledger.Persist:
			n.persist(e)
		case ledger.ToPeer:
			n.s.net.frame(n, e.Side, e.Frame)
		case ledger.ToClients:
			n.publish(e)
		case ledger.Answer:
			n.answer(e)
		case ledger.Alarm:
			n.s.alarms[e.Kind]++
			n.s.log("node %d alarm %s of %x %s", n.index, e.Kind, e.Of[:2], n.s.did[e.Act])
		case ledger.Wake:
			n.wake(e.At)
		}
	}
}

func (n *node) wake(at int64) {
	if n.wakeAt > n.clock() && n.wakeAt <= at {
		return
	}
	n.wakeAt = at
	gen := n.gen
	n.s.after(at-n.clock(), func() {
		if n.gen == gen && n.wakeAt == at {
			n.wakeAt = 0
			n.do(n.book.Tick(n.clock()))
		}
	})
}

// persist writes one turn after the other.
func (n *node) persist(p ledger.Persist) {
	n.writes = append(n.writes, write{p.Token, p.Records})
	if len(n.writes) == 1 {
		n.writeNext()
	}
}

func (n *node) writeNext() {
	gen := n.gen
	n.s.after(n.s.between(0, 3), func() {
		if n.gen != gen || len(n.writes) == 0 {
			return
		}
		w := n.writes[0]
		if n.full {
			n.s.log("node %d disk full", n.index)
			n.writes = nil
			out := n.book.Failed(n.s.scope, w.token, problem.DiskFull)
			n.reload()
			n.do(out)
			return
		}
		n.commit(w.rec)
		n.writes = n.writes[1:]
		if len(n.writes) > 0 {
			n.writeNext()
		}
		n.do(n.book.Persisted(n.s.scope, w.token))
		n.snapshotNow()
	})
}

// commit is what package store does in one transaction.
func (n *node) commit(r ledger.Records) {
	d := &n.disk
	if n.db != nil {
		if err := n.db.Append(n.s.t.Context(), n.s.scope, n.id, r); err != nil {
			n.s.fail("node %d: %v", n.index, err)
		}
	}
	d.Items = append(d.Items, r.Items...)
	for _, e := range r.Entries {
		if e.Index != uint64(len(d.Entries)) {
			n.s.fail("node %d writes entry %d after %d", n.index, e.Index, len(d.Entries))
			return
		}
		if h, ok := n.s.truth[e.Index]; ok && h != e.Hash && n.s.liar == nil {
			n.s.fail("node %d has another entry %d: logs are no prefixes of one another", n.index, e.Index)
		}
		n.s.truth[e.Index] = e.Hash
		d.Entries = append(d.Entries, e)
		n.dropOrdered(e)
	}
	d.Heads = append(d.Heads, r.Heads...)
	d.Evidence = append(d.Evidence, r.Evidence...)
	if r.Promise != nil {
		d.Promise = r.Promise
		if r.Promise.Term == 0 {
			d.Promise = nil
		}
	}
}

func (n *node) dropOrdered(e ledger.Entry) {
	var entry act.Entry
	var so act.SignedOutbox
	var o act.Outbox
	if canon.Decode(e.Bytes, &entry) != nil || entry.From != act.ItemOutbox || canon.Decode(entry.Item, &so) != nil || canon.Decode(so.Item, &o) != nil {
		return
	}
	kept := n.disk.Items[:0]
	for _, it := range n.disk.Items {
		if it.Side == n.id || !bytes.Equal(it.Side[:], o.Side) || it.Seq > o.Seq {
			kept = append(kept, it)
		}
	}
	n.disk.Items = kept
}

// publish checks that nobody hears of what is not durable, then tells the clients to look.
func (n *node) publish(e ledger.ToClients) {
	for _, x := range e.Entries {
		if x.Index != n.shown || x.Index >= uint64(len(n.disk.Entries)) || n.disk.Entries[x.Index].Hash != x.Hash {
			n.s.fail("node %d shows entry %d, shown %d, durable %d", n.index, x.Index, n.shown, len(n.disk.Entries))
		}
		n.shown = x.Index + 1
	}
	for _, c := range n.s.people {
		if n.conns[c] {
			c.notified()
		}
	}
}

func (n *node) answer(a ledger.Answer) {
	if a.Problem == nil && a.Ordered {
		if i, ok := n.s.acked[a.Act]; ok && i != a.Index {
			n.s.fail("act acknowledged at %d and %d", i, a.Index)
		}
		n.s.acked[a.Act] = a.Index
		if n.s.liar == nil || n.s.liar.n != n {
			n.s.ackedBy[a.Act] = ack{n, a.Index}
		}
	} else if a.Problem == nil {
		n.s.kept[a.Act] = true
	}
	if f := n.waiter[a.Act]; f != nil {
		delete(n.waiter, a.Act)
		f(a)
	}
}

// submit gives a client's act to the ledger.
func (n *node) submit(signed []byte, id act.ID, done func(ledger.Answer)) {
	n.waiter[id] = done
	for _, a := range actsIn(act.Encode(act.Entry{From: act.ItemAct, Item: signed})) {
		var b act.Act
		_ = canon.Decode(a.Act, &b)
		n.s.did[id] = b.Kind
	}
	n.do(n.book.Submit(n.s.scope, signed, n.clock()))
}

// lostIfAway is the seat's word that a device has gone.
func (n *node) lostIfAway(gen int, c *client) {
	if n.gen != gen || n.conns[c] || n.ledger() == nil {
		return
	}
	for _, m := range n.state().Present() {
		if m.Person == c.person.ID && bytes.Equal(m.Side, n.side.ID) && bytes.Equal(m.Device, c.person.Device.Public()) {
			n.s.log("node %d: %s is lost", n.index, c.person.ID)
			n.do(scopedOf(n, n.ledger().Lost(m.Join, n.clock())))
		}
	}
}

func scopedOf(n *node, effects []ledger.Effect) []ledger.Scoped {
	var out []ledger.Scoped
	for _, e := range effects {
		out = append(out, ledger.Scoped{Scope: n.s.scope, Effect: e})
	}
	return out
}
