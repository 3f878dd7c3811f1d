// Verifies what the session engine asks for: Ed25519 by WebCrypto, ML-DSA-65 by noble (WebCrypto has none yet).
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, hex } from "../words/bytes";
import { problem } from "../words/problem";
import type { Check } from "./session/check";

/** How many verified certificates are remembered: eight sides have 48 delegation signatures, a full format 256 accreditations. */
const remembered = 1024;

/**
 * Verifier verifies checks and remembers the good ones, so that a certificate seen in every session and every reload of a log costs
 * its ML-DSA signature once. Only success is remembered, under a hash of everything that was verified.
 */
export class Verifier {
  readonly #good = new Set<string>();

  /** verify throws the problem of the first check that fails. */
  async verify(checks: readonly Check[]): Promise<void> {
    const results = await Promise.all(checks.map((c) => this.#one(c)));
    const failed = results.indexOf(false);
    if (failed >= 0) throw problem(checks[failed]!.code, { what: checks[failed]!.what });
  }

  async #one(c: Check): Promise<boolean> {
    const id = hex(sha256(concat(sha256(c.key), sha256(c.message), sha256(c.signature), new Uint8Array([c.alg === "mldsa65" ? 1 : 0]))));
    if (this.#good.has(id)) return true;
    const good = c.alg === "mldsa65" ? mldsa(c) : await ed25519(c);
    if (good) {
      if (this.#good.size >= remembered) this.#good.clear();
      this.#good.add(id);
    }
    return good;
  }
}

function mldsa(c: Check): boolean {
  if (c.key.length !== 1952 || c.signature.length !== 3309) return false;
  try {
    return ml_dsa65.verify(c.signature, c.message, c.key);
  } catch {
    return false;
  }
}

async function ed25519(c: Check): Promise<boolean> {
  if (c.key.length !== 32 || c.signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey("raw", c.key as Uint8Array<ArrayBuffer>, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, c.signature as Uint8Array<ArrayBuffer>, c.message as Uint8Array<ArrayBuffer>);
  } catch {
    return false;
  }
}

const shared = new Verifier();

/** verify verifies checks with a memory that all scopes of this page share. */
export function verify(checks: readonly Check[]): Promise<void> {
  return shared.verify(checks);
}
