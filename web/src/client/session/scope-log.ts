// The log of one scope as this client checked it.
//
// An entry counts only when the rules allow it, every signature in it verifies, the sequencer signed its head, and the own node
// did too: to show two people two logs, both nodes would have to lie together. What fails stops the log here, with an alarm: from
// then on nothing this log says is believed, and nothing is sent.
import { decodeEntry, decodeHead, decodeOutbox, decodeSigned, hash, headAfter, type Act, type Entry, type NodeSig } from "../../words/act";
import { State, hasSig, type Check, type Effect, type GroupView, type LeafEntry, type Member } from "../../engine/session/state";
import { equal, fromHex, hex } from "../../words/bytes";
import type { Kept } from "../memory";
import { asProblem, ProblemError } from "../problem";
import type { Evidence, Statement } from "./evidence";

export interface WireEntry {
  readonly entry: Uint8Array;
  readonly signatures: readonly { readonly side: Uint8Array; readonly signature: Uint8Array }[];
}

/** What the group was before an entry that moves it: a commit is judged by the roster at its own place in the log. */
export interface GroupBefore {
  readonly group: GroupView;
  readonly roster: readonly LeafEntry[];
  readonly members: readonly Member[];
}

export interface Applied {
  readonly index: number;
  readonly at: number;
  readonly id: string;
  readonly act: Act;
  readonly effects: readonly Effect[];
  readonly before: GroupBefore | undefined;
}

export interface LogPorts {
  readonly scope: Uint8Array;
  readonly ownSide: Uint8Array;
  verify(checks: readonly Check[]): Promise<void>;
  /** trust is asked about the plan before it counts; it throws for a side whose key is not the one pinned. */
  trust(state: State): Promise<void>;
  applied(a: Applied): void;
  /** settled names an act that the log or the own outbox now holds. */
  settled(id: string): void;
  changed(): void;
  alarm(problem: ProblemError): void;
  /** missing asks the node for entries from here on. */
  missing(from: number): void;
  /** evidence keeps signed statements that cannot all be true. */
  evidence(e: Omit<Evidence, "at" | "scope">): void;
  /** Of this device, ms. */
  now(): number;
}

/** A node that has not countersigned what it should have. */
export interface Unsigned {
  readonly side: Uint8Array;
  /** When the first entry that it did not sign came here, ms, by this device's clock. */
  readonly since: number;
}

/** A countersignature that is missing for this long, ms, is said (keys.md). */
export const countersignWithin = 3_000;

/** What is kept of an entry: enough to prove, with another at its place, that its signers showed two logs. */
interface Held {
  readonly hash: string;
  readonly head: Uint8Array;
  readonly sigs: readonly NodeSig[];
  readonly at: number;
  readonly came: number;
}

/** Taken is an entry that the rules took, and what is noted and told of it once it counts. */
interface Taken {
  /** The session runs from here on. */
  readonly begins: boolean;
  readonly held: Held;
  readonly applied: Applied;
}

/** Outbox items that may wait for what they stand on. */
const mostAhead = 1024;

export class ScopeLog {
  #state: State;
  #broken: ProblemError | undefined;
  #queue: Promise<void> = Promise.resolve();
  readonly #ports: LogPorts;
  /** Every entry's head, to see a second entry at a known place. */
  readonly #held: Held[] = [];
  readonly #countersigned = new Map<string, number>();
  #ahead: Uint8Array[] = [];
  /** When the session last began to run: what nobody could sign while the link was lost is not held against a node at once. */
  #runsSince = 0;

  constructor(ports: LogPorts) {
    this.#ports = ports;
    this.#state = new State(ports.scope);
  }

  /** state is the engine's; it is read, never changed from outside. */
  get state(): State {
    return this.#state;
  }

  /** broken is the reason for which this log is not believed any more. */
  get broken(): ProblemError | undefined {
    return this.#broken;
  }

  get next(): number {
    return this.#held.length;
  }

  /** countersignedBy is the index up to which a side's node has signed. */
  countersignedBy(side: Uint8Array): number {
    return this.#countersigned.get(hex(side)) ?? -1;
  }

  /** unsigned is the side whose node has kept its countersignature back for the longest, if that is too long. */
  unsigned(now: number): Unsigned | undefined {
    let worst: Unsigned | undefined;
    for (const { id } of this.#state.plan()?.sides ?? []) {
      const came = this.#held[this.countersignedBy(id) + 1]?.came;
      const since = came === undefined ? undefined : Math.max(came, this.#runsSince);
      if (since !== undefined && now - since >= countersignWithin && (worst === undefined || since < worst.since)) worst = { side: id, since };
    }
    return worst;
  }

  take(entries: readonly WireEntry[]): Promise<void> {
    return this.#enqueue(async () => {
      const taken = entries.length > 1 ? await this.#together(entries) : 0;
      for (const e of entries.slice(taken)) await this.#entry(e);
    });
  }

  /**
   * recall goes on from what this device checked before, instead of from the beginning; false if it does not fit, and then nothing has
   * changed. It comes before the first entry. The plan is asked about again: a key may have been pinned since.
   */
  async recall(kept: Kept): Promise<boolean> {
    let recalled = false;
    await this.#enqueue(async () => {
      if (this.next > 0) return;
      try {
        const state = State.restore(kept.state);
        const { next, hash: last } = state.head();
        const fits = equal(state.scope(), this.#ports.scope) && next > 0 && kept.entries.length === next;
        if (!fits || !equal(kept.entries[next - 1]!.hash, last)) return;
        await this.#ports.trust(state);
        const came = this.#ports.now();
        this.#state = state;
        for (const e of kept.entries) this.#held.push({ ...e, hash: hex(e.hash), came });
        for (const { side, index } of kept.signed) this.#countersigned.set(hex(side), index);
        this.#runsSince = came;
        recalled = true;
      } catch {
        // Read from the beginning: what is wrong with the log is found there, and said.
      }
    });
    return recalled;
  }

  /** kept is what recall goes on from, undefined while there is nothing to believe. */
  kept(): Kept | undefined {
    if (this.#broken !== undefined || this.next === 0) return undefined;
    return {
      scope: this.#ports.scope,
      side: this.#ports.ownSide,
      state: this.#state.snapshot(),
      entries: this.#held.map(({ hash: h, head, sigs, at }) => ({ hash: fromHex(h), head, at, sigs: sigs.map(({ side, sig }) => ({ side, sig })) })),
      signed: [...this.#countersigned].map(([side, index]) => ({ side: fromHex(side), index })),
    };
  }

  /** overlay puts the own node's outbox items on top: what one's own side did counts here before it is ordered. */
  overlay(items: readonly Uint8Array[]): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#ahead.length + items.length > mostAhead) throw new ProblemError("too-many", { what: "outbox" });
      this.#ahead.push(...items);
      await this.#onTop();
    });
  }

  heads(heads: readonly { side: Uint8Array; head: Uint8Array; signature: Uint8Array }[]): Promise<void> {
    return this.#enqueue(async () => {
      for (const h of heads) await this.#head(h.side, h.head, h.signature);
    });
  }

  /** distrust ends the belief in this log for a reason from outside it: a fork that was seen before the page was loaded. */
  distrust(problem: ProblemError): Promise<void> {
    return this.#enqueue(async () => {
      throw problem;
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#broken !== undefined) return;
      try {
        await work();
      } catch (e) {
        this.#fail(asProblem(e));
      }
      this.#ports.changed();
    });
    return this.#queue;
  }

  #fail(problem: ProblemError): void {
    this.#broken = problem;
    this.#ports.alarm(problem);
  }

  /** Items that stand on something still to come wait for it. */
  async #onTop(): Promise<void> {
    if (this.next === 0) return;
    const left: Uint8Array[] = [];
    for (const raw of this.#ahead) {
      const { signed, item } = decodeOutbox(raw);
      if (!equal(item.side, this.#ports.ownSide)) throw new ProblemError("not-yours");
      try {
        await this.#ports.verify(this.#state.overlayChecks(signed));
        this.#state.overlay(signed);
      } catch (e) {
        const { code } = asProblem(e);
        if (code !== "gap" && code !== "out-of-order") throw e;
        left.push(raw);
        continue;
      }
      this.#ports.settled(hex(decodeSigned(item.act).id));
    }
    this.#ahead = left;
  }

  async #entry({ entry, signatures }: WireEntry): Promise<void> {
    const e = decodeEntry(entry);
    const sigs = sigsOf(signatures);
    if (e.index < this.next) {
      await this.#again(e, entry, sigs);
      return;
    }
    if (e.index > this.next) {
      this.#ports.missing(this.next);
      return;
    }
    const state = this.#state;
    const checks = [...state.checks(entry), ...state.headChecks(entry, sigs)];
    if (!hasSig(sigs, this.#ports.ownSide)) throw new ProblemError("bad-signature", { what: "no-own-node" });
    await this.#ports.verify(checks);
    const taken = this.#takenOf(e, entry, sigs, state);
    if (e.index === 0) await this.#ports.trust(state);
    this.#note(taken);
    if (this.#ahead.length > 0) await this.#onTop();
    this.#ports.applied(taken.applied);
  }

  /**
   * together checks as many of the entries as follow each other on a copy of the state, verifies all their signatures side by side, and
   * only then believes any. It answers how many it took. On whatever does not fit it takes none: one after another says which it is.
   */
  async #together(entries: readonly WireEntry[]): Promise<number> {
    const state = this.#state.clone();
    const checks: Check[] = [];
    const taken: Taken[] = [];
    const began = this.next;
    try {
      for (const { entry, signatures } of entries) {
        const e = decodeEntry(entry);
        if (e.index !== began + taken.length) break;
        const sigs = sigsOf(signatures);
        if (!hasSig(sigs, this.#ports.ownSide)) break;
        checks.push(...state.checks(entry), ...state.headChecks(entry, sigs));
        taken.push(this.#takenOf(e, entry, sigs, state));
      }
      if (taken.length === 0) return 0;
      await this.#ports.verify(checks);
      if (began === 0) await this.#ports.trust(state);
    } catch {
      return 0;
    }
    this.#state = state;
    for (const t of taken) this.#note(t);
    if (this.#ahead.length > 0) await this.#onTop();
    for (const t of taken) this.#ports.applied(t.applied);
    return taken.length;
  }

  /** #takenOf lets the rules take an entry into a state. Nothing of this log has changed yet. */
  #takenOf(e: Entry, entry: Uint8Array, sigs: readonly NodeSig[], state: State): Taken {
    const { act, id } = decodeSigned(e.from === "outbox" ? decodeOutbox(e.item).item.act : e.item);
    const before = act.kind === "commit" || act.kind === "group-new" ? groupBefore(state) : undefined;
    const ran = state.phase() === "agreed";
    const effects = state.apply(entry);
    const bytes = hash(entry);
    return {
      begins: !ran && state.phase() === "agreed",
      held: { hash: hex(bytes), head: headAfter(this.#ports.scope, e.term, e.index, bytes), sigs, at: e.at, came: this.#ports.now() },
      applied: { index: e.index, at: e.at, id: hex(id), act, effects, before },
    };
  }

  #note({ begins, held, applied }: Taken): void {
    if (begins) this.#runsSince = this.#ports.now();
    this.#held.push(held);
    for (const s of held.sigs) this.#countersigned.set(hex(s.side), applied.index);
    this.#ports.settled(applied.id);
  }

  /** An entry at a known place must be the known one; another, validly signed, proves that its signer equivocates. */
  async #again(e: Entry, entry: Uint8Array, sigs: NodeSig[]): Promise<void> {
    const other = hash(entry);
    if (sigs.length === 0) throw new ProblemError("bad-signature", { what: "head" });
    const head = headAfter(this.#ports.scope, e.term, e.index, other);
    const checks = this.#state.headSigChecks(head, sigs, e.at);
    await this.#ports.verify(checks);
    if (hex(other) === this.#held[e.index]?.hash) {
      for (const s of sigs) this.#countersigned.set(hex(s.side), Math.max(e.index, this.countersignedBy(s.side)));
      return;
    }
    this.#prove(e.index, sigs, checks, entry);
    throw new ProblemError("forked", { index: String(e.index) });
  }

  async #head(side: Uint8Array, bytes: Uint8Array, sig: Uint8Array): Promise<void> {
    const head = decodeHead(bytes);
    if (!equal(head.scope, this.#ports.scope)) throw new ProblemError("unknown-session");
    const sigs = [{ side, sig }];
    const checks = this.#state.headSigChecks(bytes, sigs, this.#state.time());
    await this.#ports.verify(checks);
    const known = this.#held[head.index]?.hash;
    if (known === undefined) return; // ahead of what came here; its entry will come with its own signatures
    if (known !== hex(head.hash)) {
      this.#prove(head.index, sigs, checks);
      throw new ProblemError("forked", { index: String(head.index) });
    }
    this.#countersigned.set(hex(side), Math.max(head.index, this.countersignedBy(side)));
  }

  /** #prove puts the head that was believed beside the one that came for the same place, with everybody's signatures. */
  #prove(index: number, sigs: readonly NodeSig[], checks: readonly Check[], entry?: Uint8Array): void {
    const held = this.#held[index];
    if (held === undefined) return;
    const before = statements(held.sigs, this.#state.headSigChecks(held.head, held.sigs, held.at));
    this.#ports.evidence({ what: "log", statements: [...before, ...statements(sigs, checks)], ...(entry === undefined ? {} : { entry }) });
  }
}

/** The checks of heads are one for each signature, in their order. */
function statements(sigs: readonly NodeSig[], checks: readonly Check[]): Statement[] {
  return checks.map(({ key, message, signature }, i) => ({ by: hex(sigs[i]?.side ?? new Uint8Array()), key, message, signature }));
}

function groupBefore(state: State): GroupBefore {
  return { group: state.group(), roster: state.leafRoster(), members: state.roster() };
}

function sigsOf(signatures: WireEntry["signatures"]): NodeSig[] {
  return signatures.map((s) => ({ side: s.side, sig: s.signature }));
}
