// Entry 0: the plan, with each side's whole chain (internal/session/rules_plan.go).
import type { DecodedAct } from "../../words/act";
import { planBody, profile, type Plan, type PlanSide, type Seat } from "../../words/body";
import { empty, equal } from "../../words/bytes";
import {
  contextNode, contextOfficer, decodeIdent, delegationKey, isInForce, nodeCert, officerCert, open, sideId,
  type DelegationKey, type SignedBody,
} from "../../words/ident"; // prettier-ignore
import { problem, type ProblemError } from "../../words/problem";
import { isId, isLanguage, isRole, isTexts, isZone, maxText } from "../../words/text";
import { maxSeats, maxSides, minSides } from "./limits";
import { officerOf, seatOf, sideById, sideOf, type Model, type Officer, type Side } from "./model";
import { noSeat, propose } from "./rules-joint";
import type { Step } from "./step";

export function invalid(field: string): ProblemError {
  return problem("plan-invalid", { field });
}

export function plan(s: Step, a: DecodedAct): void {
  const p = s.body(planBody, a);
  const wrong = wrongField(p);
  if (wrong !== undefined) throw invalid(wrong);
  if (p.until <= s.at) throw invalid("until");
  for (const side of p.sides) s.model.sides.push(planSide(s, side));
  if (sideById(s.model, p.sequencer) === undefined) throw invalid("sequencer");
  for (const seat of p.format.seats) takeSeat(s.model, seat);
  s.officer(a);
  s.model.plan = a.act.body;
  s.model.format = p.format.id;
  s.model.sequencer = p.sequencer;
  s.model.until = p.until;
  propose(s, a, noSeat);
}

const statuses = new Set(["formal", "informal", "without-prejudice", "test"]);

function wrongField(p: Plan): string | undefined {
  if (p.profile !== profile) return "profile";
  if (p.recording !== "none") return "recording";
  if (!statuses.has(p.status)) return "status";
  if (!isTexts(p.title, maxText)) return "title";
  if (!isId(p.format.id) || !isTexts(p.format.name, maxText)) return "format";
  if (p.from < 0 || p.from >= p.until) return "until";
  if (p.sides.length < minSides || p.sides.length > maxSides) return "sides";
  if (p.format.seats.length === 0 || p.format.seats.length > maxSeats) return "seats";
  return undefined;
}

/** opened reads a signed structure, or refuses the plan for a field. */
function opened<T>(read: () => T, field: string): T {
  try {
    return read();
  } catch {
    throw invalid(field);
  }
}

function planSide(s: Step, p: PlanSide): Side {
  const key = opened(() => decodeIdent(delegationKey, p.delegation), "delegation");
  if (!equal(sideId(key), p.id) || sideById(s.model, p.id) !== undefined) throw invalid("side-id");
  if (!isTexts(p.name, maxText) || !isLanguage(p.language)) throw invalid("side-name");
  if (!isZone(p.zone)) throw invalid("zone");
  const node = opened(() => open(nodeCert, p.node), "node-cert");
  const n = node.value;
  if (!equal(n.side, p.id) || !isInForce(n.from, n.until, s.at)) throw invalid("node-cert");
  rooted(s, key, node.signed, contextNode, "node-cert");
  const side: Side = {
    id: p.id, node: n.key, from: n.from, until: n.until, officers: [], outseq: 0, outprev: new Uint8Array(32), acts: 0,
    groups: 0,
  }; // prettier-ignore
  if (p.officers.length !== 2) throw invalid("officers");
  for (const raw of p.officers) side.officers.push(planOfficer(s, key, side, raw));
  // One key in two places would let one side speak for another, or a node consent for its officers.
  const keys = [side.node, ...side.officers.map((o) => o.device)];
  if (keys.some((k) => sideOf(s.model, k) !== undefined) || officerOf(side, side.node)) throw invalid("key-twice");
  return side;
}

function planOfficer(s: Step, key: DelegationKey, side: Side, raw: Uint8Array): Officer {
  const { value: o, signed } = opened(() => open(officerCert, raw), "officers");
  if (!equal(o.side, side.id) || !isInForce(o.from, o.until, s.at) || officerOf(side, o.device)) throw invalid("officers");
  rooted(s, key, signed, contextOfficer, "officer-cert");
  return { person: o.person, name: o.name, device: o.device, from: o.from, until: o.until };
}

/** rooted adds both checks of a delegation key's signature. */
function rooted(s: Step, k: DelegationKey, signed: SignedBody, context: string, what: string): void {
  s.check("ed25519", k.ed25519, context, signed.body, signed.ed25519, what, "accreditation-altered");
  s.check("mldsa65", k.mldsa65, context, signed.body, signed.mldsa65 ?? empty, what, "accreditation-altered");
}

/** refuseSeat throws unless the seat of a plan or an admit may be taken. */
export function refuseSeat(m: Model, seat: Seat): void {
  if (sideById(m, seat.side) === undefined || !isId(seat.person) || !isRole(seat.role)) throw invalid("seat");
  if (seatOf(m, seat.side, seat.person) !== undefined) throw problem("already-done", { what: "seat" });
  if (m.seats.length >= maxSeats) throw problem("too-many", { what: "seats" });
}

export function takeSeat(m: Model, seat: Seat): void {
  refuseSeat(m, seat);
  m.seats.push(seat);
}
