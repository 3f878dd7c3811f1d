// SFrame (RFC 9605) over WebCrypto: header, key derivation, seal, open. AES_256_GCM_SHA512_128 in the product;
// AES_128_GCM_SHA256_128 stands in the table for the published vectors.

/** One AEAD suite of RFC 9605 §4.5, sizes in bytes. */
export interface Suite {
  readonly id: number;
  readonly hash: "SHA-256" | "SHA-512";
  readonly keySize: number;
  readonly tagSize: number;
}

export const aes128Gcm: Suite = { id: 4, hash: "SHA-256", keySize: 16, tagSize: 16 };
export const aes256Gcm: Suite = { id: 5, hash: "SHA-512", keySize: 32, tagSize: 16 };

export const nonceSize = 12;
/** 1 byte of configuration, at most 8 of KID and 8 of CTR. */
export const maxHeader = 17;

export interface Header {
  readonly kid: bigint;
  readonly ctr: bigint;
  /** Encoded length. */
  readonly size: number;
}

/** Key and salt of one KID. The key cannot be exported; neither has a printable form. */
export class FrameKey {
  readonly #key: CryptoKey;
  readonly #salt: Uint8Array;
  readonly suite: Suite;
  constructor(suite: Suite, key: CryptoKey, salt: Uint8Array) {
    this.suite = suite;
    this.#key = key;
    this.#salt = salt;
  }

  /** header || ciphertext || tag; aad = header || metadata (RFC 9605 §4.4.3). */
  async seal(kid: bigint, ctr: bigint, metadata: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    const header = encodeHeader(kid, ctr);
    const ct = await crypto.subtle.encrypt(this.#params(ctr, header, metadata), this.#key, source(plaintext));
    const out = new Uint8Array(header.length + ct.byteLength);
    out.set(header);
    out.set(new Uint8Array(ct), header.length);
    return out;
  }

  /** The plaintext; throws when the tag does not verify. */
  async open(header: Header, sealed: Uint8Array, metadata: Uint8Array): Promise<Uint8Array> {
    const params = this.#params(header.ctr, sealed.subarray(0, header.size), metadata);
    return new Uint8Array(await crypto.subtle.decrypt(params, this.#key, source(sealed.subarray(header.size))));
  }

  #params(ctr: bigint, header: Uint8Array, metadata: Uint8Array) {
    const aad = new Uint8Array(header.length + metadata.length);
    aad.set(header);
    aad.set(metadata, header.length);
    return { name: "AES-GCM", iv: source(nonce(this.#salt, ctr)), additionalData: source(aad), tagLength: 8 * this.suite.tagSize };
  }

  toJSON(): string {
    return "FrameKey(redacted)";
  }
}

/** salt XOR CTR, big-endian (RFC 9605 §4.4.3). */
export function nonce(salt: Uint8Array, ctr: bigint): Uint8Array {
  const out = salt.slice();
  let c = ctr;
  for (let i = out.length - 1; c > 0n && i >= 0; i--) {
    out[i]! ^= Number(c & 255n);
    c >>= 8n;
  }
  return out;
}

function size(v: bigint): number {
  let n = 1;
  while (n < 8 && v >= 1n << BigInt(8 * n)) n++;
  return n;
}

/** RFC 9605 §4.3: values under 8 stand in the first byte, others follow in the fewest bytes. */
export function encodeHeader(kid: bigint, ctr: bigint): Uint8Array {
  const k = kid < 8n ? 0 : size(kid);
  const c = ctr < 8n ? 0 : size(ctr);
  const out = new Uint8Array(1 + k + c);
  out[0] = (k === 0 ? Number(kid) << 4 : 0x80 | ((k - 1) << 4)) | (c === 0 ? Number(ctr) : 0x08 | (c - 1));
  put(out, 1, k, kid);
  put(out, 1 + k, c, ctr);
  return out;
}

/** Undefined for bytes that no encoder makes: too short, or a value in more bytes than it needs. */
export function decodeHeader(b: Uint8Array): Header | undefined {
  const config = b[0];
  if (config === undefined) return undefined;
  const k = config & 0x80 ? ((config >> 4) & 7) + 1 : 0;
  const c = config & 0x08 ? (config & 7) + 1 : 0;
  if (b.length < 1 + k + c) return undefined;
  const kid = k === 0 ? BigInt((config >> 4) & 7) : take(b, 1, k);
  const ctr = c === 0 ? BigInt(config & 7) : take(b, 1 + k, c);
  if (k > 0 && (kid < 8n || size(kid) !== k)) return undefined;
  if (c > 0 && (ctr < 8n || size(ctr) !== c)) return undefined;
  return { kid, ctr, size: 1 + k + c };
}

function put(out: Uint8Array, at: number, n: number, v: bigint): void {
  for (let i = n - 1; i >= 0; i--) {
    out[at + i] = Number(v & 255n);
    v >>= 8n;
  }
}

function take(b: Uint8Array, at: number, n: number): bigint {
  let v = 0n;
  for (let i = 0; i < n; i++) v = (v << 8n) | BigInt(b[at + i]!);
  return v;
}

/** The info of HKDF-Expand for a key or a salt (RFC 9605 §4.4.2). */
export function label(what: "key" | "salt", kid: bigint, suite: number): Uint8Array {
  const text = new TextEncoder().encode(`SFrame 1.0 Secret ${what} `);
  const out = new Uint8Array(text.length + 10);
  out.set(text);
  put(out, text.length, 8, kid);
  put(out, text.length + 8, 2, BigInt(suite));
  return out;
}

/** Takes a base key into WebCrypto so that nothing can read it again; the caller wipes the bytes. */
export function importBaseKey(raw: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", source(raw), "HKDF", false, ["deriveBits", "deriveKey"]);
}

/** Key and salt of one KID (RFC 9605 §4.4.2): HKDF with empty salt is the Extract step, the label the Expand step. */
export async function deriveKey(base: CryptoKey, kid: bigint, use: "seal" | "open", suite: Suite = aes256Gcm): Promise<FrameKey> {
  const hkdf = (info: Uint8Array) => ({ name: "HKDF", hash: suite.hash, salt: new Uint8Array(), info: source(info) });
  const key = await crypto.subtle.deriveKey(
    hkdf(label("key", kid, suite.id)),
    base,
    { name: "AES-GCM", length: 8 * suite.keySize },
    false,
    [use === "seal" ? "encrypt" : "decrypt"],
  );
  const salt = await crypto.subtle.deriveBits(hkdf(label("salt", kid, suite.id)), base, 8 * nonceSize);
  return new FrameKey(suite, key, new Uint8Array(salt));
}

function source(b: Uint8Array): Uint8Array<ArrayBuffer> {
  return b as Uint8Array<ArrayBuffer>;
}
