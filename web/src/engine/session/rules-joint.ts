// Joint acts are proposals. The author's side consents by proposing; the act is in effect when an officer of every side has
// (internal/session/rules_joint.go).
import type { DecodedAct } from "../../words/act";
import { admitBody, consentBody, emptyBody, extendBody, type Seat } from "../../words/body";
import { empty, equal } from "../../words/bytes";
import { problem } from "../../words/problem";
import { maxOpen, maxProposals } from "./limits";
import { lapsed, linkLost, over, phase, type Proposal } from "./model";
import { invalid, refuseSeat, takeSeat } from "./rules-plan";
import type { Step } from "./step";

export const noSeat: Seat = { side: empty, person: "", role: "" };

export function propose(s: Step, a: DecodedAct, seat: Seat, until = 0): void {
  const made = s.model.proposals.filter((p) => equal(p.side, a.act.side));
  const open = made.filter((p) => !p.done && !lapsed(s.model, p, s.at));
  if (open.length >= maxOpen || made.length >= maxProposals) throw problem("too-many", { what: "proposals" });
  s.model.proposals.push({
    id: a.id, kind: a.act.kind, side: a.act.side, key: a.act.key, index: s.model.next, at: s.at, consents: [a.act.side], seat,
    until, done: false,
  }); // prettier-ignore
  s.effect({ kind: "proposed", act: a.id, side: a.act.side });
}

/** consent agrees to a proposal for the author's side. */
export function consent(s: Step, a: DecodedAct): void {
  const b = s.body(consentBody, a);
  s.officer(a);
  if (s.model.closed) throw problem("session-closed");
  const p = s.model.proposals.find((x) => equal(x.id, b.to));
  if (p === undefined) throw problem("no-such-proposal");
  if (p.done || p.consents.some((id) => equal(id, a.act.side))) throw problem("already-done");
  if (lapsed(s.model, p, s.at)) throw problem("proposal-lapsed");
  mayConsent(s, p);
  p.consents = [...p.consents, a.act.side];
  s.effect({ kind: "consented", act: p.id, side: a.act.side });
  if (p.consents.length < s.model.sides.length) return;
  p.done = true;
  enact(s, p);
}

/** While a link is lost nobody new is admitted; and a resume does not lift a loss that its proposer had not seen. */
function mayConsent(s: Step, p: Proposal): void {
  if (p.kind === "admit" && linkLost(s.model)) throw problem("session-suspended");
  if (p.kind === "resume" && s.model.suspensions.some((x) => x.reason === "link-lost" && x.index > p.index)) {
    throw problem("session-suspended");
  }
}

function enact(s: Step, p: Proposal): void {
  const m = s.model;
  switch (p.kind) {
    case "plan":
      m.agreed = true;
      s.effect({ kind: "agreed", act: p.id, side: p.side });
      return;
    case "admit":
      takeSeat(m, p.seat);
      s.effect({ kind: "admitted", act: p.id, side: p.seat.side });
      return;
    case "resume":
      m.suspensions = m.suspensions.filter((x) => x.index >= p.index);
      if (m.suspensions.length === 0) overtake(s, "resume");
      s.effect({ kind: "resumed", act: p.id, side: p.side });
      return;
    case "extend":
      m.until = p.until;
      // Those for an earlier end have lost their object: none may shorten the time.
      for (const q of m.proposals) if (q.kind === "extend" && q.until <= p.until) q.done = true;
      s.effect({ kind: "extended", act: p.id, side: p.side });
      return;
    case "close":
      m.closed = true;
      overtake(s, "admit", "resume", "extend", "close");
      for (const j of m.members) j.keypackage = empty;
      s.effect({ kind: "closed", act: p.id, side: p.side });
  }
}

/** overtake ends the open proposals that have lost their object. */
function overtake(s: Step, ...kinds: string[]): void {
  for (const p of s.model.proposals) if (kinds.includes(p.kind)) p.done = true;
}

/** admit proposes one more seat of the author's own side. It is taken when every side has consented. */
export function admit(s: Step, a: DecodedAct): void {
  const b = s.body(admitBody, a);
  s.officer(a);
  s.inForce();
  if (linkLost(s.model)) throw problem("session-suspended");
  if (over(s.model, s.at)) throw problem("time-over");
  if (!equal(b.seat.side, a.act.side)) throw problem("not-yours");
  if (b.format !== s.model.format) throw invalid("format");
  refuseSeat(s.model, b.seat);
  propose(s, a, b.seat);
}

/** resume proposes to go on after the suspensions ordered so far. */
export function resume(s: Step, a: DecodedAct): void {
  s.body(emptyBody, a);
  s.officer(a);
  s.inForce();
  if (phase(s.model) !== "suspended") throw problem("already-done");
  propose(s, a, noSeat);
}

/** extend proposes a later end of the session's time. It is possible after the end, too: talks that overrun are the rule. */
export function extend(s: Step, a: DecodedAct): void {
  const b = s.body(extendBody, a);
  s.officer(a);
  s.inForce();
  if (b.until <= s.at) throw invalid("until");
  if (b.until <= s.model.until) throw problem("already-done");
  propose(s, a, noSeat, b.until);
}

/** close proposes to end the session. */
export function close(s: Step, a: DecodedAct): void {
  s.body(emptyBody, a);
  s.officer(a);
  s.inForce();
  propose(s, a, noSeat);
}
