package mlsframe

import (
	"crypto/ecdh"
	"crypto/mlkem"
)

// probe is any private key: with it, a public key of small order gives itself away (RFC 7748 §6.1).
var probe, _ = ecdh.X25519().NewPrivateKey([]byte("parley: any scalar will do here."))

// usable says whether something can be sealed to an X-Wing public key (ML-KEM-768, then X25519). One to which nothing can is
// no mistake: once such a leaf or path node is in the tree, no other member can make a commit, and nobody can be removed any more.
func usable(key []byte) bool {
	if len(key) != hpkeKeySize {
		return false
	}
	if _, err := mlkem.NewEncapsulationKey768(key[:mlkem.EncapsulationKeySize768]); err != nil { // FIPS 203 §7.2
		return false
	}
	point, err := ecdh.X25519().NewPublicKey(key[mlkem.EncapsulationKeySize768:])
	if err != nil {
		return false
	}
	_, err = probe.ECDH(point)
	return err == nil
}
