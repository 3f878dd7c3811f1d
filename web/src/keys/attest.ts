// Attestations: after each epoch a member signs what it believes the group is. Two valid signatures over the same
// group and epoch with different hashes prove a fork (RFC 9420 §16.4 leaves detecting one to the application).
//
// Bytes: canonical CBOR (RFC 8949 §4.2) of {v, tree, epoch, group, scope, transcript}, signed like every statement
// of this house: Ed25519 over context string, zero byte, bytes.

import type { Signature } from "ts-mls/crypto/signature.js";
import { KeysError } from "./errors.js";
import { concat, utf8 } from "./octets.js";

export const attestationContext = "parley attestation v1";

export interface Attested {
  /** The scope's id. */
  readonly scope: Uint8Array;
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly treeHash: Uint8Array;
  readonly confirmedTranscriptHash: Uint8Array;
}

/** The canonical bytes of an attestation, without the context. */
export function attestationBytes(a: Attested): Uint8Array {
  // Keys in bytewise order of their encodings: shorter first.
  return concat(
    Uint8Array.of(0xa6),
    pair("v", unsigned(1n)),
    pair("tree", bytes(a.treeHash)),
    pair("epoch", unsigned(a.epoch)),
    pair("group", bytes(a.groupId)),
    pair("scope", bytes(a.scope)),
    pair("transcript", bytes(a.confirmedTranscriptHash)),
  );
}

export function signAttestation(s: Signature, privateKey: Uint8Array, a: Attested): Promise<Uint8Array> {
  return s.sign(privateKey, message(a));
}

/** Throws bad-attestation unless the signature is the member's over exactly this view of the group. */
export async function verifyAttestation(s: Signature, publicKey: Uint8Array, a: Attested, signature: Uint8Array): Promise<void> {
  let ok = false;
  try {
    ok = signature.length === 64 && (await s.verify(publicKey, message(a), signature));
  } catch {
    ok = false;
  }
  if (!ok) throw new KeysError("bad-attestation");
}

function message(a: Attested): Uint8Array {
  return concat(utf8(attestationContext), Uint8Array.of(0), attestationBytes(a));
}

function head(major: number, n: bigint): Uint8Array {
  const m = major << 5;
  if (n < 24n) return Uint8Array.of(m | Number(n));
  for (const [size, info] of [
    [1, 24],
    [2, 25],
    [4, 26],
    [8, 27],
  ] as const) {
    if (n < 1n << BigInt(8 * size)) {
      const out = new Uint8Array(1 + size);
      out[0] = m | info;
      for (let i = 0; i < size; i++) out[size - i] = Number((n >> BigInt(8 * i)) & 255n);
      return out;
    }
  }
  throw new KeysError("malformed", "integer");
}

const unsigned = (n: bigint) => head(0, n);
const bytes = (b: Uint8Array) => concat(head(2, BigInt(b.length)), b);
const pair = (key: string, value: Uint8Array) => concat(head(3, BigInt(key.length)), utf8(key), value);
