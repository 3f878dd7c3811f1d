// The cipher suite over WebCrypto and @hpke's X-Wing, for browsers and Node. goja gets another one (goja.ts).
//
// Put together here and not by the library's provider, which loads each algorithm by a dynamic import: a worker under
// our Integrity-Policy loads one file, and nothing of the suites we refuse is in it.

import { Aes256Gcm, CipherSuite, HkdfSha512 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import type { Aead } from "ts-mls/crypto/aead.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { makeHashImpl } from "ts-mls/crypto/implementation/default/makeHashImpl.js";
import { makeKdfImpl } from "ts-mls/crypto/implementation/default/makeKdfImpl.js";
import { defaultRng } from "ts-mls/crypto/implementation/default/rng.js";
import { makeGenericHpke } from "ts-mls/crypto/implementation/hpke.js";
import type { Signature } from "ts-mls/crypto/signature.js";
import { suiteName } from "./profile.js";

export async function webSuite(): Promise<CiphersuiteImpl> {
  const kem = new XWing() as unknown as ConstructorParameters<typeof CipherSuite>[0]["kem"];
  const hpke = new CipherSuite({ kem, kdf: new HkdfSha512(), aead: new Aes256Gcm() });
  return {
    name: suiteName,
    hash: makeHashImpl(crypto.subtle, "SHA-512"),
    kdf: makeKdfImpl(new HkdfSha512()),
    hpke: await makeGenericHpke({ kem: "X-Wing", kdf: "HKDF-SHA512", aead: "AES256GCM" }, aesGcm, hpke),
    signature: ed25519,
    rng: defaultRng,
  };
}

const source = (b: Uint8Array) => b as Uint8Array<ArrayBuffer>;

const aesGcm: Aead = {
  async encrypt(key, nonce, aad, plaintext) {
    const k = await crypto.subtle.importKey("raw", source(key), "AES-GCM", false, ["encrypt"]);
    return new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, aad), k, source(plaintext)));
  },
  async decrypt(key, nonce, aad, ciphertext) {
    const k = await crypto.subtle.importKey("raw", source(key), "AES-GCM", false, ["decrypt"]);
    return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, aad), k, source(ciphertext)));
  },
};

function gcm(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: source(nonce), additionalData: source(aad) };
}

/** PKCS #8 of an Ed25519 seed (RFC 8410 §7): WebCrypto imports private keys in no shorter form. */
const pkcs8Prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);
const seedSize = 32;

/** Private keys are raw seeds, as in goja. */
const ed25519: Signature = {
  async sign(seed, message) {
    const pkcs8 = new Uint8Array(pkcs8Prefix.length + seedSize);
    pkcs8.set(pkcs8Prefix);
    pkcs8.set(seed, pkcs8Prefix.length);
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    pkcs8.fill(0);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", key, source(message)));
  },
  async verify(publicKey, message, signature) {
    const key = await crypto.subtle.importKey("raw", source(publicKey), "Ed25519", false, ["verify"]);
    return crypto.subtle.verify("Ed25519", key, source(signature), source(message));
  },
  async keygen() {
    const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
    const signKey = pkcs8.slice(-seedSize);
    pkcs8.fill(0);
    return { signKey, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
  },
};
