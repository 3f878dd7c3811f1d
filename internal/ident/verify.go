package ident

import (
	"bytes"
	"crypto/ed25519"
	"errors"

	"filippo.io/mldsa"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
)

// ErrSignature is returned for a signature that does not verify.
var ErrSignature = errors.New("ident: signature does not verify")

// VerifyEd25519 verifies a signature over bytes in a context.
func VerifyEd25519(key []byte, context string, b, sig []byte) error {
	return verifyEd25519(key, canon.Message(context, b), sig)
}

func verifyEd25519(key, message, sig []byte) error {
	if len(key) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize || !ed25519.Verify(key, message, sig) {
		return ErrSignature
	}
	return nil
}

// VerifyMessage verifies a ready message (context included) with an algorithm named "ed25519" or "mldsa65".
func VerifyMessage(alg string, key, message, sig []byte) error {
	switch alg {
	case "ed25519":
		return verifyEd25519(key, message, sig)
	case "mldsa65":
		pub, err := mldsa.NewPublicKey(mldsa.MLDSA65(), key)
		if err != nil {
			return ErrSignature
		}
		if err := mldsa.Verify(pub, message, sig, nil); err != nil {
			return ErrSignature
		}
		return nil
	}
	return ErrSignature
}

// VerifySigned verifies the Ed25519 signature of a device or node over a Signed.
func VerifySigned(s Signed, context string, key []byte) error {
	return VerifyEd25519(key, context, s.Body, s.Ed25519)
}

// VerifyDelegation verifies both signatures of a delegation key. One of them alone proves nothing: the scheme stands while
// either of the two algorithms does.
func VerifyDelegation(s Signed, context string, k DelegationKey) error {
	m := canon.Message(context, s.Body)
	if err := VerifyMessage("ed25519", k.Ed25519, m, s.Ed25519); err != nil {
		return err
	}
	return VerifyMessage("mldsa65", k.MLDSA65, m, s.MLDSA65)
}

// VerifyNode opens a node certificate of a side, valid now (ms).
func VerifyNode(signed []byte, k DelegationKey, now int64) (NodeCert, error) {
	c, s, err := Open[NodeCert](signed)
	if err != nil {
		return c, problem.New(problem.Malformed, "what", "node-cert")
	}
	return c, verifyRooted(s, ContextNode, k, c.Side, c.From, c.Until, now)
}

// VerifyOfficer opens an officer's certificate of a side, valid now (ms).
func VerifyOfficer(signed []byte, k DelegationKey, now int64) (OfficerCert, error) {
	c, s, err := Open[OfficerCert](signed)
	if err != nil {
		return c, problem.New(problem.Malformed, "what", "officer-cert")
	}
	return c, verifyRooted(s, ContextOfficer, k, c.Side, c.From, c.Until, now)
}

func verifyRooted(s Signed, context string, k DelegationKey, side []byte, from, until, now int64) error {
	id := SideID(k)
	if !bytes.Equal(side, id[:]) {
		return problem.New(problem.AccreditationForeign)
	}
	if err := VerifyDelegation(s, context, k); err != nil {
		return problem.New(problem.AccreditationAltered)
	}
	return InForce(from, until, now)
}

// InForce says whether now lies in [from, until), as a problem if not.
func InForce(from, until, now int64) error {
	switch {
	case now < from:
		return problem.New(problem.AccreditationEarly)
	case now >= until:
		return problem.New(problem.AccreditationExpired)
	}
	return nil
}

// Chain is what a side's accreditations are checked against.
type Chain struct {
	Delegation  DelegationKey
	Officers    [][]byte     // canonical Signed of OfficerCert
	Revocations []Revocation // already verified
}

// VerifyAccreditation verifies an accreditation up to the delegation key, and that it is in force now, unrevoked, and made
// for the device that shows it. Every refusal is a problem that names the reason.
func VerifyAccreditation(signed []byte, chain Chain, device []byte, now int64) (Accreditation, error) {
	a, s, err := Open[Accreditation](signed)
	if err != nil {
		return a, problem.New(problem.Malformed, "what", "accreditation")
	}
	side := SideID(chain.Delegation)
	if !bytes.Equal(a.Side, side[:]) {
		return a, problem.New(problem.AccreditationForeign)
	}
	officer, err := chain.officer(a.By, a.At)
	if err != nil {
		return a, err
	}
	if err := VerifySigned(s, ContextAccreditation, officer.Device); err != nil {
		return a, problem.New(problem.AccreditationAltered)
	}
	if !bytes.Equal(a.Device, device) {
		return a, problem.New(problem.AccreditationDevice)
	}
	for _, r := range chain.Revocations {
		if r.Ends(a) {
			return a, problem.New(problem.AccreditationRevoked)
		}
	}
	return a, InForce(a.From, a.Until, now)
}

// officer finds the certified officer with this device, in force at the time of signing.
func (c Chain) officer(device []byte, at int64) (OfficerCert, error) {
	for _, raw := range c.Officers {
		o, err := VerifyOfficer(raw, c.Delegation, at)
		if bytes.Equal(o.Device, device) {
			return o, err
		}
	}
	return OfficerCert{}, problem.New(problem.AccreditationForeign)
}

// Ends says whether the revocation ends an accreditation: same side and person, the same device or all, and made not before
// it. A later accreditation of the same person is not touched: that is how somebody gets a new device.
func (r Revocation) Ends(a Accreditation) bool {
	return bytes.Equal(r.Side, a.Side) && r.Person == a.Person && a.At <= r.At &&
		(len(r.Device) == 0 || bytes.Equal(r.Device, a.Device))
}

// VerifyRevocation opens a revocation made by a certified officer of the side.
func VerifyRevocation(signed []byte, chain Chain) (Revocation, error) {
	r, s, err := Open[Revocation](signed)
	if err != nil {
		return r, problem.New(problem.Malformed, "what", "revocation")
	}
	side := SideID(chain.Delegation)
	if !bytes.Equal(r.Side, side[:]) {
		return r, problem.New(problem.NotYours)
	}
	officer, err := chain.officer(r.By, r.At)
	if err != nil {
		return r, problem.New(problem.NotOfficer)
	}
	if err := VerifySigned(s, ContextRevocation, officer.Device); err != nil {
		return r, problem.New(problem.BadSignature)
	}
	return r, nil
}
