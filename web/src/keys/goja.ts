// Entry of the bundle that internal/mlsjs runs in goja: the same Group, over Go's cryptography.
//
// Go gives globalThis.host (synchronous functions over bytes) before this runs, and calls what stands in `api`.
// Everything that would draw WebCrypto or @hpke into the bundle is kept out; build-goja.mjs fails if something does.

import { signaturePublicKeySize } from "./profile.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { PrivateKey, PublicKey } from "ts-mls/crypto/hpke.js";
import { KeysError } from "./errors.js";
import { type ExpectedCommit, Group, type Pending, type Roster } from "./group.js";
import { keyPackageRef, Member } from "./member.js";
import { suiteName } from "./profile.js";

/** What Go offers. Buffers returned are fresh. */
interface Host {
  random(n: number): ArrayBuffer;
  utf8(s: string): ArrayBuffer;
  base64(b: Uint8Array): string;
  sha512(b: Uint8Array): ArrayBuffer;
  hmacSha512(key: Uint8Array, b: Uint8Array): ArrayBuffer;
  equal(a: Uint8Array, b: Uint8Array): boolean;
  hkdfExtract(salt: Uint8Array, ikm: Uint8Array): ArrayBuffer;
  hkdfExpand(prk: Uint8Array, info: Uint8Array, n: number): ArrayBuffer;
  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, pt: Uint8Array): ArrayBuffer;
  aesGcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ct: Uint8Array): ArrayBuffer;
  hpkeSeal(pub: Uint8Array, info: Uint8Array, aad: Uint8Array, pt: Uint8Array): { enc: ArrayBuffer; ct: ArrayBuffer };
  hpkeOpen(priv: Uint8Array, enc: Uint8Array, info: Uint8Array, aad: Uint8Array, ct: Uint8Array): ArrayBuffer;
  hpkeDerive(ikm: Uint8Array): { privateKey: ArrayBuffer; publicKey: ArrayBuffer };
  hpkeCheckPublic(pub: Uint8Array): void;
  ed25519Sign(seed: Uint8Array, b: Uint8Array): ArrayBuffer;
  ed25519Verify(pub: Uint8Array, b: Uint8Array, sig: Uint8Array): boolean;
  ed25519Public(seed: Uint8Array): ArrayBuffer;
}

const global = globalThis as unknown as Record<string, unknown>;
const host = global["host"] as Host;

// What ts-mls takes from its surroundings.
global["TextEncoder"] = class {
  encode(s: string): Uint8Array {
    return new Uint8Array(host.utf8(s));
  }
};
global["crypto"] = {
  getRandomValues(b: Uint8Array): Uint8Array {
    b.set(new Uint8Array(host.random(b.length)));
    return b;
  },
};
global["Buffer"] = { from: (b: Uint8Array) => ({ toString: () => host.base64(b) }) };

const none = new Uint8Array();
const u8 = (b: ArrayBuffer) => new Uint8Array(b);
/** Keys stay bytes; the types of the library want CryptoKey. */
const priv = (k: Uint8Array) => k as unknown as PrivateKey;
const pub = (k: Uint8Array) => k as unknown as PublicKey;
const raw = (k: PrivateKey | PublicKey) => k as unknown as Uint8Array;

function derive(ikm: Uint8Array): { privateKey: PrivateKey; publicKey: PublicKey } {
  const k = host.hpkeDerive(ikm);
  return { privateKey: priv(u8(k.privateKey)), publicKey: pub(u8(k.publicKey)) };
}

function outside(): never {
  throw new KeysError("invalid", "external commits are outside the profile");
}

const suite: CiphersuiteImpl = {
  name: suiteName,
  rng: { randomBytes: (n) => u8(host.random(n)) },
  hash: {
    digest: async (b) => u8(host.sha512(b)),
    mac: async (key, b) => u8(host.hmacSha512(key, b)),
    verifyMac: async (key, mac, b) => host.equal(mac, u8(host.hmacSha512(key, b))),
  },
  kdf: {
    size: 64,
    extract: async (salt, ikm) => u8(host.hkdfExtract(salt, ikm)),
    expand: async (prk, info, n) => u8(host.hkdfExpand(prk, info, n)),
  },
  hpke: {
    keyLength: 32,
    nonceLength: 12,
    seal: async (key, pt, info, aad) => {
      const s = host.hpkeSeal(raw(key), info, aad ?? none, pt);
      return { enc: u8(s.enc), ct: u8(s.ct) };
    },
    open: async (key, enc, ct, info, aad) => u8(host.hpkeOpen(raw(key), enc, info, aad ?? none, ct)),
    importPrivateKey: async (k) => priv(k),
    importPublicKey: async (k) => {
      host.hpkeCheckPublic(k);
      return pub(k);
    },
    exportPublicKey: async (k) => raw(k).slice(),
    exportPrivateKey: async (k) => raw(k).slice(),
    encryptAead: async (key, nonce, aad, pt) => u8(host.aesGcmSeal(key, nonce, aad ?? none, pt)),
    decryptAead: async (key, nonce, aad, ct) => u8(host.aesGcmOpen(key, nonce, aad ?? none, ct)),
    exportSecret: async () => outside(),
    importSecret: async () => outside(),
    deriveKeyPair: async (ikm) => derive(ikm),
    generateKeyPair: async () => derive(u8(host.random(64))),
  },
  signature: {
    sign: async (seed, b) => u8(host.ed25519Sign(seed, b)),
    verify: async (key, b, sig) => key.length === signaturePublicKeySize && host.ed25519Verify(key, b, sig),
    keygen: async () => {
      const signKey = u8(host.random(32));
      return { signKey, publicKey: u8(host.ed25519Public(signKey)) };
    },
  },
};

/** Called by Go; every function returns a promise. Numbers are safe: an epoch never nears 2^53. */
export const api = {
  async makeMember(identity: Uint8Array, now: number, seed: Uint8Array | null) {
    const signatureKeyPair = seed === null ? undefined : { privateKey: seed, publicKey: u8(host.ed25519Public(seed)) };
    const member = await Member.make(suite, signatureKeyPair === undefined ? { identity, now } : { identity, now, signatureKeyPair });
    return { member, keyPackage: member.keyPackage, ref: await keyPackageRef(suite, member.keyPackage), signatureKey: member.signaturePublicKey };
  },
  keyPackageRef: (keyPackage: Uint8Array) => keyPackageRef(suite, keyPackage),
  create: (member: Member, groupId: Uint8Array) => Group.create(member, groupId),
  join: (member: Member, welcome: Uint8Array, groupId: Uint8Array, roster: Roster, epoch: number) =>
    Group.join(member, welcome, { groupId, roster, epoch: BigInt(epoch) }),
  commit: (g: Group, adds: Uint8Array[], removes: number[], roster: Roster, now: number) => g.commit({ adds, removes, roster, now }),
  async confirm(g: Group, pending: Pending) {
    return Number(g.confirm(pending));
  },
  async discard(g: Group, pending: Pending) {
    g.discard(pending);
  },
  async process(g: Group, commit: Uint8Array, expected: ExpectedCommit, roster: Roster) {
    const r = await g.process(commit, expected, roster);
    return { removed: r.outcome === "removed", epoch: Number(r.epoch) };
  },
  baseKey: (g: Group) => g.exporter(),
  fingerprint: (g: Group) => g.fingerprint(),
  async context(g: Group) {
    const c = g.context();
    return { ...c, epoch: Number(c.epoch), ownLeaf: g.ownLeaf, leaves: g.leaves() };
  },
  attest: (g: Group, scope: Uint8Array) => g.attest(scope),
  async close(g: Group) {
    g.close();
  },
};
