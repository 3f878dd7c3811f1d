// The words of identity (internal/ident): certificates, accreditations, revocations, and what people compare.
import { sha256 } from "@noble/hashes/sha2.js";
import { CanonError, decode, encode } from "./canon";
import { problem } from "./problem";
import { bytes, int, list, maxInt, struct, text, texts, type Of, type Shape } from "./schema";
import { isId, isRole, isText, isTexts, maxText } from "./text";

export const contextNode = "parley node-cert v1";
export const contextOfficer = "parley officer-cert v1";
export const contextAccreditation = "parley accreditation v1";
export const contextRevocation = "parley revocation v1";
export const contextSession = "parley session-cert v1";
export const contextLinkCard = "parley link-card v1";
export const contextChallenge = "parley challenge v1";
export const contextEnrolment = "parley enrolment v1";

const maxChain = 16 << 10;
const maxFormats = 16;

/** Kind of structure: its shape, and its bounds. */
interface Structure<T> {
  readonly shape: Shape<T>;
  readonly bounds: (v: T) => boolean;
}

const isKey = (b: Uint8Array): boolean => b.length === 32;
const isTime = (t: number): boolean => t >= 0 && t <= maxInt;
const isSpan = (from: number, until: number): boolean => isTime(from) && isTime(until) && from < until;

function structure<T extends { v: number }>(shape: Shape<T>, bounds: (v: T) => boolean): Structure<T> {
  return { shape, bounds: (v) => v.v === 1 && bounds(v) };
}

const signedShape = struct({ body: bytes, ed25519: bytes }, { mldsa65: bytes });
export type SignedBody = Of<typeof signedShape>;
export const signedBody: Structure<SignedBody> = {
  shape: signedShape,
  bounds: (s) =>
    s.body.length >= 1 && s.body.length <= maxChain && s.ed25519.length === 64 && (s.mldsa65 === undefined || s.mldsa65.length === 3309),
};

export const delegationKey = structure(
  struct({ v: int, ed25519: bytes, mldsa65: bytes }),
  (k) => isKey(k.ed25519) && k.mldsa65.length === 1952,
);
export const nodeCert = structure(
  struct({ v: int, side: bytes, key: bytes, from: int, until: int }),
  (c) => isKey(c.side) && isKey(c.key) && isSpan(c.from, c.until),
);
export const officerCert = structure(
  struct({ v: int, side: bytes, person: text, name: text, device: bytes, from: int, until: int }),
  (c) => isKey(c.side) && isKey(c.device) && isId(c.person) && isSpan(c.from, c.until) && isText(c.name, maxText),
);
export const accreditation = structure(
  struct({
    v: int, side: bytes, person: text, name: texts, office: texts, role: text, formats: list(text), device: bytes,
    from: int, until: int, verified: text, at: int, by: bytes,
  }), // prettier-ignore
  (a) =>
    isKey(a.side) && isKey(a.device) && isKey(a.by) && isId(a.person) && isRole(a.role) && isId(a.verified) &&
    isSpan(a.from, a.until) && isTime(a.at) && a.formats.length >= 1 && a.formats.length <= maxFormats && a.formats.every(isId) &&
    isTexts(a.name, maxText) && isTexts(a.office, maxText), // prettier-ignore
);
export const revocation = structure(
  struct({ v: int, side: bytes, person: text, device: bytes, reason: text, at: int, by: bytes }),
  (r) =>
    isKey(r.side) && isKey(r.by) && isId(r.person) && isTime(r.at) && (r.device.length === 0 || isKey(r.device)) &&
    (r.reason === "" || isText(r.reason, maxText)), // prettier-ignore
);
export const sessionCert = structure(
  struct({ v: int, scope: bytes, side: bytes, person: text, device: bytes, key: bytes }),
  (c) => isKey(c.scope) && isKey(c.side) && isKey(c.device) && isKey(c.key) && isId(c.person),
);
export const leaf = structure(
  struct({ v: int, scope: bytes, side: bytes, person: text, device: bytes }),
  (l) => isKey(l.scope) && isKey(l.side) && isKey(l.device) && isId(l.person),
);
export const linkCard = structure(
  struct({ v: int, side: bytes, name: texts, delegation: bytes, node: bytes, address: text, until: int }),
  (c) =>
    isKey(c.side) && isTime(c.until) && c.delegation.length <= maxChain && c.node.length <= maxChain && c.address.length >= 3 &&
    isText(c.address, 255) && isTexts(c.name, maxText), // prettier-ignore
);

type Value<S> = S extends Structure<infer T> ? T : never;
export type DelegationKey = Value<typeof delegationKey>;
export type NodeCert = Value<typeof nodeCert>;
export type OfficerCert = Value<typeof officerCert>;
export type Accreditation = Value<typeof accreditation>;
export type Revocation = Value<typeof revocation>;
export type SessionCert = Value<typeof sessionCert>;
export type Leaf = Value<typeof leaf>;
export type LinkCard = Value<typeof linkCard>;

/** decodeIdent reads one structure from its canonical bytes and checks its bounds; throws a CanonError. */
export function decodeIdent<T>(s: Structure<T>, b: Uint8Array): T {
  const v = decode(s.shape, b, 2 * maxChain);
  if (!s.bounds(v)) throw new CanonError("field out of bounds");
  return v;
}

/** open reads a SignedBody and the body in it. It checks no signature. */
export function open<T>(s: Structure<T>, b: Uint8Array): { value: T; signed: SignedBody } {
  const signed = decodeIdent(signedBody, b);
  return { value: decodeIdent(s, signed.body), signed };
}

/** sideId names a side for ever. */
export function sideId(k: DelegationKey): Uint8Array {
  return sha256(encode(k));
}

/** inForce throws a problem unless now lies in [from, until). */
export function inForce(from: number, until: number, now: number): void {
  if (now < from) throw problem("accreditation-early");
  if (now >= until) throw problem("accreditation-expired");
}

export function isInForce(from: number, until: number, now: number): boolean {
  return now >= from && now < until;
}
