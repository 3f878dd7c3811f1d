package mlsjs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/dop251/goja"
)

// The suite MLS_256_XWING_AES256GCM_SHA512_Ed25519 by Go's standard library.
var (
	kem  = hpke.MLKEM768X25519() // X-Wing
	kdf  = hpke.HKDFSHA512()
	aead = hpke.AES256GCM()
)

const (
	encSize  = 1120 // X-Wing ciphertext
	seedSize = 32   // X-Wing and Ed25519 private keys
	// Bounds what JavaScript may ask for in one call.
	maxRandom = 1 << 16
)

type args struct {
	rt   *Runtime
	list []goja.Value
}

// bytes is the n-th argument without a copy: host functions read it before they return and keep nothing.
func (a args) bytes(n int) []byte {
	if n < len(a.list) {
		if b, ok := a.list[n].Export().([]byte); ok {
			return b
		}
	}
	panic(a.rt.vm.NewTypeError("bytes expected"))
}

func (a args) int(n, most int) int {
	if n < len(a.list) {
		if v := a.list[n].ToInteger(); v >= 0 && v <= int64(most) {
			return int(v)
		}
	}
	panic(a.rt.vm.NewTypeError("number expected"))
}

// host is what goja.ts calls Host: synchronous functions over bytes. An error is thrown into JavaScript, where the policy
// turns it into a refusal.
func (rt *Runtime) host() *goja.Object {
	o := rt.vm.NewObject()
	set := func(name string, f func(a args) (any, error)) {
		_ = o.Set(name, func(c goja.FunctionCall) goja.Value {
			v, err := f(args{rt, c.Arguments})
			if err != nil {
				panic(rt.vm.NewGoError(err))
			}
			if b, ok := v.([]byte); ok {
				return rt.vm.ToValue(rt.vm.NewArrayBuffer(b))
			}
			return rt.vm.ToValue(v)
		})
	}
	set("random", func(a args) (any, error) {
		b := make([]byte, a.int(0, maxRandom))
		_, err := rand.Read(b)
		return b, err
	})
	set("utf8", func(a args) (any, error) { return []byte(a.list[0].String()), nil })
	set("base64", func(a args) (any, error) { return base64.StdEncoding.EncodeToString(a.bytes(0)), nil })
	set("sha512", func(a args) (any, error) { h := sha512.Sum512(a.bytes(0)); return h[:], nil })
	set("hmacSha512", func(a args) (any, error) {
		m := hmac.New(sha512.New, a.bytes(0))
		m.Write(a.bytes(1))
		return m.Sum(nil), nil
	})
	set("equal", func(a args) (any, error) { return hmac.Equal(a.bytes(0), a.bytes(1)), nil })
	set("hkdfExtract", func(a args) (any, error) { return hkdf.Extract(sha512.New, a.bytes(1), a.bytes(0)) })
	set("hkdfExpand", func(a args) (any, error) {
		return hkdf.Expand(sha512.New, a.bytes(0), string(a.bytes(1)), a.int(2, 255*sha512.Size))
	})
	set("hex", func(a args) (any, error) { return hex.EncodeToString(a.bytes(0)), nil })
	set("expandWithLabel", expandWithLabel)
	set("aesGcmSeal", func(a args) (any, error) {
		g, nonce, err := gcm(a)
		if err != nil {
			return nil, err
		}
		return g.Seal(nil, nonce, a.bytes(3), a.bytes(2)), nil
	})
	set("aesGcmOpen", func(a args) (any, error) {
		g, nonce, err := gcm(a)
		if err != nil {
			return nil, err
		}
		return g.Open(nil, nonce, a.bytes(3), a.bytes(2))
	})
	rt.hostHPKE(o, set)
	set("ed25519Sign", func(a args) (any, error) {
		key, err := ed25519Key(a.bytes(0))
		if err != nil {
			return nil, err
		}
		return ed25519.Sign(key, a.bytes(1)), nil
	})
	set("ed25519Verify", func(a args) (any, error) {
		key := a.bytes(0)
		return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, a.bytes(1), a.bytes(2)), nil
	})
	set("ed25519Public", func(a args) (any, error) {
		key, err := ed25519Key(a.bytes(0))
		if err != nil {
			return nil, err
		}
		return bytes.Clone(key[ed25519.SeedSize:]), nil
	})
	return o
}

func (rt *Runtime) hostHPKE(o *goja.Object, set func(string, func(args) (any, error))) {
	_ = o
	set("hpkeSeal", func(a args) (any, error) {
		pub, err := kem.NewPublicKey(a.bytes(0))
		if err != nil {
			return nil, err
		}
		enc, s, err := hpke.NewSender(pub, kdf, aead, bytes.Clone(a.bytes(1)))
		if err != nil {
			return nil, err
		}
		ct, err := s.Seal(a.bytes(2), a.bytes(3))
		if err != nil {
			return nil, err
		}
		return map[string]any{"enc": rt.vm.NewArrayBuffer(enc), "ct": rt.vm.NewArrayBuffer(ct)}, nil
	})
	set("hpkeOpen", func(a args) (any, error) {
		key, err := kem.NewPrivateKey(bytes.Clone(a.bytes(0)))
		if err != nil {
			return nil, err
		}
		if len(a.bytes(1)) != encSize {
			return nil, fmt.Errorf("encapsulated key of %d bytes", len(a.bytes(1)))
		}
		r, err := hpke.NewRecipient(a.bytes(1), key, kdf, aead, bytes.Clone(a.bytes(2)))
		if err != nil {
			return nil, err
		}
		return r.Open(a.bytes(3), a.bytes(4))
	})
	// X-Wing's DeriveKeyPair as @hpke has it: the seed is SHAKE256(ikm, 32). draft-ietf-hpke-pq, which Go follows,
	// derives differently, and so will the IETF's suite: moving there is a new protocol version and a new group.
	set("hpkeDerive", func(a args) (any, error) {
		seed := sha3.SumSHAKE256(a.bytes(0), seedSize)
		key, err := kem.NewPrivateKey(bytes.Clone(seed))
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"privateKey": rt.vm.NewArrayBuffer(seed),
			"publicKey":  rt.vm.NewArrayBuffer(key.PublicKey().Bytes()),
		}, nil
	})
	set("hpkeCheckPublic", func(a args) (any, error) {
		_, err := kem.NewPublicKey(a.bytes(0))
		return nil, err
	})
}

// expandWithLabel is ExpandWithLabel(Secret, Label, Context, Length) of RFC 9420 §8: HKDF-Expand over the length, "MLS 1.0 " and the
// label, and the context, the last two as vectors (§2.1.2).
func expandWithLabel(a args) (any, error) {
	label, context, n := a.list[1].String(), a.bytes(2), a.int(3, 255*sha512.Size)
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = vector(info, []byte("MLS 1.0 "+label))
	info = vector(info, context)
	return hkdf.Expand(sha512.New, a.bytes(0), string(info), n)
}

// vector appends a vector with its length in one, two or four bytes (RFC 9420 §2.1.2). What is handed in here is far below 2³⁰ bytes.
func vector(b, v []byte) []byte {
	switch n := len(v); {
	case n < 1<<6:
		b = append(b, byte(n))
	case n < 1<<14:
		b = binary.BigEndian.AppendUint16(b, uint16(n)|1<<14)
	default:
		b = binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
	}
	return append(b, v...)
}

func gcm(a args) (cipher.AEAD, []byte, error) {
	block, err := aes.NewCipher(a.bytes(0))
	if err != nil {
		return nil, nil, err
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
	}
	if len(a.bytes(1)) != g.NonceSize() {
		return nil, nil, fmt.Errorf("nonce of %d bytes", len(a.bytes(1)))
	}
	return g, a.bytes(1), nil
}

func ed25519Key(seed []byte) (ed25519.PrivateKey, error) {
	if len(seed) != seedSize {
		return nil, fmt.Errorf("signature key of %d bytes", len(seed))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
