// The session fingerprint: 6 words of 11 bits from the MLS exporter, compared by voice outside the link.

import { wordlist } from "@scure/bip39/wordlists/english.js";
import { KeysError } from "./errors.js";

export const fingerprintWords = 6;

export interface Fingerprint {
  readonly words: readonly string[];
  /** 0..2047 each, the same in every language. */
  readonly indices: readonly number[];
}

/** Reads six 11-bit numbers, most significant bit first, from at least nine bytes. */
export function fingerprintOf(secret: Uint8Array): Fingerprint {
  if (secret.length * 8 < fingerprintWords * 11) throw new KeysError("malformed", "fingerprint");
  const indices: number[] = [];
  for (let w = 0; w < fingerprintWords; w++) {
    let v = 0;
    for (let b = w * 11; b < w * 11 + 11; b++) v = (v << 1) | ((secret[b >> 3]! >> (7 - (b & 7))) & 1);
    indices.push(v);
  }
  return { indices, words: indices.map((i) => wordlist[i]!) };
}
