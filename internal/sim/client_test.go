package sim

import (
	"bytes"
	"fmt"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/group"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

// client is one device: it replays the log itself, believes only what the sequencer and its own node signed, and follows the
// group policy. Its MLS state is a group id and an epoch; a reload loses it with everything but the device key.
type client struct {
	s         *sim
	n         *node
	person    *sessiontest.Person
	i         int
	gen       int // of the page
	conn      int // of the connection
	on        bool
	connected bool
	late      bool // not there yet
	over      bool // revoked, or replaced by the person's other device: this page has stopped
	st        *session.State
	group     []byte
	epoch     uint64
	join      []byte
	joins     int
	mine      map[string]bool // joins that this page sent
	updatedAt int64
	policy    *group.Policy
	out       *outgoing
	timer     int64
}

type outgoing struct {
	id     act.ID
	signed []byte
	kind   act.Kind
}

func newClient(n *node, p *sessiontest.Person, i int) *client {
	return &client{s: n.s, n: n, person: p, i: i}
}

// open loads the page.
func (c *client) open() {
	c.gen++
	c.on, c.connected, c.over, c.late = true, false, false, false
	c.st, c.policy, c.mine = session.New(c.s.scope), &group.Policy{}, map[string]bool{}
	c.group, c.epoch, c.join, c.out, c.timer = nil, 0, nil, nil, 0
	c.connect()
}

// shut closes the page without a word.
func (c *client) shut() {
	c.gen++
	c.on = false
	if c.connected {
		delete(c.n.conns, c)
		c.disconnected()
		n, gen := c.n, c.n.gen
		c.s.after(n.away, func() { n.lostIfAway(gen, c) })
	}
}

func (c *client) reload() {
	c.s.log("%s reloads", c.person.ID)
	c.shut()
	gen := c.gen
	c.s.after(c.s.between(100, 800), func() {
		if c.gen == gen {
			c.open()
		}
	})
}

func (c *client) connect() {
	gen := c.gen
	c.s.after(c.s.between(20, 200), func() {
		if c.gen != gen || c.connected || c.over {
			return
		}
		if !c.n.up {
			c.connect()
			return
		}
		c.connected, c.conn = true, c.conn+1
		c.n.conns[c] = true
		c.look()
		if c.out != nil {
			c.resubmit()
		}
	})
}

func (c *client) disconnected() {
	c.connected = false
	c.conn++
	if c.on {
		c.connect()
	}
}

// notified: the node has something new.
func (c *client) notified() {
	conn := c.conn
	c.s.after(c.s.between(1, 5), func() {
		if c.conn == conn && c.connected {
			c.look()
		}
	})
}

// look takes what the node has: entries in order, then the node's items that are not ordered.
func (c *client) look() {
	l := c.n.ledger()
	if l == nil {
		return
	}
	_, next, _ := c.st.Head()
	for _, e := range l.Entries(next) {
		if !c.apply(e) {
			return
		}
	}
	for _, b := range l.Outbox() {
		var so act.SignedOutbox
		if canon.Decode(b, &so) == nil {
			_ = c.st.Overlay(so)
		}
	}
	c.act()
}

func (c *client) apply(e ledger.Entry) bool {
	if err := c.check(e); err != nil || !session.HasSig(e.Sigs, c.n.side.ID) {
		c.s.fail("client %s cannot take entry %d: %v", c.person.ID, e.Index, err)
		return false
	}
	before := c.st.Group()
	if _, err := c.st.Apply(e.Bytes); err != nil {
		c.s.fail("client %s cannot apply entry %d: %v", c.person.ID, e.Index, err)
		return false
	}
	var entry act.Entry
	var signed act.Signed
	var a act.Act
	if canon.Decode(e.Bytes, &entry) == nil && entry.From == act.ItemAct && canon.Decode(entry.Item, &signed) == nil && canon.Decode(signed.Act, &a) == nil {
		if c.out != nil && c.out.id == act.IDOf(signed.Act) {
			c.out = nil
		}
		c.mls(a, before)
	}
	return true
}

// check verifies an entry and its heads. What one client of a node verified, another need not: the signatures are the same,
// and Apply runs the rules again for each.
func (c *client) check(e ledger.Entry) error {
	key := [2][32]byte{e.Hash, [32]byte(c.n.id)}
	if c.s.checked[key] {
		return nil
	}
	checks, err := c.st.Checks(e.Bytes)
	if err != nil {
		return err
	}
	heads, err := c.st.HeadChecks(e.Bytes, e.Sigs)
	if err != nil {
		return err
	}
	c.s.checked[key] = true
	return verify(append(checks, heads...))
}

// mls follows the group: what a real client does with commit and Welcome.
func (c *client) mls(a act.Act, before session.GroupView) {
	switch a.Kind {
	case act.KindGroupNew:
		var b act.GroupNew
		if canon.Decode(a.Body, &b) == nil && len(c.join) > 0 && bytes.Equal(b.Join, c.join) {
			c.group, c.epoch, c.updatedAt = b.Group, 0, c.s.now
		}
	case act.KindCommit:
		var b act.Commit
		if canon.Decode(a.Body, &b) != nil {
			return
		}
		for _, j := range b.Adds {
			if len(c.join) > 0 && bytes.Equal(j, c.join) {
				c.group, c.epoch, c.updatedAt = b.Group, b.Epoch+1, c.s.now
				return
			}
		}
		if !bytes.Equal(c.group, b.Group) || c.epoch != b.Epoch {
			return
		}
		for _, leaf := range b.Removes {
			if int(leaf) < len(before.Leaves) && bytes.Equal(before.Leaves[leaf], c.join) {
				c.group, c.epoch = nil, 0
				return
			}
		}
		c.epoch++
		if bytes.Equal(a.Key, c.person.Device.Public()) {
			c.updatedAt = c.s.now
		}
	}
}

// act does the next thing.
func (c *client) act() {
	if !c.connected || c.out != nil || c.over {
		return
	}
	if ph := c.st.Phase(); ph != session.PhaseAgreed && ph != session.PhaseSuspended {
		return
	}
	if c.join == nil {
		c.sendJoin()
		return
	}
	if m, ok := c.st.Member(c.join); ok && m.State != session.Live && m.State != session.Lost {
		if by, ok := c.st.MemberOfDevice(c.person.Device.Public()); ok && m.State == session.Replaced && c.mine[string(by.Join)] {
			// A join of this very page that was given up (its node said that its disk was full) was ordered after all, and late.
			c.group, c.epoch, c.join = nil, 0, nil
			c.sendJoin()
			return
		}
		c.over = true // revoked, or the person is here on another device
		return
	}
	own := group.Own{Join: c.join, Group: c.group, Epoch: c.epoch, UpdatedAt: c.updatedAt}
	switch a := c.policy.Next(group.ViewOf(c.st), own, c.s.now); a.Kind {
	case group.Found:
		id := sessiontest.GroupID(fmt.Sprint(c.s.seed, c.i, c.joins, c.s.now))
		c.send(act.KindGroupNew, act.GroupNew{Group: id, Join: c.join})
	case group.Commit:
		b := act.Commit{Group: c.group, Epoch: c.epoch, Adds: a.Adds, Removes: a.Removes, Message: []byte("commit")}
		if len(a.Adds) > 0 {
			b.Welcome = []byte("welcome")
		}
		c.send(act.KindCommit, b)
	case group.Rejoin:
		c.s.log("%s rejoins", c.person.ID)
		c.group, c.epoch, c.join = nil, 0, nil
		c.sendJoin()
	case group.Wait:
		c.wakeAt(a.Until)
	}
}

func (c *client) wakeAt(at int64) {
	if c.timer > c.s.now && c.timer <= at {
		return
	}
	c.timer = at
	gen := c.gen
	c.s.after(at-c.s.now, func() {
		if c.gen == gen && c.timer == at {
			c.timer = 0
			c.act()
		}
	})
}

func (c *client) sendJoin() {
	c.joins++
	signed := c.s.w.Join(c.person, fmt.Sprint("leaf", c.i, "-", c.joins))
	c.join = sessiontest.JoinID(signed)
	c.mine[string(c.join)] = true
	c.submit(act.KindJoin, signed)
}

func (c *client) send(k act.Kind, body any) { c.submit(k, c.s.w.By(c.person, k, body)) }

func (c *client) submit(k act.Kind, signed act.Signed) {
	c.out = &outgoing{id: act.IDOf(signed.Act), signed: act.Encode(signed), kind: k}
	c.resubmit()
}

// resubmit sends the very same bytes, first or again.
func (c *client) resubmit() {
	out, conn, gen := c.out, c.conn, c.gen
	c.s.after(c.s.between(1, 5), func() {
		if c.conn != conn || !c.connected || c.out != out {
			return
		}
		c.n.submit(out.signed, out.id, func(a ledger.Answer) {
			c.s.after(c.s.between(1, 5), func() {
				if c.gen == gen && c.conn == conn {
					c.answered(out, a)
				}
			})
		})
	})
}

func (c *client) answered(out *outgoing, a ledger.Answer) {
	if c.out != out {
		return
	}
	if a.Problem == nil {
		if !a.Ordered {
			c.out = nil
		}
		c.look()
		return
	}
	c.s.log("%s %s refused: %v", c.person.ID, out.kind, a.Problem)
	c.out = nil
	if out.kind == act.KindJoin {
		c.join = nil
		if a.Problem.Code == problem.AccreditationRevoked {
			c.over = true
			return
		}
	}
	gen := c.gen
	c.s.after(c.s.between(50, 150), func() {
		if c.gen == gen {
			c.act()
		}
	})
}
