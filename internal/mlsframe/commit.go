package mlsframe

import (
	"bytes"
	"fmt"
)

// Commit is a commit of our profile: a PublicMessage from a member, Adds and Removes by value, a path.
type Commit struct {
	GroupID   []byte
	Epoch     uint64 // the epoch it ends
	Committer uint32 // leaf
	Adds      []KeyPackage
	Removes   []uint32 // leaves, in the order of the message
	Path      LeafNode // the committer's new leaf; its signature is checked by Leaves.Check
}

// ParseCommit reads an MLSMessage with a commit and checks profile and the signatures of what it adds. It keeps no reference
// to b. Whether the commit fits its group is for Leaves.Check.
func ParseCommit(b []byte) (*Commit, error) {
	c, err := readCommit(b)
	if err != nil {
		return nil, err
	}
	for i := range c.Adds {
		if err := c.Adds[i].check(); err != nil {
			return nil, fmt.Errorf("add %d: %w", i, err)
		}
	}
	if c.Path.source != sourceCommit {
		return nil, fmt.Errorf("%w: leaf source %d in the path", ErrProfile, c.Path.source)
	}
	if err := c.Path.check(); err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	if len(c.GroupID) == 0 || len(c.GroupID) > MaxGroupID {
		return nil, fmt.Errorf("%w: group id of %d bytes", ErrProfile, len(c.GroupID))
	}
	return c, nil
}

// readCommit reads the structure alone; every cipher suite passes.
func readCommit(b []byte) (*Commit, error) {
	if len(b) > MaxCommit {
		return nil, fmt.Errorf("%w: commit of %d bytes", ErrTooLarge, len(b))
	}
	r := &reader{b: bytes.Clone(b)}
	if err := readFrame(r, wirePublicMessage); err != nil {
		return nil, err
	}
	c := &Commit{GroupID: r.opaque(1 << 12), Epoch: r.u64()}
	// Any other sender is an external commit or proposal: a way into the group beside the signed log.
	if s := r.u8(); s != senderMember && r.err == nil {
		return nil, fmt.Errorf("%w: sender type %d", ErrProfile, s)
	}
	c.Committer = r.u32()
	if aad := r.opaque(1 << 12); len(aad) != 0 {
		return nil, fmt.Errorf("%w: authenticated data", ErrProfile)
	}
	if t := r.u8(); t != contentCommit && r.err == nil {
		return nil, fmt.Errorf("%w: content type %d", ErrProfile, t)
	}
	r.vector(MaxCommit, 2*MaxMembers, func(r *reader) { c.readProposal(r) })
	switch present := r.u8(); {
	case r.err != nil:
	case present == 1:
		c.Path = readLeaf(r)
		readPathNodes(r)
	case present == 0:
		// Without a path a removed member derives the next epoch's secrets.
		return nil, fmt.Errorf("%w: no path", ErrProfile)
	default:
		r.fail("optional")
	}
	r.opaque(1 << 12) // signature
	r.opaque(64)      // confirmation tag
	r.opaque(64)      // membership tag
	if err := r.end(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Commit) readProposal(r *reader) {
	if kind := r.u8(); kind != proposalOrRefProposal && r.err == nil {
		r.err = fmt.Errorf("%w: proposal by reference", ErrProfile)
		return
	}
	switch t := r.u16(); {
	case r.err != nil:
	case t == proposalAdd:
		c.Adds = append(c.Adds, readKeyPackage(r))
	case t == proposalRemove:
		leaf := r.u32()
		if leaf > MaxLeaf {
			r.fail("leaf index")
		}
		c.Removes = append(c.Removes, leaf)
	default:
		r.err = fmt.Errorf("%w: proposal type %d", ErrProfile, t)
	}
}

// readPathNodes reads the UpdatePathNodes (RFC 9420 §7.6): keys and ciphertexts that a node cannot open.
func readPathNodes(r *reader) {
	r.vector(MaxCommit, maxPathNodes, func(r *reader) {
		if key := r.opaque(1 << 12); r.err == nil && !usable(key) {
			r.err = fmt.Errorf("%w: path key", ErrSuite)
		}
		r.vector(MaxCommit, maxCiphertexts, func(r *reader) {
			r.opaque(1 << 12)
			r.opaque(1 << 12)
		})
	})
}

func readFrame(r *reader, wire uint16) error {
	if v := r.u16(); r.err == nil && v != versionMLS10 {
		return fmt.Errorf("%w: version %d", ErrVersion, v)
	}
	if w := r.u16(); r.err == nil && w != wire {
		return fmt.Errorf("%w: wire format %d", ErrProfile, w)
	}
	return r.err
}

// ParseWelcome reads an MLSMessage with a Welcome and returns the KeyPackageRefs of those it is for.
func ParseWelcome(b []byte) ([][64]byte, error) {
	suite, refs, err := readWelcome(b)
	if err != nil {
		return nil, err
	}
	if suite != Suite {
		return nil, fmt.Errorf("%w: %d", ErrSuite, suite)
	}
	out := make([][64]byte, len(refs))
	for i, ref := range refs {
		if copy(out[i][:], ref) != len(ref) || len(ref) != len(out[i]) {
			return nil, fmt.Errorf("%w: KeyPackageRef of %d bytes", ErrMalformed, len(ref))
		}
	}
	return out, nil
}

func readWelcome(b []byte) (uint16, [][]byte, error) {
	if len(b) > MaxWelcome {
		return 0, nil, fmt.Errorf("%w: welcome of %d bytes", ErrTooLarge, len(b))
	}
	r := &reader{b: bytes.Clone(b)}
	if err := readFrame(r, wireWelcome); err != nil {
		return 0, nil, err
	}
	suite := r.u16()
	var refs [][]byte
	r.vector(MaxWelcome, MaxMembers, func(r *reader) {
		refs = append(refs, r.opaque(64))
		r.opaque(1 << 12)
		r.opaque(1 << 12)
	})
	r.opaque(MaxWelcome)
	return suite, refs, r.end()
}
