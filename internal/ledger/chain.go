package ledger

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
)

// chain is one side's outbox as this node holds it. Of the own side it holds everything, because peers may ask for it; of
// the others only what no entry contains yet.
type chain struct {
	items []Item
	next  uint64   // seq after the last item held or ordered
	last  [32]byte // its hash
	done  uint64   // seq after the last item ordered
	bad   bool     // an item that the rules refuse: nothing after it can be ordered
	own   bool
	since int64 // when the first waiting item began to wait (own chain)
	named bool  // held back was named
	stood bool  // and suspended for
}

func (l *Ledger) chain(s Side) *chain {
	c := l.chains[s]
	if c == nil {
		c = &chain{own: s == l.cfg.Own}
		l.chains[s] = c
	}
	return c
}

func (c *chain) add(it Item) {
	c.items = append(c.items, it)
	c.next, c.last = it.Seq+1, it.Hash
}

// ordered notes that an entry contains the item.
func (c *chain) ordered(it Item) {
	c.done = it.Seq + 1
	c.since, c.named, c.stood = 0, false, false
	if c.next < c.done {
		c.next, c.last = c.done, it.Hash
		if c.own {
			c.items = append(c.items, it) // a node that lost its tail learns its own items from the log
		}
	}
	if !c.own {
		for len(c.items) > 0 && c.items[0].Seq < c.done {
			c.items = c.items[1:]
		}
	}
}

// waiting are the items that no entry contains.
func (c *chain) waiting() []Item {
	for i := range c.items {
		if c.items[i].Seq >= c.done {
			return c.items[i:]
		}
	}
	return nil
}

// at returns a held item by its place.
func (c *chain) at(seq uint64) (Item, bool) {
	if len(c.items) == 0 || seq < c.items[0].Seq || seq-c.items[0].Seq >= uint64(len(c.items)) {
		return Item{}, false
	}
	return c.items[seq-c.items[0].Seq], true
}

// putOutbox appends a unilateral act to the own chain: durable, then in effect here, then pushed. Nothing a peer does delays
// it. Its effect is the overlay; the sequencer's entry later replaces the overlay and changes nothing.
func (l *Ledger) putOutbox(p parsed, now int64) error {
	c := l.chain(l.cfg.Own)
	o := act.Outbox{Version: act.Version, Scope: l.cfg.Scope[:], Side: l.cfg.Own[:], Seq: c.next, Prev: c.last[:], At: now, Act: p.bytes}
	item := act.Encode(o)
	so := act.SignedOutbox{Item: item, Sig: l.cfg.Sign(act.ContextOutbox, item)}
	checks, err := l.state.OverlayChecks(so)
	if err != nil {
		return err
	}
	if err := l.cfg.Verify(checks); err != nil {
		return err
	}
	if err := l.state.Overlay(so); err != nil {
		return err
	}
	it, _, _, err := parseItem(act.Encode(so))
	if err != nil {
		return err
	}
	if len(c.waiting()) == 0 {
		c.since = now
	}
	c.add(it)
	l.turns.rec.Items = append(l.turns.rec.Items, it)
	l.say(ToClients{Outbox: [][]byte{it.Bytes}})
	l.broadcast(frameOutbox(l.cfg.Scope, it))
	return nil
}

// replayItem puts a stored item back: the own ones that are not ordered are in effect again. It is checked as when it was new, by its node's
// signature, its place and its author's: whoever changes the file between two starts could otherwise have this node put something in effect,
// or give out something in its own chain, that nobody signed. (Leaving items out needs no forging, and is not seen here.)
func (l *Ledger) replayItem(it Item) error {
	read, o, so, err := parseItem(it.Bytes)
	if err != nil {
		return err
	}
	c := l.chain(it.Side)
	switch {
	case read.Side != it.Side, read.Seq != it.Seq, read.Hash != it.Hash, Scope(o.Scope) != l.cfg.Scope:
		return problem.New(problem.OutOfOrder, "what", "outbox")
	case it.Seq < c.done:
		return nil // ordered: the log has it by value, for peers that ask
	case !l.signedItem(it.Side, so):
		return problem.New(problem.BadSignature, "what", "outbox")
	case it.Seq != c.next, [32]byte(o.Prev) != c.last:
		// Its node signed two chains and the log holds the other (a liar's, or ours after a disk of yesterday): it is nothing of this one.
		return nil
	}
	if c.own {
		p, err := parse(o.Act)
		if err != nil {
			return err
		}
		if err := l.verify(p.Key, act.ContextAct, p.signed.Act, p.signed.Sig, problem.BadSignature); err != nil {
			return err
		}
		_ = l.state.Overlay(so) // the rules may have overtaken it meanwhile; it is ordered all the same, as void
	}
	c.add(it)
	return nil
}

// replayHead puts a stored countersignature back, checked likewise.
func (l *Ledger) replayHead(h HeadSig) error {
	p := l.peers[h.Side]
	var head act.Head
	if p == nil || canon.Decode(h.Head, &head) != nil || head.Index != h.Index || h.Index >= uint64(len(l.log)) {
		return problem.New(problem.OutOfOrder, "what", "head")
	}
	if Scope(pad(head.Scope)) != l.cfg.Scope || string(head.Hash) != string(l.log[h.Index].Hash[:]) {
		return problem.New(problem.Forked, "what", "head")
	}
	p.counter = h
	return l.verify(l.nodeKey(h.Side), act.ContextHead, h.Head, h.Sig, problem.BadSignature)
}

// onOutbox takes an item of a peer's chain. Only the next one is taken; a gap is fetched; another item at a place already
// taken is a fork of that chain.
func (l *Ledger) onOutbox(from Side, b []byte, now int64) {
	it, o, so, err := parseItem(b)
	if err != nil || it.Side != from || Scope(o.Scope) != l.cfg.Scope || l.peers[from] == nil {
		return
	}
	c := l.chain(from)
	switch {
	case it.Seq > c.next:
		l.fetch(from, now)
		return
	case it.Seq < c.next:
		l.compareItem(from, c, it, so, now)
		return
	case len(c.items) >= maxAhead, !l.signedItem(from, so):
		return
	case [32]byte(o.Prev) != c.last:
		l.caught(AlarmFork, from, b, nil, now)
		return
	}
	c.add(it)
	l.turns.rec.Items = append(l.turns.rec.Items, it)
}

func (l *Ledger) signedItem(side Side, so act.SignedOutbox) bool {
	key := l.nodeKey(side)
	return key != nil && l.verify(key, act.ContextOutbox, so.Item, so.Sig, problem.BadSignature) == nil
}

// compareItem looks for two different signed items at one place.
func (l *Ledger) compareItem(from Side, c *chain, it Item, so act.SignedOutbox, now int64) {
	held, ok := c.at(it.Seq)
	if !ok && it.Seq+1 == c.next {
		held, ok = Item{Hash: c.last}, true
	}
	if ok && held.Hash != it.Hash && l.signedItem(from, so) {
		l.caught(AlarmFork, from, it.Bytes, held.Bytes, now)
	}
}
