// Package ident holds the words of identity: keys, certificates, accreditations, revocations and link cards, and the words
// that people compare.
//
// The chain is: delegation key (kept off every serving node) → node certificate and two officers' certificates →
// accreditation (officer's device signs) → session key certificate (person's device signs) → MLS leaf. Nothing in it
// admits anybody by being known.
package ident

import (
	"crypto/sha256"

	"parley.link/parley/internal/canon"
)

// Version of every structure in this package.
const Version = 1

// Signature contexts.
const (
	ContextNode          = "parley node-cert v1"
	ContextOfficer       = "parley officer-cert v1"
	ContextAccreditation = "parley accreditation v1"
	ContextRevocation    = "parley revocation v1"
	ContextSession       = "parley session-cert v1"
	ContextLinkCard      = "parley link-card v1"
	ContextChallenge     = "parley challenge v1"
	ContextEnrolment     = "parley enrolment v1"
)

// DelegationKey is a side's root: an Ed25519 and an ML-DSA-65 (FIPS 204) public key. Both must sign.
type DelegationKey struct {
	Version int    `cbor:"v"`
	Ed25519 []byte `cbor:"ed25519"` // 32 bytes
	MLDSA65 []byte `cbor:"mldsa65"` // 1952 bytes
}

// SideID names a side for ever: SHA-256 of the canonical delegation key.
func SideID(k DelegationKey) [32]byte { return sha256.Sum256(canon.Encode(k)) }

// Signed is any body of this package with its signatures. MLDSA65 is present only where a delegation key signs.
type Signed struct {
	Body    []byte `cbor:"body"`
	Ed25519 []byte `cbor:"ed25519"`
	MLDSA65 []byte `cbor:"mldsa65,omitempty"`
}

// NodeCert says that a node key serves a side.
type NodeCert struct {
	Version int    `cbor:"v"`
	Side    []byte `cbor:"side"`
	Key     []byte `cbor:"key"` // Ed25519, 32 bytes
	From    int64  `cbor:"from"`
	Until   int64  `cbor:"until"`
}

// OfficerCert says that a device is one of a side's two officers'.
type OfficerCert struct {
	Version int    `cbor:"v"`
	Side    []byte `cbor:"side"`
	Person  string `cbor:"person"`
	Name    string `cbor:"name"`
	Device  []byte `cbor:"device"` // Ed25519, 32 bytes
	From    int64  `cbor:"from"`
	Until   int64  `cbor:"until"`
}

// Accreditation admits one person on one device to named formats.
type Accreditation struct {
	Version  int               `cbor:"v"`
	Side     []byte            `cbor:"side"`
	Person   string            `cbor:"person"` // stable within the side, e.g. "v-prin"
	Name     map[string]string `cbor:"name"`
	Office   map[string]string `cbor:"office"`
	Role     string            `cbor:"role"`
	Formats  []string          `cbor:"formats"`
	Device   []byte            `cbor:"device"`
	From     int64             `cbor:"from"`
	Until    int64             `cbor:"until"`
	Verified string            `cbor:"verified"` // how: "in-person", "demonstration"
	At       int64             `cbor:"at"`
	By       []byte            `cbor:"by"` // the officer's device
}

// Revocation ends an accreditation (or, with Device empty, all of a person's).
type Revocation struct {
	Version int    `cbor:"v"`
	Side    []byte `cbor:"side"`
	Person  string `cbor:"person"`
	Device  []byte `cbor:"device"`
	Reason  string `cbor:"reason"`
	At      int64  `cbor:"at"`
	By      []byte `cbor:"by"`
}

// SessionCert binds the MLS signature key of one session to a device.
type SessionCert struct {
	Version int    `cbor:"v"`
	Scope   []byte `cbor:"scope"`
	Side    []byte `cbor:"side"`
	Person  string `cbor:"person"`
	Device  []byte `cbor:"device"`
	Key     []byte `cbor:"key"` // Ed25519 leaf key
}

// Leaf is the identity in an MLS basic credential (RFC 9420 §5.3).
type Leaf struct {
	Version int    `cbor:"v"`
	Scope   []byte `cbor:"scope"`
	Side    []byte `cbor:"side"`
	Person  string `cbor:"person"`
	Device  []byte `cbor:"device"`
}

// LinkCard is what two sides exchange out of band; its fingerprint is typed by hand.
type LinkCard struct {
	Version    int               `cbor:"v"`
	Side       []byte            `cbor:"side"`
	Name       map[string]string `cbor:"name"`
	Delegation []byte            `cbor:"delegation"` // canonical DelegationKey
	Node       []byte            `cbor:"node"`       // canonical Signed NodeCert
	Address    string            `cbor:"address"`    // host:port, UDP
	Until      int64             `cbor:"until"`
}
