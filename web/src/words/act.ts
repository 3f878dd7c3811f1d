// The words of the ordered log (internal/act): acts, entries, outbox items, heads. Field names are those of the bytes.
import { sha256 } from "@noble/hashes/sha2.js";
import { CanonError, decode, encode, message } from "./canon";
import { problem } from "./problem";
import { bytes, int, maxInt, struct, text, uint, type Of, type Shape } from "./schema";

export { message } from "./canon";

export const version = 1;
export const contextAct = "parley act v1";
export const contextEntry = "parley entry v1";
export const contextHead = "parley head v1";
export const contextOutbox = "parley outbox v1";

const idSize = 32;
const keySize = 32;
const nonceSize = 16;
const sigSize = 64;
const maxAct = 768 << 10;

const actShape = struct({ v: int, scope: bytes, kind: text, side: bytes, key: bytes, at: int, nonce: bytes, body: bytes });
const signedShape = struct({ act: bytes, sig: bytes });
const entryShape = struct({ v: int, scope: bytes, term: uint, index: uint, prev: bytes, at: int, from: text, item: bytes });
const headShape = struct({ v: int, scope: bytes, term: uint, index: uint, hash: bytes });
const outboxShape = struct({ v: int, scope: bytes, side: bytes, seq: uint, prev: bytes, at: int, act: bytes });
const signedOutboxShape = struct({ item: bytes, sig: bytes });

export type Act = Of<typeof actShape>;
export type Signed = Of<typeof signedShape>;
export type Entry = Of<typeof entryShape>;
export type Head = Of<typeof headShape>;
export type Outbox = Of<typeof outboxShape>;
export type SignedOutbox = Of<typeof signedOutboxShape>;

/** NodeSig is one node's signature over a head. */
export interface NodeSig {
  readonly side: Uint8Array;
  readonly sig: Uint8Array;
}

/** DecodedAct is an act with what the rules need of its envelope. */
export interface DecodedAct {
  readonly act: Act;
  readonly id: Uint8Array;
  readonly raw: Uint8Array;
  readonly sig: Uint8Array;
}

/** idOf names an act by its bytes. */
export function idOf(actBytes: Uint8Array): Uint8Array {
  return sha256(actBytes);
}

/** hash is an entry's place in the chain. */
export function hash(entry: Uint8Array): Uint8Array {
  return sha256(message(contextEntry, entry));
}

/** hashItem is an outbox item's place in its node's chain. */
export function hashItem(item: Uint8Array): Uint8Array {
  return sha256(item);
}

/** read decodes, or throws a problem. */
export function read<T>(shape: Shape<T>, b: Uint8Array, what: string): T {
  try {
    return decode(shape, b);
  } catch (e) {
    throw problem(e instanceof CanonError && e.tooLarge ? "too-large" : "malformed", { what });
  }
}

function sizes(what: string, ...ok: boolean[]): void {
  if (ok.includes(false)) throw problem("malformed", { what });
}

function isTime(t: number): boolean {
  return t >= 0 && t <= maxInt;
}

export function decodeEntry(b: Uint8Array): Entry {
  const e = read(entryShape, b, "entry");
  if (e.v !== version) throw problem("wrong-version", { what: "entry" });
  sizes("entry", e.scope.length === idSize, e.prev.length === idSize, isTime(e.at), e.term !== 0);
  return e;
}

/** decodeSigned reads canonical Signed. It checks no signature. */
export function decodeSigned(b: Uint8Array): DecodedAct {
  const s = read(signedShape, b, "act");
  if (s.act.length > maxAct) throw problem("too-large", { what: "act" });
  const a = read(actShape, s.act, "act");
  if (a.v !== version) throw problem("wrong-version", { what: "act" });
  sizes(
    "act",
    a.scope.length === idSize,
    a.side.length === idSize,
    a.key.length === keySize,
    a.nonce.length === nonceSize,
    isTime(a.at),
    s.sig.length === sigSize,
  );
  return { act: a, id: idOf(s.act), raw: s.act, sig: s.sig };
}

/** decodeOutbox reads canonical SignedOutbox and the item in it. */
export function decodeOutbox(b: Uint8Array): { signed: SignedOutbox; item: Outbox } {
  const signed = read(signedOutboxShape, b, "outbox");
  const item = read(outboxShape, signed.item, "outbox");
  if (item.v !== version) throw problem("wrong-version", { what: "outbox" });
  sizes(
    "outbox",
    item.scope.length === idSize,
    item.side.length === idSize,
    item.prev.length === idSize,
    isTime(item.at),
    signed.sig.length === sigSize,
  );
  return { signed, item };
}

export function decodeHead(b: Uint8Array): Head {
  const h = read(headShape, b, "head");
  if (h.v !== version) throw problem("wrong-version", { what: "head" });
  sizes("head", h.scope.length === idSize, h.hash.length === idSize);
  return h;
}

/** headAfter is the canonical head over an entry. */
export function headAfter(scope: Uint8Array, term: number, index: number, entryHash: Uint8Array): Uint8Array {
  return encode({ v: version, scope, term, index, hash: entryHash });
}
