// The policy of a member for the MLS group (RFC 9420): who founds it, who commits, what, and when. It holds no key and makes no
// commit; it is asked after every change and whenever a wait is over. The same policy exists in Go (internal/group); both pass
// testdata/group. The log decides: two members that act at once are harmless, the second commit of an epoch is refused as stale.
//
// Rank is the order of the log: the earliest join of a live member has rank 0. Whoever has rank r acts r seconds after the need
// arose or the epoch began, so that a silent committer costs one second, not the session.
import { equal, hex } from "../words/bytes";
import type { State } from "./session/state";

/** Times in ms (keys.md "Profile"). */
export const rankStep = 1000;
export const addBatch = 100;
export const lostGrace = 3000;
export const lostState = 2000;
export const updateEvery = 30 * 60 * 1000;
export const updateSpan = 10 * 60 * 1000;

/** maxAdds bounds one commit: a Welcome for 32 is about 100 kB. */
export const maxAdds = 32;

/** A join in the order of the log. lost: gone without leaving. */
export interface GroupMember {
  readonly join: Uint8Array;
  readonly live: boolean;
  readonly lost: boolean;
}

/** A leaf whose member is gone. must: revoked, left or replaced; every commit has it. */
export interface GroupRemove {
  readonly leaf: number;
  readonly join: Uint8Array;
  readonly must: boolean;
}

/** View is what the policy needs of the session. */
export interface View {
  readonly phase: string;
  readonly linkLost: boolean;
  readonly members: readonly GroupMember[];
  /** Empty: none. */
  readonly group: Uint8Array;
  readonly epoch: number;
  /** Leaf index → join, empty if blank. */
  readonly leaves: readonly Uint8Array[];
  readonly adds: readonly Uint8Array[];
  readonly removes: readonly GroupRemove[];
}

/** Own is the member that asks. */
export interface Own {
  /** Of the newest own join; empty: not joined. */
  readonly join: Uint8Array;
  /** Of its MLS state; empty: none. */
  readonly group: Uint8Array;
  readonly epoch: number;
  /** A group-new, commit or join of ours is neither ordered nor refused yet. */
  readonly outstanding: boolean;
  /** When its own leaf last got a fresh key, ms. */
  readonly updatedAt: number;
}

export type Action =
  | { readonly kind: "nothing" }
  | { readonly kind: "found" }
  | { readonly kind: "commit"; readonly adds: Uint8Array[]; readonly removes: number[] }
  /** Ask again at `until`, or earlier after a change. */
  | { readonly kind: "wait"; readonly until: number }
  /** The state is lost: join anew with a fresh KeyPackage. */
  | { readonly kind: "rejoin" };

/** viewOf reads a session. */
export function viewOf(s: State): View {
  const g = s.group();
  return {
    phase: s.phase(),
    linkLost: s.suspensions().some((x) => x.reason === "link-lost"),
    members: s.roster().map((m) => ({ join: m.join, live: m.state === "live", lost: m.state === "lost" })),
    group: g.id,
    epoch: g.epoch,
    leaves: g.leaves,
    adds: s.pendingAdds().map((m) => m.join),
    removes: s.pendingRemoves().map((r) => ({ leaf: r.leaf, join: r.join, must: r.must })),
  };
}

// Needs that are not a join's.
const needState = "state";
const needFound = "found";
const needAdd = (join: Uint8Array): string => `add ${hex(join)}`;
const needRemove = (join: Uint8Array): string => `remove ${hex(join)}`;

/**
 * Policy remembers since when each need stands: the log does not say when a member went, and a client's own clock is the only
 * one it may wait by.
 */
export class Policy {
  #seen = new Map<string, number>();
  #group: Uint8Array | undefined;
  #epoch = 0;
  #epochAt = 0;

  /** next says what to do now. */
  next(v: View, own: Own, now: number): Action {
    this.#observe(v, own, now);
    const me = member(v, own.join);
    if (own.outstanding || v.linkLost || (v.phase !== "agreed" && v.phase !== "suspended")) return { kind: "nothing" };
    if (me?.lost === true) return { kind: "rejoin" }; // the node took us for gone; we are not
    if (me?.live !== true) return { kind: "nothing" };
    if (liveLeaves(v) === 0) return this.#found(v, own, now);
    if (leaf(v, own.join) < 0) return { kind: "nothing" }; // to be added
    if (!holds(v, own)) return after(this.#since(needState) + lostState, now, { kind: "rejoin" });
    return this.#commit(v, own, now);
  }

  /** Notes since when each need stands and forgets those that passed. */
  #observe(v: View, own: Own, now: number): void {
    if (this.#group === undefined || !equal(this.#group, v.group) || this.#epoch !== v.epoch) {
      this.#group = v.group;
      this.#epoch = v.epoch;
      this.#epochAt = now;
    }
    const needs = new Map<string, number>();
    const need = (name: string): void => void needs.set(name, this.#seen.get(name) ?? now);
    if (liveLeaves(v) === 0) need(needFound);
    if (leaf(v, own.join) >= 0 && !holds(v, own)) need(needState);
    for (const j of v.adds) need(needAdd(j));
    for (const r of v.removes) need(needRemove(r.join));
    this.#seen = needs;
  }

  #since(need: string): number {
    return this.#seen.get(need) ?? 0;
  }

  /** The lowest-ranked live person founds a group when no live member holds one. */
  #found(v: View, own: Own, now: number): Action {
    if (v.phase !== "agreed") return { kind: "nothing" };
    const rank = before(v, own.join).filter((m) => m.live).length;
    return after(this.#since(needFound) + rank * rankStep, now, { kind: "found" });
  }

  /** Adds and removes whoever is due, or refreshes the own leaf. */
  #commit(v: View, own: Own, now: number): Action {
    const rank = before(v, own.join).filter((m) => m.live && leaf(v, m.join) >= 0).length;
    let due = own.updatedAt + updateEvery - updateSpan / 2 + jitter(own.join);
    let at = this.#due(v);
    if (at !== undefined) {
      if (rank > 0) at = Math.max(at, this.#epochAt); // whoever came first has just committed and gets its time again
      due = Math.min(due, at + rank * rankStep);
    }
    if (now < due) return { kind: "wait", until: due };
    const removes = v.removes.filter((r) => r.must || this.#since(needRemove(r.join)) + lostGrace <= now).map((r) => r.leaf);
    const adds = v.phase === "agreed" ? v.adds.slice(0, maxAdds) : [];
    return { kind: "commit", adds, removes };
  }

  /** When the first of the needs is to be met. A suspended session admits nobody to its keys. */
  #due(v: View): number | undefined {
    const times = v.removes.map((r) => this.#since(needRemove(r.join)) + (r.must ? 0 : lostGrace));
    if (v.phase === "agreed") times.push(...v.adds.map((j) => Math.max(this.#since(needAdd(j)), this.#epochAt + addBatch)));
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

function after(at: number, now: number, a: Action): Action {
  return now < at ? { kind: "wait", until: at } : a;
}

/** jitter spreads path updates by the member's join id, which is a hash. */
function jitter(join: Uint8Array): number {
  if (join.length < 4) return 0;
  return new DataView(join.buffer, join.byteOffset, 4).getUint32(0) % updateSpan;
}

function holds(v: View, own: Own): boolean {
  return equal(own.group, v.group) && own.epoch === v.epoch;
}

function member(v: View, join: Uint8Array): GroupMember | undefined {
  return join.length === 0 ? undefined : v.members.find((m) => equal(m.join, join));
}

function leaf(v: View, join: Uint8Array): number {
  return join.length === 0 ? -1 : v.leaves.findIndex((l) => equal(l, join));
}

function liveLeaves(v: View): number {
  return v.leaves.filter((l) => member(v, l)?.live === true).length;
}

/** before are the members that joined earlier. */
function before(v: View, join: Uint8Array): readonly GroupMember[] {
  const i = v.members.findIndex((m) => equal(m.join, join));
  return i < 0 ? v.members : v.members.slice(0, i);
}
