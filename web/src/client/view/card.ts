// A session as the lobby shows it.
import { hex } from "../../words/bytes";
import type { Proposal as EngineProposal, State } from "../../engine/session/state";
import type { Phase, Plate, Problem, Proposal, SessionCard, SeatView, Status, SuspendReason, Text } from "../../view/model";
import { planFacts, plateOf, roleOf, sideOf, type PlanFacts } from "./people";

export interface CardContext {
  readonly ownSide: Uint8Array;
  readonly person: string | undefined;
  readonly officer: boolean;
  readonly now: number;
}

const statuses: readonly Status[] = ["formal", "informal", "without-prejudice", "test"];

export function statusOf(s: string): Status {
  return (statuses as readonly string[]).includes(s) ? (s as Status) : "formal";
}

export function phaseOf(state: State, facts: PlanFacts): Phase {
  switch (state.phase()) {
    case "closed":
      return { kind: "closed", at: state.time() };
    case "suspended": {
      const [first] = state.suspensions();
      if (first === undefined) return { kind: "open" };
      // An officer's suspension names no side: it is its author's (the engine took it for an officer's of that side).
      const side = first.reason === "officer" ? first.side : first.of;
      const of = side.length === 0 ? null : sideOf(facts, side);
      return { kind: "suspended", reason: first.reason as SuspendReason, of, since: first.at };
    }
    case "agreed":
      return state.present().length === 0 ? { kind: "agreed" } : { kind: "open" };
    default:
      return { kind: "proposed" };
  }
}

export function card(state: State, c: CardContext): SessionCard | null {
  const facts = planFacts(state, c.ownSide);
  if (facts === undefined) return null;
  const { plan } = facts;
  const phase = phaseOf(state, facts);
  const whyNot = refusal(state, phase, c);
  return {
    scope: hex(state.scope()),
    title: plan.title,
    status: statusOf(plan.status),
    phase,
    from: plan.from,
    until: state.until(),
    sides: [...facts.sides.values()],
    seats: seats(state, facts),
    proposals: proposals(state, facts, c),
    mayEnter: whyNot === null,
    whyNot,
  };
}

function refusal(state: State, phase: Phase, c: CardContext): Problem | null {
  if (phase.kind === "closed") return { code: "session-closed" };
  if (phase.kind === "proposed") return { code: "not-in-force" };
  const seated = state.seats().some((s) => s.person === c.person && hex(s.side) === hex(c.ownSide));
  if (!seated) return { code: "not-seated" };
  const here = state.roster().some((m) => m.person === c.person && hex(m.side) === hex(c.ownSide) && (m.state === "live" || m.state === "lost"));
  return c.now >= state.until() && !here ? { code: "time-over" } : null;
}

function seats(state: State, facts: PlanFacts): SeatView[] {
  const names = new Map<string, Text>();
  for (const m of state.roster()) names.set(`${hex(m.side)}/${m.person}`, m.name);
  return state.seats().map((s) => ({
    side: sideOf(facts, s.side),
    person: s.person,
    name: names.get(`${hex(s.side)}/${s.person}`) ?? {},
    role: roleOf(s.role),
  }));
}

/** proposals are those still open; who may consent is an officer whose side has not. */
export function proposals(state: State, facts: PlanFacts, c: CardContext): Proposal[] {
  return state
    .proposals()
    .filter((p) => !p.done && !state.lapsed(p, c.now))
    .map((p) => proposal(p, state, facts, c));
}

function proposal(p: EngineProposal, state: State, facts: PlanFacts, c: CardContext): Proposal {
  const given = new Set(p.consents.map(hex));
  return {
    id: hex(p.id),
    what: p.kind as Proposal["what"],
    by: officerPlate(p, state, facts),
    at: p.at,
    consents: [...facts.sides.values()].map((side) => ({ side, given: given.has(side.id) })),
    mayConsent: c.officer && !given.has(hex(c.ownSide)),
    subject: p.kind === "admit" ? { und: p.seat.person } : null,
    until: p.kind === "extend" ? p.until : null,
  };
}

/** An officer in the room has a plate; one who is not is shown by the name in the certificate. */
function officerPlate(p: EngineProposal, state: State, facts: PlanFacts): Plate | null {
  const present = state.memberOfDevice(p.key);
  if (present !== undefined) return plateOf(present, facts);
  const name = facts.officers.get(hex(p.key));
  if (name === undefined) return null;
  return { person: "", name, office: {}, role: "other", side: sideOf(facts, p.side), verified: { kind: "none" } };
}
