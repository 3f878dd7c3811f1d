package mlsframe

import (
	"bytes"
	"crypto/sha512"
	"fmt"
	"time"
)

// KeyPackage is a KeyPackage of our profile (RFC 9420 §10) whose signatures verified.
type KeyPackage struct {
	Raw  []byte // the bare KeyPackage
	Ref  [64]byte
	Leaf LeafNode

	version, suite uint16
	initKey        []byte
	extensions     bool
	tbs            []byte
	signature      []byte
}

// ParseKeyPackage reads a bare KeyPackage and checks profile and signatures. It keeps no reference to b.
func ParseKeyPackage(b []byte) (*KeyPackage, error) {
	if len(b) > MaxKeyPackage {
		return nil, fmt.Errorf("%w: KeyPackage of %d bytes", ErrTooLarge, len(b))
	}
	r := &reader{b: bytes.Clone(b)}
	kp := readKeyPackage(r)
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := kp.check(); err != nil {
		return nil, err
	}
	return &kp, nil
}

// ValidAt checks the lifetime against a time: valid then, and never longer than our clients make it.
func (kp *KeyPackage) ValidAt(t time.Time) error {
	now := t.Unix()
	from, to := kp.Leaf.NotBefore, kp.Leaf.NotAfter
	if now < 0 || to < from || to-from > KeyPackageLifetime+2*ClockSkew {
		return fmt.Errorf("%w: too long", ErrLifetime)
	}
	if uint64(now)+ClockSkew < from || uint64(now) > to {
		return fmt.Errorf("%w: not valid now", ErrLifetime)
	}
	return nil
}

func readKeyPackage(r *reader) KeyPackage {
	var kp KeyPackage
	start := r.b
	kp.version = r.u16()
	kp.suite = r.u16()
	kp.initKey = r.opaque(1 << 12)
	kp.Leaf = readLeaf(r)
	kp.extensions = readExtensions(r)
	if r.err == nil {
		kp.tbs = start[:len(start)-len(r.b)]
	}
	kp.signature = r.opaque(1 << 12)
	if r.err == nil {
		kp.Raw = start[: len(start)-len(r.b) : len(start)-len(r.b)]
		kp.Ref = refHash("MLS 1.0 KeyPackage Reference", kp.Raw)
	}
	return kp
}

func (kp *KeyPackage) check() error {
	switch {
	case kp.version != versionMLS10:
		return fmt.Errorf("%w: KeyPackage version %d", ErrVersion, kp.version)
	case kp.suite != Suite || !usable(kp.initKey):
		return fmt.Errorf("%w: %d", ErrSuite, kp.suite)
	case kp.Leaf.source != sourceKeyPackage:
		return fmt.Errorf("%w: leaf source %d", ErrProfile, kp.Leaf.source)
	case kp.extensions:
		return fmt.Errorf("%w: KeyPackage extensions", ErrProfile)
	case bytes.Equal(kp.initKey, kp.Leaf.EncryptionKey):
		return fmt.Errorf("%w: init key is the leaf's", ErrProfile)
	case len(kp.Raw) > MaxKeyPackage:
		return fmt.Errorf("%w: KeyPackage", ErrTooLarge)
	}
	if err := kp.Leaf.check(); err != nil {
		return err
	}
	if err := kp.Leaf.verify(nil, 0); err != nil {
		return err
	}
	return verifyWithLabel(kp.Leaf.SignatureKey, "KeyPackageTBS", kp.tbs, kp.signature)
}

// refHash is RefHash of RFC 9420 §5.2 with the suite's SHA-512.
func refHash(label string, value []byte) [64]byte {
	return sha512.Sum512(appendOpaque(appendOpaque(nil, []byte(label)), value))
}
