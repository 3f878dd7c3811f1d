// Which key a frame is sealed or opened with. Pure but for WebCrypto: time is given, nothing is scheduled.
//
// Receiving: a KID names context, leaf and epoch. The leaf and the context must be those of the person and the track
// that a signed act announced, or a node (or another member) could put one voice under another's name. Exactly the
// key that the KID names is tried.
// Sending: one counter per (context, epoch), from 0, never set back: a repeated counter would reuse a nonce.

import { decodeKid, encodeKid, residueOf } from "./kid.js";
import { ReplayWindow } from "./replay.js";
import { decodeHeader, deriveKey, type FrameKey } from "./sframe.js";

/** ms that a receive key outlives the epoch that replaced it. */
export const oldKeyLife = 10_000;
/** ms that a key which is to be sealed with may be on its way; then nothing leaves until it comes. */
export const keyWithin = 1_000;
/** Epochs ahead of the newest key for which a frame is held. */
export const mostAhead = 8;
/** Frames under one key; far below the limits of AES-GCM for frames of 1 MB. */
export const maxCounter = 1n << 32n;

/** What became of a frame. Every frame has one. */
export const verdicts = [
  "sealed",
  "opened",
  "empty", // 0 bytes: passed through (Opus DTX)
  "no-send-key",
  "stopped", // suspended
  "exhausted", // the counter has run out
  "codec", // a codec that cannot be sealed
  "malformed", // framing or SFrame header
  "not-allowed", // no leaf is allowed for the track yet
  "wrong-leaf",
  "wrong-context",
  "no-key", // of an epoch not held
  "replayed",
  "too-old",
  "forged", // the tag did not verify
] as const;
export type Verdict = (typeof verdicts)[number];

export interface Allowed {
  readonly leaf: number;
  /** Epoch in which the leaf became the announcer's: until then it may have been another's, whose old frames are not this track's. */
  readonly since: bigint;
  readonly context: number;
}

interface ReceiveEpoch {
  readonly epoch: bigint;
  /** The own leaf in that epoch: a member that was removed and added again sits elsewhere. */
  readonly leaf: number;
  readonly base: CryptoKey;
  readonly keys: Map<bigint, Promise<FrameKey>>;
  readonly windows: Map<bigint, ReplayWindow>;
  /** ms; undefined for the newest epoch. */
  expires: number | undefined;
}

export type Opened =
  | { verdict: "opened"; data: Uint8Array; epoch: bigint }
  /** ahead: of an epoch that may be about to come; holding the frame until then loses nothing. */
  | { verdict: "no-key"; ahead: boolean }
  | { verdict: Exclude<Verdict, "opened" | "no-key"> };
/** What became of the order to seal with an epoch. */
export type SendWith = "sending" | "awaited" | "refused";
export type Sealed = { verdict: "sealed"; data: Uint8Array } | { verdict: Exclude<Verdict, "sealed"> };

/** Keys of one scope. */
export class Keyring {
  #group = "";
  #receive = new Map<number, ReceiveEpoch>();
  #newest = -1n;
  #send: { epoch: bigint; base: CryptoKey; leaf: number; keys: Map<number, Promise<FrameKey>> } | undefined;
  #counters = new Map<string, bigint>();
  #stopped = false;
  #sendable = new Set<bigint>();
  /** What is to be sealed with as soon as its key comes: the order and the key arrive by different ports, in any order. */
  #awaited: { readonly group: string; readonly epoch: bigint; readonly until: number } | undefined;

  /**
   * Takes the base key of an epoch for receiving at once. A different group (a new format, or a group founded anew)
   * drops everything of the one before. sendable false: this epoch's counters may have run elsewhere, never seal in it.
   * Tells what became of an order to seal with this epoch that came before its key, undefined if there was none.
   */
  install(group: string, epoch: bigint, leaf: number, base: CryptoKey, sendable: boolean, now: number): SendWith | undefined {
    if (group !== this.#group) {
      this.#group = group;
      this.#receive.clear();
      this.#newest = -1n;
      this.#send = undefined;
      this.#sendable.clear();
    }
    if (epoch <= this.#newest) return undefined;
    for (const e of this.#receive.values()) e.expires ??= now + oldKeyLife;
    this.#newest = epoch;
    if (sendable) this.#sendable.add(epoch);
    this.#receive.set(residueOf(epoch), { epoch, leaf, base, keys: new Map(), windows: new Map(), expires: undefined });
    this.expire(now);
    const awaited = this.#awaited;
    return awaited?.group === group && awaited.epoch <= epoch ? this.sendWith(group, awaited.epoch, now) : undefined;
  }

  /** Drops receive keys whose time has come. */
  expire(now: number): void {
    for (const [r, e] of this.#receive) if (e.expires !== undefined && e.expires <= now) this.#receive.delete(r);
  }

  /** Seals with this epoch of this group from now on, or from when its key comes. Refused: its key is gone, not for sealing, or older than the one in use. */
  sendWith(group: string, epoch: bigint, now: number): SendWith {
    if (group !== this.#group || epoch > this.#newest) {
      if (this.#awaited?.group !== group || this.#awaited.epoch !== epoch) this.#awaited = { group, epoch, until: now + keyWithin };
      return "awaited";
    }
    this.#awaited = undefined;
    const e = this.#receive.get(residueOf(epoch));
    if (e === undefined || e.epoch !== epoch || !this.#sendable.has(epoch)) return "refused";
    if (this.#send !== undefined && epoch < this.#send.epoch) return "refused";
    if (this.#send?.epoch !== epoch) this.#send = { epoch, base: e.base, leaf: e.leaf, keys: new Map() };
    this.#stopped = false;
    return "sending";
  }

  /** True once when an awaited key has not come in time. What is sealed on in the old epoch can be read by who was removed since: it stops. */
  overdue(now: number): boolean {
    if (this.#awaited === undefined || this.#stopped || now < this.#awaited.until) return false;
    this.#stopped = true;
    return true;
  }

  /** Suspended: nothing leaves until sendWith is called again. */
  stop(): void {
    this.#stopped = true;
    this.#awaited = undefined;
  }

  get sendEpoch(): bigint | undefined {
    return this.#stopped ? undefined : this.#send?.epoch;
  }

  async seal(context: number, metadata: Uint8Array, plaintext: Uint8Array): Promise<Sealed> {
    if (this.#stopped) return { verdict: "stopped" };
    const s = this.#send;
    if (s === undefined) return { verdict: "no-send-key" };
    const id = `${this.#group}/${s.epoch}/${context}`;
    const ctr = this.#counters.get(id) ?? 0n;
    if (ctr >= maxCounter) return { verdict: "exhausted" };
    // Taken before the first await: two frames in flight never share a counter.
    this.#counters.set(id, ctr + 1n);
    const kid = encodeKid(context, s.leaf, s.epoch);
    let key = s.keys.get(context);
    if (key === undefined) s.keys.set(context, (key = deriveKey(s.base, kid, "seal")));
    const data = await (await key).seal(kid, ctr, metadata, plaintext);
    // Suspended while this frame was being sealed: it does not leave.
    return this.#isStopped() ? { verdict: "stopped" } : { verdict: "sealed", data };
  }

  async open(allowed: Allowed | undefined, metadata: Uint8Array, sealed: Uint8Array, now: number): Promise<Opened> {
    const header = decodeHeader(sealed);
    if (header === undefined) return { verdict: "malformed" };
    const kid = decodeKid(header.kid);
    if (kid === undefined) return { verdict: "malformed" };
    if (allowed === undefined) return { verdict: "not-allowed" };
    if (kid.leaf !== allowed.leaf) return { verdict: "wrong-leaf" };
    if (kid.context !== allowed.context) return { verdict: "wrong-context" };
    this.expire(now);
    const e = this.#receive.get(kid.residue);
    if (e === undefined) return { verdict: "no-key", ahead: this.#ahead(kid.residue) };
    if (e.epoch < allowed.since) return { verdict: "wrong-leaf" };
    // Bounded: at most one key and window per allowed (leaf, context) of the epoch.
    let window = e.windows.get(header.kid);
    if (window === undefined) e.windows.set(header.kid, (window = new ReplayWindow()));
    const replay = window.check(header.ctr);
    if (replay !== "fresh") return { verdict: replay };
    let key = e.keys.get(header.kid);
    if (key === undefined) e.keys.set(header.kid, (key = deriveKey(e.base, header.kid, "open")));
    let data: Uint8Array;
    try {
      data = await (await key).open(header, sealed, metadata);
    } catch {
      return { verdict: "forged" };
    }
    // Checked again after the await: two copies of one frame may have been in flight.
    const again = window.check(header.ctr);
    if (again !== "fresh") return { verdict: again };
    window.mark(header.ctr);
    return { verdict: "opened", data, epoch: e.epoch };
  }

  /** A sender may be up to a few epochs on when this member works slowly through a burst of commits. */
  #ahead(residue: number): boolean {
    if (this.#newest < 0n) return true;
    const by = (residue - residueOf(this.#newest) + 256) % 256;
    return by >= 1 && by <= mostAhead;
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  toJSON(): string {
    return "Keyring(redacted)";
  }
}
