// What this device remembers of the logs it has read and checked, so that a page that opens again goes on from there instead of
// checking every signature anew (docs/decisions/0008-remembered-logs.md).
//
// A memory counts only under this device's own signature, for the build of the client that checked it: who can write this origin's storage
// but not sign as this device can make it be forgotten, or bring an older one back, and nothing else. Both cost time only, since the
// log is checked from there on. Whatever is wrong with a memory, the log is read from its beginning.
import type { Verifier } from "../engine/verify";
import type { Cabinet } from "../identity/cabinet";
import type { Device } from "../identity/device";
import { message } from "../words/act";
import { concat, equal, fromHex, hex } from "../words/bytes";
import { decode, encode } from "../words/canon";
import { bytes, int, list, struct, text, type Of } from "../words/schema";

export const contextMemory = "parley memory v1";

const version = 1;
const logs = "memory/log/";
const certificates = "memory/certificates";
const mostLogs = 8;
/** Bytes of one memory. A longer log is read from its beginning: it is rare, and so is a memory worth more than this. */
const largest = 1 << 20;

const keptShape = struct({
  v: int,
  build: text,
  scope: bytes,
  side: bytes,
  /** Canonical ordered state (State.snapshot). */
  state: bytes,
  /** Of every entry: its hash, its head, who signed that, and its time. */
  entries: list(struct({ hash: bytes, head: bytes, at: int, sigs: list(struct({ side: bytes, sig: bytes })) })),
  /** How far each side's node has signed. */
  signed: list(struct({ side: bytes, index: int })),
});
const certificatesShape = struct({ v: int, build: text, good: bytes });

/** Kept is a log as far as it was checked. */
export type Kept = Omit<Of<typeof keptShape>, "v" | "build">;

interface Record {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

export class Memory {
  readonly #cabinet: Cabinet;
  readonly #device: Device;
  readonly #verifier: Verifier;
  readonly #build: string;
  readonly #read: Promise<Map<string, Kept>>;
  #certificates = "";

  /** build names the client's code; empty: nothing is remembered, as in development. */
  constructor(cabinet: Cabinet, device: Device, verifier: Verifier, build: string) {
    this.#cabinet = cabinet;
    this.#device = device;
    this.#verifier = verifier;
    this.#build = build;
    this.#read = build === "" ? Promise.resolve(new Map()) : this.#readAll().catch(() => new Map());
  }

  /** ready: the certificates that were verified here before are known to the verifier. */
  async ready(): Promise<void> {
    await this.#read;
  }

  async recall(scope: Uint8Array, side: Uint8Array): Promise<Kept | undefined> {
    const kept = (await this.#read).get(hex(scope));
    return kept !== undefined && equal(kept.side, side) ? kept : undefined;
  }

  async keep(kept: Kept): Promise<void> {
    if (this.#build === "") return;
    const { scope, side, state, entries, signed } = kept;
    const body = encode({ v: version, build: this.#build, scope, side, state, entries, signed });
    if (body.length <= largest) await this.#put(logs + hex(scope), body);
    await this.#keepCertificates();
  }

  /** only forgets every log but these: what the node does not serve any more is not kept lying about. */
  async only(scopes: readonly Uint8Array[]): Promise<void> {
    const wanted = new Set(scopes.slice(-mostLogs).map((s) => logs + hex(s)));
    for (const [name] of await this.#cabinet.all(logs)) if (!wanted.has(name)) await this.#cabinet.remove(name);
  }

  async #keepCertificates(): Promise<void> {
    const good = this.#verifier.certificates();
    const all = good.join("");
    if (all === this.#certificates) return;
    this.#certificates = all;
    await this.#put(certificates, encode({ v: version, build: this.#build, good: fromHex(all) }));
  }

  async #put(name: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const signature = await this.#device.sign(contextMemory, concat(new TextEncoder().encode(name), body));
    await this.#cabinet.put(name, { body, signature } satisfies Record, "relaxed");
  }

  async #readAll(): Promise<Map<string, Kept>> {
    const found = new Map<string, Kept>();
    await Promise.all((await this.#cabinet.all<Record>("memory/")).map(([name, record]) => this.#one(name, record, found).catch(() => undefined)));
    return found;
  }

  /** The place is under the signature too: a memory of one log is none of another. */
  async #one(name: string, record: Record, found: Map<string, Kept>): Promise<void> {
    const { body, signature } = record;
    if (!(body instanceof Uint8Array) || !(signature instanceof Uint8Array) || body.length > largest) return;
    const covered = message(contextMemory, concat(new TextEncoder().encode(name), body));
    await this.#verifier.verify([{ alg: "ed25519", key: this.#device.publicKey, message: covered, signature, what: "memory", code: "bad-signature" }]);
    if (name === certificates) {
      const { v, build, good } = decode(certificatesShape, body);
      if (v !== version || build !== this.#build) return;
      this.#certificates = hex(good);
      this.#verifier.trust(this.#certificates.match(/.{64}/g) ?? []);
      return;
    }
    const kept = decode(keptShape, body);
    if (kept.v !== version || kept.build !== this.#build || name !== logs + hex(kept.scope)) return;
    found.set(hex(kept.scope), kept);
  }
}
