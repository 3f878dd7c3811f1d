// The room as the page shows it.
import { suiteName } from "../../keys/profile";
import { fromHex, hex } from "../../words/bytes";
import { pairWords } from "../../words/fingerprint";
import type { Member } from "../../engine/session/state";
import type { Fingerprint, LinkView, Plate, Protection, Room, RosterRow, SideName } from "../../view/model";
import type { OwnState } from "../../media/own";
import { pictureOf } from "../../media/picture";
import type { Attendance } from "../session/attendance";
import { unsignedOf } from "../session/troubles";
import { shown } from "../problem";
import { phaseOf, proposals, statusOf, type CardContext } from "./card";
import { camera, devices, microphone, ownPicture } from "./devices";
import { layoutOf, silent, sourcesOf } from "./layout";
import { planFacts, plateOf, roster, sideOf, type PlanFacts } from "./people";
import type { Stage } from "./stage";

export interface RoomContext extends CardContext {
  readonly attendance: Attendance;
  readonly wish: "stage" | "grid" | "photo";
  readonly pinned: string | null;
  readonly own: OwnState;
  readonly self: Plate;
  readonly links: readonly LinkView[];
  readonly stage: Stage;
  /** away: this device's own connection to its node is lost. */
  readonly away: boolean;
}

/** roomView is null before the log has told the plan. */
export function roomView(c: RoomContext): Room | null {
  const { attendance, own, now } = c;
  const { followed, room, arrivals, tracks } = attendance;
  const { state } = followed.log;
  const facts = planFacts(state, c.ownSide);
  if (facts === undefined) return null;
  const ownJoin = room.joinId;
  const muted = tracks.get("microphone")?.muted ?? false;
  const reconnecting = reconnects(c, ownJoin);
  const rows = roster(state, {
    facts,
    ownJoin,
    attestation: (join) => room.beliefs.attestations.of(join),
    reconnecting,
  });
  const onStage = c.stage.choose(others(c), speakers(c), c.pinned, now);
  attendance.stage(onStage);
  const picture = ownPicture(own);
  const member = room.member;
  const self = member === undefined ? c.self : plateOf(member, facts);
  const layout = layoutOf(state, {
    facts, ownJoin, arrivals, wish: c.wish, stage: onStage, ownPicture: picture,
    ownScreen: own.screen === null ? null : pictureOf(own.screen), ownMuted: muted, reconnecting, now,
  }); // prettier-ignore
  return {
    kind: "room",
    scope: followed.id,
    title: facts.plan.title,
    status: statusOf(facts.plan.status),
    phase: phaseOf(state, facts),
    self,
    layout: layout ?? alone(self, picture),
    selfView: picture,
    microphone: microphone(own, muted, attendance.heard(now)),
    camera: camera(own),
    devices: devices(own),
    sharing: own.screen !== null,
    protection: protection(c, facts),
    link: linkOf(facts, c.links),
    roster: rows,
    fingerprint: fingerprint(c, rows, facts),
    proposals: proposals(state, facts, c),
    until: state.until(),
    pinned: c.pinned,
  };
}

/**
 * reconnects tells of whom nothing comes for now: everybody of a side whose link is down, at once and long before a log says so;
 * whose media have stopped; and this device itself while it cannot reach its node. It is a fault, never a departure.
 */
function reconnects({ attendance, links, away, now }: RoomContext, ownJoin: string | undefined): (m: Member) => boolean {
  const down = new Set(links.filter((l) => l.state === "down").map((l) => l.side.id));
  const sources = sourcesOf(attendance.followed.log.state.tracks());
  return (m) => {
    const join = hex(m.join);
    return join === ownJoin ? away : down.has(hex(m.side)) || silent(sources.get(join) ?? {}, attendance.arrivals, now);
  };
}

/** Nobody has joined yet, this person included: oneself is what there is to see. */
function alone(self: Plate, picture: ReturnType<typeof ownPicture>): Room["layout"] {
  const stage = {
    id: "self",
    plate: self,
    picture: picture === null ? ({ kind: "none" } as const) : ({ kind: "live", media: picture } as const),
    sound: "none" as const,
    speaking: false,
    presence: "here" as const,
    seal: "opening" as const,
    own: true,
  };
  return { kind: "stage", stage, others: [] };
}

function others({ attendance }: RoomContext): string[] {
  const own = attendance.room.joinId;
  const ownSide = attendance.room.member?.side;
  const present = attendance.followed.log.state.present().filter((m) => hex(m.join) !== own);
  // The other side first: that is whom one came to see.
  const foreign = (side: Uint8Array) => (ownSide !== undefined && hex(side) === hex(ownSide) ? 1 : 0);
  return [...present].sort((a, b) => foreign(a.side) - foreign(b.side)).map((m) => hex(m.join));
}

function speakers({ attendance, now }: RoomContext): Set<string> {
  const out = new Set<string>();
  for (const [join, s] of sourcesOf(attendance.followed.log.state.tracks())) {
    if (s.microphone !== undefined && !s.microphone.muted && attendance.arrivals.speaking(s.microphone.id, now)) out.add(join);
  }
  return out;
}

function protection({ attendance, now }: RoomContext, facts: PlanFacts): Protection {
  const { room, followed } = attendance;
  if (followed.log.broken !== undefined) return { kind: "alarm", problem: shown(followed.log.broken) };
  if (room.forked !== undefined) return { kind: "alarm", problem: shown(room.forked) };
  const { view, sending } = room.epochs;
  if (view === undefined) return { kind: "waiting" };
  const epoch = Number(view.context.epoch);
  if (sending === undefined) return { kind: "waiting" };
  const unsigned = unsignedOf(attendance, now);
  if (unsigned !== undefined) return { kind: "unsigned", side: sideOf(facts, unsigned.side), since: unsigned.since };
  const confirmed = view.leaves.filter((l) => l.index === view.ownLeaf || room.attests(l) === "agrees").length;
  const settled = sending === view.context.epoch && (confirmed === view.leaves.length || room.beliefs.attestations.overdue(now));
  if (!settled) return { kind: "sealing", epoch };
  return { kind: "sealed", suite: suiteName, epoch, confirmed, members: view.leaves.length };
}

function fingerprint({ attendance }: RoomContext, rows: readonly RosterRow[], facts: PlanFacts): Fingerprint | null {
  const { room } = attendance;
  const { view } = room.epochs;
  if (view === undefined || room.fingerprint === undefined) return null;
  const covered = new Set(view.leaves.map((l) => room.personOf(l)));
  return {
    words: room.fingerprint,
    epoch: Number(view.context.epoch),
    roster: rows.filter((r) => covered.has(`${r.plate.side.id}/${r.plate.person}`)),
    pairs: pairs([...facts.sides.values()]),
  };
}

/** pairs are by the side ids of the signed plan, which are the hashes of the delegation keys, not by what a node says of its links. */
function pairs(sides: readonly SideName[]): Fingerprint["pairs"] {
  const own = sides.find((s) => s.own);
  if (own === undefined) return [];
  return sides.filter((s) => !s.own).map((side) => ({ side, words: pairWords(fromHex(own.id), fromHex(side.id)) }));
}

/** linkOf is the link to the other side of the plan; with several, the one that is worst. */
export function linkOf(facts: PlanFacts, links: readonly LinkView[]): LinkView {
  const others = [...facts.sides.values()].filter((s) => !s.own);
  const found = others.map((side): LinkView => {
    const known = links.find((l) => l.side.id === side.id);
    const none = { kind: "none" as const, at: null, by: null };
    return known === undefined ? { side, state: "never", since: null, roundTripMs: null, verified: none, problem: null } : { ...known, side };
  });
  const rank = { never: 0, down: 1, up: 2 } as const;
  return found.sort((a, b) => rank[a.state] - rank[b.state])[0]!;
}
