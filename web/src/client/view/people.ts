// Who is who, as the page shows it: from the plan and the log, and before there is a log from one's own accreditation.
import { hex } from "../../words/bytes";
import { officerCert, open, type Accreditation } from "../../words/ident";
import type { Plan } from "../../words/body";
import type { Member, State } from "../../engine/session/state";
import type { Plate, Role, RosterRow, SideName, Text, Verification } from "../../view/model";
import type { Attestation } from "../session/attestations";

const roles: readonly Role[] = [
  "principal", "head_of_delegation", "adviser", "note_taker", "interpreter", "chief_interpreter", "technical_lead",
  "protocol_officer", "security_officer", "press_officer", "observer", "mediator",
];

export function roleOf(role: string): Role {
  return (roles as readonly string[]).includes(role) ? (role as Role) : "other";
}

/** What a plan says of its sides, read once. */
export interface PlanFacts {
  readonly plan: Plan;
  readonly sides: ReadonlyMap<string, SideName>;
  /** Name of the officer who holds a device. */
  readonly officers: ReadonlyMap<string, Text>;
}

const read = new WeakMap<State, PlanFacts>();

/** planFacts reads the plan of a log, once: it never changes. Undefined before entry 0. */
export function planFacts(state: State, ownSide: Uint8Array): PlanFacts | undefined {
  const before = read.get(state);
  if (before !== undefined) return before;
  const plan = state.plan();
  if (plan === undefined) return undefined;
  const own = hex(ownSide);
  const sides = new Map(plan.sides.map((s) => [hex(s.id), { id: hex(s.id), name: s.name, own: hex(s.id) === own }]));
  const officers = new Map<string, Text>();
  for (const s of plan.sides) {
    for (const raw of s.officers) {
      const cert = open(officerCert, raw).value;
      officers.set(hex(cert.device), { [s.language]: cert.name });
    }
  }
  const facts = { plan, sides, officers };
  read.set(state, facts);
  return facts;
}

export function sideOf(facts: PlanFacts, id: Uint8Array): SideName {
  return facts.sides.get(hex(id)) ?? { id: hex(id), name: {}, own: false };
}

export function verification(how: string, at: number, by: Text | undefined): Verification {
  if (how === "in-person") return { kind: "in-person", at, by: by ?? {} };
  if (how === "demonstration") return { kind: "demonstration", at };
  return { kind: "none" };
}

export function plateOf(m: Member, facts: PlanFacts): Plate {
  return {
    person: m.person,
    name: m.name,
    office: m.office,
    role: roleOf(m.role),
    side: sideOf(facts, m.side),
    verified: verification(m.verified, m.verifiedat, facts.officers.get(hex(m.by))),
  };
}

/** ownPlate is what one's own accreditation says, before any log does. */
export function ownPlate(a: Accreditation | undefined, side: SideName, officers: ReadonlyMap<string, Text>): Plate | null {
  if (a === undefined) return null;
  return {
    person: a.person,
    name: a.name,
    office: a.office,
    role: roleOf(a.role),
    side,
    verified: verification(a.verified, a.at, officers.get(hex(a.by))),
  };
}

export interface RosterContext {
  readonly facts: PlanFacts;
  readonly ownJoin: string | undefined;
  attestation(join: string): Attestation;
  /** reconnecting: a live member of whom nothing comes, because of a fault that may mend itself. */
  reconnecting(m: Member): boolean;
}

/** latest is the newest join of each person who is or was here: one that was lost and joined again is not shown twice. */
export function latest(state: State): Member[] {
  const all = new Map<string, Member>();
  for (const m of state.roster()) all.set(`${hex(m.side)}/${m.person}`, m);
  return [...all.values()];
}

/** roster has one row for each person who is or was here, the latest join of each, and one for each empty seat. */
export function roster(state: State, c: RosterContext): RosterRow[] {
  const rows = latest(state).map((m): RosterRow => {
    const join = hex(m.join);
    const here = m.state === "live";
    return {
      plate: plateOf(m, c.facts),
      presence: here ? (c.reconnecting(m) ? "reconnecting" : "here") : m.state === "lost" ? "lost" : "absent",
      attestation: join === c.ownJoin ? "agrees" : c.attestation(join),
      joinedAt: here ? m.at : null,
      own: join === c.ownJoin,
    };
  });
  return rows.sort(byPlace);
}

const rank = (role: Role) => (role === "other" ? roles.length : roles.indexOf(role));

function byPlace(a: RosterRow, b: RosterRow): number {
  if (a.plate.side.id !== b.plate.side.id) return a.plate.side.own === b.plate.side.own ? (a.plate.side.id < b.plate.side.id ? -1 : 1) : a.plate.side.own ? -1 : 1;
  return rank(a.plate.role) - rank(b.plate.role) || (a.plate.person < b.plate.person ? -1 : 1);
}
