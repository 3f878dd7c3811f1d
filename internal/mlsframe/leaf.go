package mlsframe

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"slices"
)

// LeafNode is a leaf as a KeyPackage or an UpdatePath shows it (RFC 9420 §7.2).
type LeafNode struct {
	EncryptionKey []byte
	SignatureKey  ed25519.PublicKey
	Identity      []byte // of a basic credential
	NotBefore     uint64 // seconds; of a KeyPackage's leaf
	NotAfter      uint64

	source       uint8
	credential   uint16
	versions     []uint16
	suites       []uint16
	credentials  []uint16
	extensions   bool
	tbs          []byte // from the start to the extensions
	signature    []byte
	signatureKey []byte
}

func readLeaf(r *reader) LeafNode {
	var l LeafNode
	start := r.b
	l.EncryptionKey = r.opaque(1 << 12)
	l.signatureKey = r.opaque(1 << 12)
	l.SignatureKey = ed25519.PublicKey(l.signatureKey)
	l.credential = r.u16()
	if l.credential == credentialBasic {
		l.Identity = r.opaque(1 << 12)
	} else if r.err == nil {
		r.err = fmt.Errorf("%w: credential type %d", ErrProfile, l.credential)
	}
	l.versions = readList(r)
	l.suites = readList(r)
	readList(r) // extensions
	readList(r) // proposals
	l.credentials = readList(r)
	l.source = r.u8()
	switch l.source {
	case sourceKeyPackage:
		l.NotBefore, l.NotAfter = r.u64(), r.u64()
	case sourceUpdate:
	case sourceCommit:
		r.opaque(64) // parent hash
	default:
		r.fail("leaf node source")
	}
	l.extensions = readExtensions(r)
	if r.err == nil {
		l.tbs = start[:len(start)-len(r.b)]
	}
	l.signature = r.opaque(1 << 12)
	return l
}

func readList(r *reader) []uint16 {
	var out []uint16
	r.vector(2*maxList, maxList, func(r *reader) { out = append(out, r.u16()) })
	return out
}

// readExtensions tells whether there are any.
func readExtensions(r *reader) bool {
	some := false
	r.vector(1<<12, maxList, func(r *reader) {
		some = true
		r.u16()
		r.opaque(1 << 12)
	})
	return some
}

// check asserts the profile on a leaf.
func (l *LeafNode) check() error {
	switch {
	case len(l.signatureKey) != ed25519.PublicKeySize || !usable(l.EncryptionKey):
		return fmt.Errorf("%w: leaf key sizes", ErrSuite)
	case !slices.Contains(l.suites, Suite):
		return fmt.Errorf("%w: capabilities", ErrSuite)
	case !slices.Contains(l.versions, versionMLS10):
		return fmt.Errorf("%w: capabilities", ErrVersion)
	case l.credential != credentialBasic || !slices.Contains(l.credentials, credentialBasic):
		return fmt.Errorf("%w: credential", ErrProfile)
	case len(l.Identity) == 0 || len(l.Identity) > MaxIdentity:
		return fmt.Errorf("%w: identity of %d bytes", ErrProfile, len(l.Identity))
	case l.extensions:
		return fmt.Errorf("%w: leaf extensions", ErrProfile)
	}
	return nil
}

// verify checks the leaf's own signature (RFC 9420 §7.2). A leaf of a commit covers group and index, so it cannot be moved.
func (l *LeafNode) verify(groupID []byte, index uint32) error {
	tbs := slices.Clone(l.tbs)
	if l.source != sourceKeyPackage {
		tbs = binary.BigEndian.AppendUint32(appendOpaque(tbs, groupID), index)
	}
	return verifyWithLabel(l.SignatureKey, "LeafNodeTBS", tbs, l.signature)
}

// verifyWithLabel is VerifyWithLabel of RFC 9420 §5.1.2.
func verifyWithLabel(key ed25519.PublicKey, label string, content, signature []byte) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: key size", ErrSignature)
	}
	m := appendOpaque(appendOpaque(nil, []byte("MLS 1.0 "+label)), content)
	if !ed25519.Verify(key, m, signature) {
		return fmt.Errorf("%w: %s", ErrSignature, label)
	}
	return nil
}
