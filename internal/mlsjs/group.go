package mlsjs

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/dop251/goja"

	"parley.link/parley/internal/sframe"
)

// RosterEntry is one leaf that the signed log allows.
type RosterEntry struct {
	Identity     []byte
	SignatureKey []byte
}

// Roster lists every (identity, signature key) that may hold a leaf at this index of the log.
type Roster []RosterEntry

// Member is a participant before it is in a group. It founds or joins one group, once.
type Member struct {
	KeyPackage   []byte // bare (RFC 9420 §10)
	Ref          []byte // KeyPackageRef
	SignatureKey ed25519.PublicKey

	rt     *Runtime
	handle goja.Value
}

func (m *Member) String() string { return "mlsjs.Member(redacted)" }

// NewMember makes a KeyPackage for a basic credential with this identity. key signs for the member; nil makes a fresh one.
func (rt *Runtime) NewMember(identity []byte, key ed25519.PrivateKey, now time.Time) (*Member, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	var seed any
	if key != nil {
		seed = []byte(key.Seed())
	}
	v, err := rt.call("makeMember", identity, now.UnixMilli(), seed)
	if err != nil {
		return nil, err
	}
	return &Member{
		KeyPackage:   octets(field(v, "keyPackage")),
		Ref:          octets(field(v, "ref")),
		SignatureKey: octets(field(v, "signatureKey")),
		rt:           rt,
		handle:       field(v, "member"),
	}, nil
}

// KeyPackageRef is the reference of a bare KeyPackage (RFC 9420 §5.2); it refuses one outside the profile.
func (rt *Runtime) KeyPackageRef(keyPackage []byte) ([]byte, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	v, err := rt.call("keyPackageRef", keyPackage)
	if err != nil {
		return nil, err
	}
	return octets(v), nil
}

// Group is one member's view of one MLS group.
type Group struct {
	rt     *Runtime
	handle goja.Value
}

func (g *Group) String() string { return "mlsjs.Group(redacted)" }

// Create founds a group with the member at leaf 0, epoch 0.
func (m *Member) Create(groupID []byte) (*Group, error) {
	return m.rt.group("create", m.handle, groupID)
}

// Join enters by a Welcome. Every leaf must be in the roster; epoch is the one after the commit that the Welcome came with.
func (m *Member) Join(welcome, groupID []byte, roster Roster, epoch uint64) (*Group, error) {
	return m.rt.group("join", m.handle, welcome, groupID, roster, int64(epoch))
}

func (rt *Runtime) group(name string, args ...any) (*Group, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	v, err := rt.call(name, args...)
	if err != nil {
		return nil, err
	}
	return &Group{rt: rt, handle: v}, nil
}

// Staged is a commit that the log has not ordered yet.
type Staged struct {
	Message []byte // MLSMessage with a PublicMessage commit
	Welcome []byte // MLSMessage with a Welcome; nil without adds

	pending goja.Value
}

// Commit stages Adds (bare KeyPackages), Removes (leaves), or neither: a path update.
func (g *Group) Commit(adds [][]byte, removes []uint32, roster Roster, now time.Time) (*Staged, error) {
	var s *Staged
	err := g.call(func(v goja.Value) error {
		s = &Staged{Message: octets(field(v, "message")), Welcome: octets(field(v, "welcome")), pending: field(v, "pending")}
		return nil
	}, "commit", adds, removes, roster, now.UnixMilli())
	return s, err
}

// Confirm moves to the staged epoch once the log ordered its commit, and returns the epoch.
func (g *Group) Confirm(s *Staged) (uint64, error) {
	var epoch uint64
	err := g.call(func(v goja.Value) error {
		epoch = uint64(v.ToInteger())
		return nil
	}, "confirm", s.pending)
	return epoch, err
}

// Discard drops a commit that lost its place.
func (g *Group) Discard(s *Staged) error {
	return g.call(nil, "discard", s.pending)
}

// Expected is what the log says about a commit; the message must agree.
type Expected struct {
	CommitterLeaf uint32
	Adds          [][]byte // KeyPackageRefs in the order of the Adds
	Removes       []uint32
	Now           time.Time // the log's time of the entry; zero: lifetimes are not checked again
}

// Process applies another member's commit that the log ordered. removed: this member is out and the group is closed.
func (g *Group) Process(commit []byte, e Expected, roster Roster) (epoch uint64, removed bool, err error) {
	g.rt.mu.Lock()
	defer g.rt.mu.Unlock()
	o := g.rt.vm.NewObject()
	_ = o.Set("committerLeaf", int64(e.CommitterLeaf))
	_ = o.Set("adds", g.rt.value(e.Adds))
	_ = o.Set("removes", g.rt.value(e.Removes))
	if !e.Now.IsZero() {
		_ = o.Set("now", e.Now.UnixMilli())
	}
	v, err := g.rt.call("process", g.handle, commit, goja.Value(o), roster)
	if err != nil {
		return 0, false, err
	}
	return uint64(field(v, "epoch").ToInteger()), field(v, "removed").ToBoolean(), nil
}

// BaseKey is the SFrame base key of this epoch.
func (g *Group) BaseKey() (sframe.BaseKey, error) {
	var k sframe.BaseKey
	err := g.call(func(v goja.Value) (err error) {
		k, err = sframe.NewBaseKey(octets(v))
		return err
	}, "baseKey")
	return k, err
}

// Fingerprint is the session fingerprint: six words, and their numbers 0..2047.
func (g *Group) Fingerprint() (words []string, indices []int, err error) {
	err = g.call(func(v goja.Value) error {
		if err := g.rt.vm.ExportTo(field(v, "words"), &words); err != nil {
			return fmt.Errorf("mlsjs: words: %w", err)
		}
		return g.rt.vm.ExportTo(field(v, "indices"), &indices)
	}, "fingerprint")
	return words, indices, err
}

// Leaf is who holds a leaf.
type Leaf struct {
	Index        uint32
	Identity     []byte
	SignatureKey []byte
}

// Context is the public state of the group.
type Context struct {
	GroupID    []byte
	Epoch      uint64
	Tree       []byte // tree hash
	Transcript []byte // confirmed transcript hash
	OwnLeaf    uint32
	Leaves     []Leaf
}

// Context tells the public state.
func (g *Group) Context() (Context, error) {
	g.rt.mu.Lock()
	defer g.rt.mu.Unlock()
	v, err := g.rt.call("context", g.handle)
	if err != nil {
		return Context{}, err
	}
	c := Context{
		GroupID:    octets(field(v, "groupId")),
		Epoch:      uint64(field(v, "epoch").ToInteger()),
		Tree:       octets(field(v, "treeHash")),
		Transcript: octets(field(v, "confirmedTranscriptHash")),
		OwnLeaf:    uint32(field(v, "ownLeaf").ToInteger()),
	}
	g.rt.vm.ForOf(field(v, "leaves"), func(l goja.Value) bool {
		c.Leaves = append(c.Leaves, Leaf{
			Index:        uint32(field(l, "index").ToInteger()),
			Identity:     octets(field(l, "identity")),
			SignatureKey: octets(field(l, "signatureKey")),
		})
		return true
	})
	return c, nil
}

// Attest signs {scope, group, epoch, transcript hash, tree hash}; mlsframe.VerifyAttestation checks it.
func (g *Group) Attest(scope []byte) ([]byte, error) {
	var sig []byte
	err := g.call(func(v goja.Value) error {
		sig = octets(v)
		return nil
	}, "attest", scope)
	return sig, err
}

// Close drops every secret of the group.
func (g *Group) Close() error {
	return g.call(nil, "close")
}

// call runs api[name] on the group and reads its result while the runtime is still held.
func (g *Group) call(read func(goja.Value) error, name string, args ...any) error {
	g.rt.mu.Lock()
	defer g.rt.mu.Unlock()
	v, err := g.rt.call(name, append([]any{g.handle}, args...)...)
	if err != nil || read == nil {
		return err
	}
	return read(v)
}
