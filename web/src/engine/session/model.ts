// One whole state of a session: the same fields, and the same canonical bytes, as internal/session/model.go.
import { equal } from "../../words/bytes";
import { bool, bytes, int, list, struct, text, texts, uint, type Of } from "../../words/schema";
import { seatBody, type Seat } from "../../words/body";
import { firstTerm, proposalStands } from "./limits";

export type Phase = "none" | "planned" | "agreed" | "suspended" | "closed";

/** What became of a join. Only live members may speak, hear, and hold a leaf. */
export type MemberState = "live" | "lost" | "left" | "revoked" | "replaced";

const officerShape = struct({ person: text, name: text, device: bytes, from: int, until: int });
const sideShape = struct({
  id: bytes, node: bytes, from: int, until: int, officers: list(officerShape), outseq: uint, outprev: bytes, acts: int,
  groups: int,
}); // prettier-ignore
const proposalShape = struct({
  id: bytes, kind: text, side: bytes, key: bytes, index: uint, at: int, consents: list(bytes), seat: seatBody, until: int,
  done: bool,
}); // prettier-ignore
const suspensionShape = struct({
  id: bytes, side: bytes, key: bytes, node: bool, reason: text, of: bytes, index: uint, at: int,
}); // prettier-ignore
const revokedShape = struct({ side: bytes, person: text, device: bytes, at: int });
const memberShape = struct({
  join: bytes, side: bytes, person: text, role: text, name: texts, office: texts, verified: text, verifiedat: int, by: bytes,
  device: bytes, key: bytes, keypackage: bytes, index: uint, at: int, state: text,
  since: uint,
}); // prettier-ignore
const trackShape = struct({ id: text, join: bytes, source: text, codec: text, muted: bool, gone: bool, at: int });
const groupShape = struct({ id: bytes, epoch: uint, founder: bytes, leaves: list(bytes) });

export const modelShape = struct({
  v: int, scope: bytes, term: uint, next: uint, hash: bytes, at: int, plan: bytes, format: text, agreed: bool,
  closed: bool, sequencer: bytes, until: int, sides: list(sideShape), seats: list(seatBody), proposals: list(proposalShape),
  suspensions: list(suspensionShape), revocations: list(revokedShape), members: list(memberShape), tracks: list(trackShape),
  group: groupShape, groups: list(bytes),
}); // prettier-ignore

export type Side = Of<typeof sideShape>;
export type Officer = Of<typeof officerShape>;
export type Proposal = Of<typeof proposalShape>;
export type Suspension = Of<typeof suspensionShape>;
export type Revoked = Of<typeof revokedShape>;
export type Member = Of<typeof memberShape>;
export type Track = Of<typeof trackShape>;
/** GroupView is the MLS group as the log tells it; an empty id means that there is none. Leaf index → join id, empty if blank. */
export type GroupView = Of<typeof groupShape>;
export type Model = Of<typeof modelShape>;

export function newModel(scope: Uint8Array): Model {
  const none = new Uint8Array(0);
  return {
    v: 1, scope, term: firstTerm, next: 0, hash: new Uint8Array(32), at: 0, plan: none, format: "", agreed: false,
    closed: false, sequencer: none, until: 0, sides: [], seats: [], proposals: [], suspensions: [], revocations: [], members: [], tracks: [],
    group: { id: none, epoch: 0, founder: none, leaves: [] }, groups: [],
  }; // prettier-ignore
}

/** clone copies the records. Byte strings, texts and inner lists are shared: rules replace them, never change them. */
export function clone(m: Model): Model {
  const records = <T extends object>(list: T[]): T[] => list.map((r) => ({ ...r }));
  return {
    ...m,
    sides: records(m.sides),
    seats: [...m.seats],
    proposals: records(m.proposals),
    suspensions: [...m.suspensions],
    revocations: [...m.revocations],
    members: records(m.members),
    tracks: records(m.tracks),
    group: { ...m.group, leaves: [...m.group.leaves] },
    groups: [...m.groups],
  };
}

export function phase(m: Model): Phase {
  if (m.next === 0) return "none";
  if (m.closed) return "closed";
  if (!m.agreed) return "planned";
  return m.suspensions.length > 0 ? "suspended" : "agreed";
}

/** over says that the agreed time has ended: nobody new comes in before every side has extended it. */
export function over(m: Model, at: number): boolean {
  return at >= m.until;
}

/** lapsed says that a proposal can no longer come into effect. */
export function lapsed(m: Model, p: Proposal, at: number): boolean {
  if (p.kind === "plan") return over(m, at);
  if (p.kind === "admit" && over(m, at)) return true;
  if (p.kind === "extend" && at >= p.until) return true;
  return at - p.at > proposalStands;
}

export function linkLost(m: Model): boolean {
  return m.suspensions.some((s) => s.reason === "link-lost");
}

export function sideById(m: Model, id: Uint8Array): Side | undefined {
  return m.sides.find((s) => equal(s.id, id));
}

export function officerOf(s: Side, device: Uint8Array): Officer | undefined {
  return s.officers.find((o) => equal(o.device, device));
}

export function memberByJoin(m: Model, join: Uint8Array): Member | undefined {
  return m.members.find((j) => equal(j.join, join));
}

/** liveDevice finds the live join of a device; there is at most one. */
export function liveDevice(m: Model, device: Uint8Array): Member | undefined {
  return m.members.find((j) => j.state === "live" && equal(j.device, device));
}

export function seatOf(m: Model, side: Uint8Array, person: string): Seat | undefined {
  return m.seats.find((s) => equal(s.side, side) && s.person === person);
}

export function trackById(m: Model, id: string): Track | undefined {
  return m.tracks.find((t) => t.id === id);
}

/** leafOf is the leaf index of a join in the current group, or -1. */
export function leafOf(m: Model, join: Uint8Array): number {
  return m.group.leaves.findIndex((l) => equal(l, join));
}

/** sideOf finds the side whose node, officer or member has the key. */
export function sideOf(m: Model, key: Uint8Array): Side | undefined {
  const side = m.sides.find((s) => equal(s.node, key) || officerOf(s, key) !== undefined);
  if (side !== undefined) return side;
  const member = m.members.find((j) => equal(j.device, key));
  return member && sideById(m, member.side);
}

/** end ends a member's presence: its tracks are gone and its leaf, if any, is to be removed. */
export function end(m: Model, j: Member, state: MemberState): void {
  j.state = state;
  j.keypackage = new Uint8Array(0);
  for (const t of m.tracks) if (equal(t.join, j.join)) t.gone = true;
}

/** PendingRemove is a leaf whose member is gone. */
export interface PendingRemove {
  readonly leaf: number;
  readonly join: Uint8Array;
  readonly why: string;
  /** Every commit must remove it; a lost member's leaf may wait for its grace. */
  readonly must: boolean;
}

export function pendingRemoves(m: Model): PendingRemove[] {
  const out: PendingRemove[] = [];
  m.group.leaves.forEach((join, leaf) => {
    const j = memberByJoin(m, join);
    if (j !== undefined && j.state !== "live") out.push({ leaf, join: j.join, why: j.state, must: j.state !== "lost" });
  });
  return out;
}
