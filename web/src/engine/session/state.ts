// The rules of a session: the same pure engine as internal/session, checked against the same transcripts.
//
//   checks   who says it, may they, and which signatures must be verified
//            the caller verifies them (engine/verify.ts) and the heads (headChecks)
//   apply    the same rules again, then the new state; when it throws nothing has changed
//
// The ordered state is a function of the log alone; the effective state has the outbox items on top that are not yet ordered.
// Every refusal is a thrown ProblemError.
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeEntry, decodeOutbox, decodeSigned, hash, hashItem, headAfter, type Entry, type NodeSig, type SignedOutbox } from "../../words/act";
import { planBody, type Plan, type Seat } from "../../words/body";
import { compare, concat, equal, fromHex, hex } from "../../words/bytes";
import { decode, encode } from "../../words/canon";
import { problem } from "../../words/problem";
import { bytes, int, struct } from "../../words/schema";
import type { Check, Effect } from "./check";
import { checksOfHead, hasSig } from "./heads";
import { maxSnapshot } from "./limits";
import {
  clone, lapsed, liveDevice, memberByJoin, modelShape, newModel, officerOf, pendingRemoves, phase, sideById, sideOf,
  type GroupView, type Member, type Model, type PendingRemove, type Phase, type Proposal, type Suspension, type Track,
} from "./model"; // prettier-ignore
import { Step } from "./step";
import { leafRoster, mayHear, mayPublish, pendingAdds, type LeafEntry } from "./views";

export type { Check, Effect, EffectKind } from "./check";
export type { GroupView, Member, MemberState, PendingRemove, Phase, Proposal, Suspension, Track } from "./model";
export { leafIdentity, type LeafEntry } from "./views";
export { hasSig } from "./heads";
export { unilateral } from "./rules";

interface Overlay {
  readonly id: string;
  readonly side: Uint8Array;
  readonly seq: number;
  readonly raw: Uint8Array;
  readonly hash: Uint8Array;
  readonly at: number;
}

const snapshotShape = struct({ v: int, state: modelShape, seen: bytes });

export class State {
  #ordered: Model;
  #effective: Model;
  /** Hex of the act ids in the log, in its order. */
  #seen = new Set<string>();
  #overlays: Overlay[] = [];
  /** The last run of the rules: checks, headChecks and apply of one entry run them once. */
  #last: { readonly entry: Uint8Array; readonly on: Model; readonly step: Step } | undefined;

  constructor(scope: Uint8Array) {
    this.#ordered = newModel(scope);
    this.#effective = this.#ordered;
  }

  /** clone is an independent copy, overlays included. */
  clone(): State {
    const c = new State(this.#ordered.scope);
    c.#ordered = clone(this.#ordered);
    c.#seen = new Set(this.#seen);
    c.#overlays = [...this.#overlays];
    c.#settle();
    return c;
  }

  /** checks says whether an entry may be the next one, and which signatures must hold for that. */
  checks(entry: Uint8Array): readonly Check[] {
    return this.#step(entry).checks;
  }

  /** apply makes an entry part of the state. The caller has verified what checks and headChecks named. */
  apply(entry: Uint8Array): readonly Effect[] {
    const st = this.#step(entry);
    this.#last = undefined;
    this.#ordered = st.model;
    const ids = st.ids.map(hex);
    for (const id of ids) this.#seen.add(id);
    const early = this.#dropOverlays(ids);
    this.#settle();
    return st.effects.map((e) => ({ ...e, early }));
  }

  /** headChecks names the node signatures over the next entry's head; the sequencer's must be among them. */
  headChecks(entry: Uint8Array, sigs: readonly NodeSig[]): readonly Check[] {
    const st = this.#step(entry);
    const m = st.model;
    if (!hasSig(sigs, m.sequencer)) throw problem("bad-signature", { what: "no-sequencer" });
    return checksOfHead(m, headAfter(m.scope, m.term, m.next - 1, m.hash), sigs, st.at);
  }

  /** headSigChecks names the checks of signatures that arrive later over a head; the caller compares its hash with the entry's. */
  headSigChecks(head: Uint8Array, sigs: readonly NodeSig[], at: number): readonly Check[] {
    return checksOfHead(this.#ordered, head, sigs, at);
  }

  /** refuse throws the problem for which an act would be refused if it were ordered at this time. signed is canonical Signed. */
  refuse(signed: Uint8Array, at: number): void {
    const a = decodeSigned(signed);
    let m = this.#effective;
    if (a.act.kind === "commit" || a.act.kind === "group-new") {
      if (phase(m) === "suspended" && phase(this.#ordered) !== "suspended") throw problem("session-suspended");
      m = this.#ordered;
    }
    if (this.#overlays.some((o) => o.id === hex(a.id))) throw problem("replayed");
    const st = new Step(m, this.#seen, Math.max(at, m.at), a.act.kind === "term" ? m.term + 1 : m.term);
    st.quota(a);
    st.run(a);
  }

  /** overlayChecks says whether an item fits its node's chain and its author may write it, and which signatures must hold. */
  overlayChecks(signed: SignedOutbox): readonly Check[] {
    return this.#overlay(signed)?.step.checks ?? [];
  }

  /** overlay puts an outbox item in effect that is not yet ordered; one that is known already changes nothing. */
  overlay(signed: SignedOutbox): void {
    const made = this.#overlay(signed);
    if (made === undefined) return;
    this.#overlays = [...this.#overlays, made.overlay].sort((a, b) => compare(a.side, b.side) || a.seq - b.seq);
    this.#settle();
  }

  #step(entry: Uint8Array): Step {
    if (this.#last?.entry === entry && this.#last.on === this.#ordered) return this.#last.step;
    const step = this.#run(entry);
    this.#last = { entry, on: this.#ordered, step };
    return step;
  }

  #run(entry: Uint8Array): Step {
    const e = decodeEntry(entry);
    chain(this.#ordered, e);
    const st = new Step(this.#ordered, this.#seen, e.at, e.term);
    if (e.from === "act") st.direct(e.item);
    else if (e.from === "outbox") st.outbox(e.item);
    else throw problem("malformed", { field: "from" });
    const m = st.model;
    if (m.term !== e.term) throw problem("out-of-order", { field: "term" });
    m.next = e.index + 1;
    m.hash = hash(entry);
    m.at = e.at;
    return st;
  }

  #overlay(signed: SignedOutbox): { overlay: Overlay; step: Step } | undefined {
    const raw = encode({ item: signed.item, sig: signed.sig });
    const { item } = decodeOutbox(raw);
    const itemHash = hashItem(signed.item);
    const side = sideById(this.#ordered, item.side);
    if (side !== undefined && item.seq < side.outseq) return undefined;
    const known = this.#overlays.find((o) => equal(o.side, item.side) && o.seq === item.seq);
    if (known !== undefined) {
      if (!equal(known.hash, itemHash)) throw problem("forked");
      return undefined;
    }
    const step = new Step(this.#effective, this.#seen, Math.max(item.at, this.#effective.at), this.#ordered.term);
    step.outbox(raw);
    const id = hex(decodeSigned(item.act).id);
    return { step, overlay: { id, side: item.side, seq: item.seq, raw, hash: itemHash, at: item.at } };
  }

  /** settle makes the effective state anew: the ordered state and every overlay on top. */
  #settle(): void {
    this.#effective = this.#ordered;
    for (const o of this.#overlays) {
      const st = new Step(this.#effective, this.#seen, Math.max(o.at, this.#ordered.at), this.#ordered.term);
      try {
        st.outbox(o.raw);
      } catch {
        continue;
      }
      this.#effective = st.model;
    }
  }

  #dropOverlays(ids: readonly string[]): boolean {
    const early = this.#overlays.some((o) => ids.includes(o.id));
    this.#overlays = this.#overlays.filter((o) => o.seq >= sideById(this.#ordered, o.side)!.outseq);
    return early;
  }

  /** snapshot is the canonical ordered state, without overlays. */
  snapshot(): Uint8Array {
    return encode({ v: 1, state: this.#ordered, seen: this.#order() });
  }

  /** restore reads a snapshot that this client wrote itself. */
  static restore(b: Uint8Array): State {
    const snap = decode(snapshotShape, b, maxSnapshot);
    if (snap.v !== 1 || snap.state.v !== 1 || snap.seen.length % 32 !== 0) throw problem("wrong-version", { what: "snapshot" });
    const s = new State(snap.state.scope);
    s.#ordered = snap.state;
    for (let i = 0; i < snap.seen.length; i += 32) s.#seen.add(hex(snap.seen.subarray(i, i + 32)));
    s.#settle();
    return s;
  }

  /** summary is the canonical whole of the state, for comparing two engines. */
  summary(): Uint8Array {
    return encode({
      ordered: encode(this.#ordered),
      effective: this.#overlays.length > 0 ? encode(this.#effective) : new Uint8Array(0),
      seen: sha256(this.#order()),
    });
  }

  #order(): Uint8Array {
    return concat(...[...this.#seen].map(fromHex));
  }

  // Views of the effective state. What they return is not to be changed.

  phase(): Phase {
    return phase(this.#effective);
  }
  suspensions(): readonly Suspension[] {
    return this.#effective.suspensions;
  }
  seats(): readonly Seat[] {
    return this.#effective.seats;
  }
  /** roster is every join in the order of the log, also those that ended. */
  roster(): readonly Member[] {
    return this.#effective.members;
  }
  present(): readonly Member[] {
    return this.#effective.members.filter((j) => j.state === "live");
  }
  member(join: Uint8Array): Member | undefined {
    return memberByJoin(this.#effective, join);
  }
  memberOfDevice(device: Uint8Array): Member | undefined {
    return liveDevice(this.#effective, device);
  }
  /** tracks are the announced tracks that are not withdrawn. */
  tracks(): readonly Track[] {
    return this.#effective.tracks.filter((t) => !t.gone);
  }
  proposals(): readonly Proposal[] {
    return this.#effective.proposals;
  }
  mayPublish(device: Uint8Array, track: string): boolean {
    return mayPublish(this.#effective, device, track);
  }
  mayHear(device: Uint8Array): boolean {
    return mayHear(this.#effective, device);
  }
  sideOf(key: Uint8Array): Uint8Array | undefined {
    return sideOf(this.#effective, key)?.id;
  }

  // Views of the ordered state.

  /** until is the end of the session's time, ms: the plan's, or as every side has extended it. */
  until(): number {
    return this.#effective.until;
  }
  /** lapsed says that a proposal can no longer come into effect at a time (ms). */
  lapsed(p: Proposal, at: number): boolean {
    return lapsed(this.#effective, p, at);
  }
  plan(): Plan | undefined {
    return this.#ordered.next === 0 ? undefined : decode(planBody, this.#ordered.plan);
  }
  group(): GroupView {
    return { ...this.#ordered.group, leaves: [...this.#ordered.group.leaves] };
  }
  pendingAdds(): readonly Member[] {
    return pendingAdds(this.#ordered);
  }
  pendingRemoves(): readonly PendingRemove[] {
    return pendingRemoves(this.#ordered);
  }
  /** leafRoster is the only source of who may be in the group. */
  leafRoster(): readonly LeafEntry[] {
    return leafRoster(this.#ordered);
  }
  sideIds(): readonly Uint8Array[] {
    return this.#ordered.sides.map((s) => s.id);
  }
  nodeKey(side: Uint8Array): Uint8Array | undefined {
    return sideById(this.#ordered, side)?.node;
  }
  isOfficer(side: Uint8Array, device: Uint8Array): boolean {
    const s = sideById(this.#ordered, side);
    return s !== undefined && officerOf(s, device) !== undefined;
  }
  sequencer(): Uint8Array {
    return this.#ordered.sequencer;
  }
  /** head is the point the log has reached: term, index of the next entry, hash of the last. */
  head(): { readonly term: number; readonly next: number; readonly hash: Uint8Array } {
    return { term: this.#ordered.term, next: this.#ordered.next, hash: this.#ordered.hash };
  }
  /** time of the last entry, ms. */
  time(): number {
    return this.#ordered.at;
  }
  scope(): Uint8Array {
    return this.#ordered.scope;
  }
  overlays(): number {
    return this.#overlays.length;
  }
  isSeen(id: Uint8Array): boolean {
    return this.#seen.has(hex(id));
  }
}

/** chain checks an entry's place: right scope, next index, hash of the entry before, a time not before it. */
function chain(m: Model, e: Entry): void {
  if (!equal(e.scope, m.scope)) throw problem("unknown-session");
  if (e.index > m.next) throw problem("gap");
  if (e.index < m.next) throw problem("out-of-order", { field: "index" });
  if (!equal(e.prev, m.hash)) throw problem("forked");
  if (e.at < m.at) throw problem("clock-off");
}
