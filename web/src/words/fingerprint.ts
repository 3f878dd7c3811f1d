// What people compare: words and digits (internal/ident/fingerprint.go).
import { sha256 } from "@noble/hashes/sha2.js";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { concat, hex } from "./bytes";
import { encode, message } from "./canon";
import type { DelegationKey } from "./ident";

const contextDeviceWords = "parley device-words v1";
const contextFingerprint = "parley link-fingerprint v1";
const contextPair = "parley pair-fingerprint v1";

/** words writes the first n × 11 bits of b, most significant bit first, as words of the BIP-39 English list. */
export function words(b: Uint8Array, n: number): string[] {
  const out: string[] = [];
  let acc = 0;
  let bits = 0;
  let at = 0;
  while (out.length < n) {
    while (bits < 11) {
      acc = (acc << 8) | b[at++]!;
      bits += 8;
    }
    bits -= 11;
    out.push(wordlist[(acc >> bits) & 2047]!);
    acc &= (1 << bits) - 1;
  }
  return out;
}

/** deviceWords are the six words that a person reads to an officer when enrolling. */
export function deviceWords(device: Uint8Array): string[] {
  return words(sha256(message(contextDeviceWords, device)), 6);
}

/** pairWords are the six words of two sides, by their ids and so by their delegation keys: the same at both, in every session. */
export function pairWords(a: Uint8Array, b: Uint8Array): string[] {
  const [low, high] = hex(a) < hex(b) ? [a, b] : [b, a];
  return words(sha256(message(contextPair, concat(low, high))), 6);
}

export interface LinkFingerprint {
  /** 8 groups of 5 digits, joined by spaces. */
  readonly digits: string;
  readonly words: readonly string[];
}

/** linkFingerprint is over a side's delegation key and its node key. */
export function linkFingerprint(k: DelegationKey, node: Uint8Array): LinkFingerprint {
  const h = sha256(message(contextFingerprint, concat(encode(k), node)));
  const view = new DataView(h.buffer, h.byteOffset);
  const groups = Array.from({ length: 8 }, (_, i) => String(view.getUint32(4 * i) % 100000).padStart(5, "0"));
  return { digits: groups.join(" "), words: words(h, 6) };
}
