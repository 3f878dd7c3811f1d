// What may be read from a model.
import { encode } from "../../words/canon";
import { equal } from "../../words/bytes";
import { leafOf, liveDevice, phase, trackById, type Member, type Model } from "./model";

/** LeafEntry is who may hold a leaf of the group. */
export interface LeafEntry {
  readonly join: Uint8Array;
  /** Canonical ident.Leaf: the identity of the basic credential (RFC 9420 §5.3). */
  readonly identity: Uint8Array;
  /** The leaf's signature key. */
  readonly key: Uint8Array;
  readonly state: string;
  /** Index in the current group, -1 if not in it. */
  readonly leaf: number;
}

/** leafIdentity is the canonical ident.Leaf of a member. */
export function leafIdentity(scope: Uint8Array, j: Member): Uint8Array {
  return encode({ v: 1, scope, side: j.side, person: j.person, device: j.device });
}

/** leafRoster: live members, and members gone whose leaf is not yet removed. */
export function leafRoster(m: Model): LeafEntry[] {
  const out: LeafEntry[] = [];
  for (const j of m.members) {
    const leaf = leafOf(m, j.join);
    if (j.state !== "live" && leaf < 0) continue;
    out.push({ join: j.join, identity: leafIdentity(m.scope, j), key: j.key, state: j.state, leaf });
  }
  return out;
}

/** pendingAdds are the live joins that are not in the group, in the order of the log. */
export function pendingAdds(m: Model): Member[] {
  return m.members.filter((j) => j.state === "live" && leafOf(m, j.join) < 0);
}

export function mayPublish(m: Model, device: Uint8Array, track: string): boolean {
  if (phase(m) !== "agreed") return false;
  const t = trackById(m, track);
  const j = liveDevice(m, device);
  return t !== undefined && j !== undefined && !t.gone && !t.muted && equal(t.join, j.join);
}

export function mayHear(m: Model, device: Uint8Array): boolean {
  return phase(m) === "agreed" && liveDevice(m, device) !== undefined;
}
