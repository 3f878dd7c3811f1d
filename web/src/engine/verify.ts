// Verifies what the session engine asks for: Ed25519 by WebCrypto, ML-DSA-65 by noble (WebCrypto has none yet).
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, hex } from "../words/bytes";
import { problem } from "../words/problem";
import type { Check } from "./session/check";

/** How many verified certificates are remembered: eight sides have 48 delegation signatures, a full format 256 accreditations. */
const remembered = 1024;
/** Of delegation keys, which are dear: three certificates of each of eight sides, and as many again that followed them. */
const rememberedDear = 64;
const mostKeys = 512;

/** These are verified once in a log's life: to remember them would cost more than it saves. */
const once: ReadonlySet<string> = new Set(["act", "head", "outbox", "memory"]);

/**
 * Verifier verifies checks and remembers the good ones, so that a certificate seen in every session and every reload of a log costs
 * its ML-DSA signature once. Only success is remembered, under a hash of everything that was verified.
 */
export class Verifier {
  readonly #good = new Set<string>();
  /** Of #good, those by ML-DSA, the newest last. */
  readonly #dear = new Set<string>();
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  /** verify throws the problem of the first check that fails. */
  async verify(checks: readonly Check[]): Promise<void> {
    const results = await Promise.all(checks.map((c) => this.#one(c)));
    const failed = results.indexOf(false);
    if (failed >= 0) throw problem(checks[failed]!.code, { what: checks[failed]!.what });
  }

  /** certificates are the ML-DSA signatures verified, as hex of 32 bytes each; trust takes them back on another day. */
  certificates(): readonly string[] {
    return [...this.#dear];
  }

  trust(certificates: readonly string[]): void {
    for (const id of certificates) this.#remember(id, true);
  }

  async #one(c: Check): Promise<boolean> {
    if (once.has(c.what)) return this.#ed25519(c);
    const id = hex(sha256(concat(sha256(c.key), sha256(c.message), sha256(c.signature), new Uint8Array([c.alg === "mldsa65" ? 1 : 0]))));
    const dear = c.alg === "mldsa65";
    if (this.#good.has(id)) {
      if (dear) this.#remember(id, true);
      return true;
    }
    const good = dear ? mldsa(c) : await this.#ed25519(c);
    if (good) this.#remember(id, dear);
    return good;
  }

  #remember(id: string, dear: boolean): void {
    if (this.#good.size >= remembered) this.#good.clear();
    this.#good.add(id);
    if (!dear) return;
    this.#dear.delete(id);
    this.#dear.add(id);
    if (this.#dear.size > rememberedDear) for (const oldest of this.#dear) return void this.#dear.delete(oldest);
  }

  async #ed25519(c: Check): Promise<boolean> {
    if (c.alg !== "ed25519" || c.key.length !== 32 || c.signature.length !== 64) return false;
    try {
      return await crypto.subtle.verify("Ed25519", await this.#key(c.key), c.signature as Uint8Array<ArrayBuffer>, c.message as Uint8Array<ArrayBuffer>);
    } catch {
      return false;
    }
  }

  /** A log names the same few keys in every entry. */
  #key(raw: Uint8Array): Promise<CryptoKey> {
    const id = hex(raw);
    let key = this.#keys.get(id);
    if (key === undefined) {
      if (this.#keys.size >= mostKeys) this.#keys.clear();
      key = crypto.subtle.importKey("raw", raw as Uint8Array<ArrayBuffer>, "Ed25519", false, ["verify"]);
      key.catch(() => this.#keys.delete(id));
      this.#keys.set(id, key);
    }
    return key;
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

const shared = new Verifier();

/** verify verifies checks with a memory that all scopes of this page share. */
export function verify(checks: readonly Check[]): Promise<void> {
  return shared.verify(checks);
}
