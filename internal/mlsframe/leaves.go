package mlsframe

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
)

// Member is who holds a leaf.
type Member struct {
	Leaf         uint32
	Identity     []byte
	SignatureKey ed25519.PublicKey
}

// Leaves follows one group's leaves through its commits, without a secret: who holds which leaf in which epoch.
// It is a value of the log: the same commits give the same Leaves on every node.
type Leaves struct {
	GroupID []byte
	Epoch   uint64
	members map[uint32]Member
}

// Found is the group of its founder alone: leaf 0, epoch 0.
func Found(groupID []byte, founder *KeyPackage) *Leaves {
	m := Member{Identity: founder.Leaf.Identity, SignatureKey: founder.Leaf.SignatureKey}
	return &Leaves{GroupID: bytes.Clone(groupID), members: map[uint32]Member{0: m}}
}

// Members lists the holders by leaf, ascending.
func (l *Leaves) Members() []Member {
	out := make([]Member, 0, len(l.members))
	for _, m := range l.members {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Member) int { return int(a.Leaf) - int(b.Leaf) })
	return out
}

// Member tells who holds a leaf.
func (l *Leaves) Member(leaf uint32) (Member, bool) {
	m, ok := l.members[leaf]
	return m, ok
}

// Check tells whether a commit fits the group now: group, epoch, a committer that is in and keeps its identity and key, a
// path leaf that it signed for this group and leaf, Removes of others that are in, Adds of keys that are not in.
func (l *Leaves) Check(c *Commit) error {
	if !bytes.Equal(c.GroupID, l.GroupID) {
		return ErrGroup
	}
	if c.Epoch != l.Epoch {
		return fmt.Errorf("%w: %d, now %d", ErrEpoch, c.Epoch, l.Epoch)
	}
	by, ok := l.members[c.Committer]
	if !ok {
		return fmt.Errorf("%w: committer %d is blank", ErrLeaf, c.Committer)
	}
	if !bytes.Equal(c.Path.Identity, by.Identity) || !bytes.Equal(c.Path.SignatureKey, by.SignatureKey) {
		return fmt.Errorf("%w: leaf %d", ErrIdentity, c.Committer)
	}
	if err := c.Path.verify(l.GroupID, c.Committer); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	removed := map[uint32]bool{}
	for _, r := range c.Removes {
		if _, ok := l.members[r]; !ok || removed[r] || r == c.Committer {
			return fmt.Errorf("%w: remove of %d", ErrLeaf, r)
		}
		removed[r] = true
	}
	keys := map[string]bool{}
	for leaf, m := range l.members {
		if !removed[leaf] {
			keys[string(m.SignatureKey)] = true
		}
	}
	for i := range c.Adds {
		key := string(c.Adds[i].Leaf.SignatureKey)
		if keys[key] {
			return fmt.Errorf("%w: signature key added twice", ErrLeaf)
		}
		keys[key] = true
	}
	if len(keys) > MaxMembers {
		return fmt.Errorf("%w: %d members", ErrTooLarge, len(keys))
	}
	return nil
}

// Apply checks the commit, moves to the next epoch and returns the leaves of the Adds, in their order: the leftmost blank
// ones after the Removes (RFC 9420 §12.1.1).
func (l *Leaves) Apply(c *Commit) ([]uint32, error) {
	if err := l.Check(c); err != nil {
		return nil, err
	}
	for _, r := range c.Removes {
		delete(l.members, r)
	}
	added := make([]uint32, len(c.Adds))
	var next uint32
	for i := range c.Adds {
		for _, taken := l.members[next]; taken; _, taken = l.members[next] {
			next++
		}
		leaf := &c.Adds[i].Leaf
		l.members[next] = Member{Leaf: next, Identity: leaf.Identity, SignatureKey: leaf.SignatureKey}
		added[i] = next
	}
	l.Epoch++
	return added, nil
}

// Clone copies the state.
func (l *Leaves) Clone() *Leaves {
	m := make(map[uint32]Member, len(l.members))
	for k, v := range l.members {
		m[k] = v
	}
	return &Leaves{GroupID: l.GroupID, Epoch: l.Epoch, members: m}
}
