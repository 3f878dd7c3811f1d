// The MLS profile of Parley (docs/decisions/0002-mls-library.md): what a commit, a KeyPackage and a leaf
// may look like before the library sees them. RFC 9420 allows much more; whatever we do not use is refused,
// because each unused mechanism (external commits, PSKs, ReInit, extensions) is a way into the group that
// the signed log does not know.

import type { Capabilities } from "ts-mls/capabilities.js";
import type { KeyPackage } from "ts-mls/keyPackage.js";
import { decodeKeyPackage, encodeKeyPackage } from "ts-mls/keyPackage.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { decodeMlsMessage, encodeMlsMessage } from "ts-mls/message.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import type { Welcome } from "ts-mls/welcome.js";
import type { FramedContentCommit } from "ts-mls/framedContent.js";
import { KeysError } from "./errors.js";
import { equal, hex } from "./octets.js";

/** X-Wing (ML-KEM-768 with X25519), AES-256-GCM, SHA-512, Ed25519; private-use id of ts-mls. */
export const suiteName = "MLS_256_XWING_AES256GCM_SHA512_Ed25519";
export const suiteId = 83;

// Our bounds. A commit that adds 128 people is 345 KB, its Welcome 272 KB.
export const maxMembers = 128;
export const maxLeafIndex = 1023;
export const maxCommit = 1 << 20;
export const maxWelcome = 2 << 20;
export const maxKeyPackage = 8 << 10;
export const maxIdentity = 256;
export const maxGroupId = 64;
/** Seconds. A KeyPackage is made when a device joins a session and used within minutes. */
export const keyPackageLifetime = 24 * 3600;
export const clockSkew = 3600;

// Sizes of the suite.
export const hpkePublicKeySize = 1216;
export const signaturePublicKeySize = 32;

/** One leaf that the signed log allows: a leaf is valid only if such a pair is in the roster. */
export interface RosterEntry {
  readonly identity: Uint8Array;
  readonly signatureKey: Uint8Array;
}

/** Every (identity, signature key) that may hold a leaf at this index of the log, in any order. */
export type Roster = readonly RosterEntry[];

export interface Leaf extends RosterEntry {
  readonly index: number;
}

export const ourCapabilities: Capabilities = {
  versions: ["mls10"],
  ciphersuites: [suiteName],
  extensions: [],
  proposals: [],
  credentials: ["basic"],
};

export type CommitMessage = PublicMessage & { content: FramedContentCommit };

/** A commit that fits the profile, decoded. */
export interface CommitView {
  readonly message: CommitMessage;
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly committer: number;
  readonly adds: readonly KeyPackage[];
  readonly removes: readonly number[];
}

/** A leaf's basic credential identity, checked. */
export function leafIdentity(leaf: LeafNode): Uint8Array {
  const c = leaf.credential;
  if (c.credentialType !== "basic") throw new KeysError("bad-credential", "not basic");
  if (c.identity.length === 0 || c.identity.length > maxIdentity) throw new KeysError("bad-credential", "identity size");
  return c.identity;
}

export function checkLeaf(leaf: LeafNode): void {
  leafIdentity(leaf);
  if (leaf.signaturePublicKey.length !== signaturePublicKeySize) throw new KeysError("wrong-suite", "signature key size");
  if (leaf.hpkePublicKey.length !== hpkePublicKeySize) throw new KeysError("wrong-suite", "encryption key size");
  if (leaf.extensions.length !== 0) throw new KeysError("forbidden-extension", "leaf");
  const c = leaf.capabilities;
  if (!c.versions.includes("mls10")) throw new KeysError("wrong-version", "capabilities");
  if (!c.ciphersuites.includes(suiteName)) throw new KeysError("wrong-suite", "capabilities");
  if (!c.credentials.includes("basic")) throw new KeysError("bad-credential", "capabilities");
}

export function checkKeyPackage(kp: KeyPackage): void {
  if (kp.version !== "mls10") throw new KeysError("wrong-version");
  if (kp.cipherSuite !== suiteName) throw new KeysError("wrong-suite", "KeyPackage");
  if (kp.initKey.length !== hpkePublicKeySize) throw new KeysError("wrong-suite", "init key size");
  if (kp.extensions.length !== 0) throw new KeysError("forbidden-extension", "KeyPackage");
  if (equal(kp.initKey, kp.leafNode.hpkePublicKey)) throw new KeysError("bad-keypackage", "init key is the leaf's");
  checkLeaf(kp.leafNode);
}

/** Lifetime in seconds against now in ms: valid now, and never longer than we make them ourselves. */
export function checkLifetime(kp: KeyPackage, now: number): void {
  const { notBefore, notAfter } = kp.leafNode.lifetime;
  const seconds = BigInt(Math.floor(now / 1000));
  if (notAfter < notBefore || notAfter - notBefore > BigInt(keyPackageLifetime + 2 * clockSkew))
    throw new KeysError("bad-lifetime", "too long");
  if (seconds + BigInt(clockSkew) < notBefore || seconds > notAfter) throw new KeysError("bad-lifetime", "not valid now");
}

/** Decodes a bare KeyPackage (RFC 9420 §10) and checks it against the profile, not its signature. */
export function parseKeyPackage(b: Uint8Array): KeyPackage {
  if (b.length > maxKeyPackage) throw new KeysError("too-large", "KeyPackage");
  const kp = whole(b, decodeKeyPackage, encodeKeyPackage);
  checkKeyPackage(kp);
  return kp;
}

/** Decodes an MLSMessage with a Commit and checks its shape against the profile. */
export function parseCommit(b: Uint8Array): CommitView {
  if (b.length > maxCommit) throw new KeysError("too-large", "commit");
  const m = whole(b, decodeMlsMessage, encodeMlsMessage);
  if (m.version !== "mls10") throw new KeysError("wrong-version");
  if (m.wireformat !== "mls_public_message") throw new KeysError("not-public-commit", m.wireformat);
  const message = m.publicMessage;
  const content = message.content;
  if (content.contentType !== "commit") throw new KeysError("not-public-commit", content.contentType);
  // A sender other than a member would be an external commit or an external sender: a way in beside the log.
  if (content.sender.senderType !== "member") throw new KeysError("not-public-commit", content.sender.senderType);
  if (content.authenticatedData.length !== 0) throw new KeysError("malformed", "authenticated data");
  const adds: KeyPackage[] = [];
  const removes: number[] = [];
  for (const p of content.commit.proposals) {
    if (p.proposalOrRefType !== "proposal") throw new KeysError("forbidden-proposal", "by reference");
    if (p.proposal.proposalType === "add") adds.push(p.proposal.add.keyPackage);
    else if (p.proposal.proposalType === "remove") removes.push(p.proposal.remove.removed);
    else throw new KeysError("forbidden-proposal", String(p.proposal.proposalType));
  }
  if (adds.length > maxMembers || removes.length > maxMembers) throw new KeysError("too-large", "proposals");
  // A removed member derives the next epoch's secrets unless a path replaces what it knew.
  if (content.commit.path === undefined) throw new KeysError("no-path");
  if (removes.some((r) => r > maxLeafIndex)) throw new KeysError("malformed", "leaf index");
  for (const kp of adds) checkKeyPackage(kp);
  checkLeaf(content.commit.path.leafNode);
  return {
    message: message as CommitMessage,
    groupId: content.groupId,
    epoch: content.epoch,
    committer: content.sender.leafIndex,
    adds,
    removes,
  };
}

/** Decodes an MLSMessage with a Welcome of our suite. */
export function parseWelcome(b: Uint8Array): Welcome {
  if (b.length > maxWelcome) throw new KeysError("too-large", "welcome");
  const m = whole(b, decodeMlsMessage, encodeMlsMessage);
  if (m.version !== "mls10") throw new KeysError("wrong-version");
  if (m.wireformat !== "mls_welcome") throw new KeysError("malformed", m.wireformat);
  if (m.welcome.cipherSuite !== suiteName) throw new KeysError("wrong-suite", "Welcome");
  if (m.welcome.secrets.length > maxMembers) throw new KeysError("too-large", "welcome secrets");
  return m.welcome;
}

/** The leaves of a tree, each checked. */
export function treeLeaves(tree: RatchetTree): Leaf[] {
  const out: Leaf[] = [];
  for (let i = 0; i < tree.length; i += 2) {
    const n = tree[i];
    if (n === undefined) continue;
    if (n.nodeType !== "leaf") throw new KeysError("malformed", "tree");
    checkLeaf(n.leaf);
    out.push({ index: i / 2, identity: leafIdentity(n.leaf), signatureKey: n.leaf.signaturePublicKey });
  }
  if (out.length > maxMembers) throw new KeysError("too-large", "members");
  return out;
}

/** A roster as a set of pairs, for look-up. */
export class RosterSet {
  readonly #pairs = new Set<string>();
  constructor(roster: Roster) {
    for (const e of roster) this.#pairs.add(`${hex(e.identity)}/${hex(e.signatureKey)}`);
  }
  has(e: RosterEntry): boolean {
    return this.#pairs.has(`${hex(e.identity)}/${hex(e.signatureKey)}`);
  }
}

/** Decodes to the last byte, and refuses all forms but the one the encoder writes: one meaning, one hash. */
function whole<T>(b: Uint8Array, decode: (b: Uint8Array, offset: number) => [T, number] | undefined, encode: (t: T) => Uint8Array): T {
  let r: [T, number] | undefined;
  let again: Uint8Array;
  try {
    r = decode(b, 0);
    if (r === undefined) throw new KeysError("malformed");
    again = encode(r[0]);
  } catch {
    throw new KeysError("malformed");
  }
  if (r[1] !== b.length) throw new KeysError("malformed", "trailing bytes");
  if (!equal(again, b)) throw new KeysError("malformed", "not the shortest form");
  return r[0];
}
