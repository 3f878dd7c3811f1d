// When an uncertain act is known not to come any more.
import type { State } from "../../engine/session/state";
import { decodeSigned } from "../../words/act";
import { consentBody } from "../../words/body";
import { equal } from "../../words/bytes";
import { decode } from "../../words/canon";
import type { Clock } from "../clock";
import type { PendingAct } from "../pending";

/**
 * A copy on its way is at the sequencer within a heartbeat or was lost with its connection; nobody sends another. So an entry from well after
 * tells: an honest sequencer has decided about the copies that it got. (A hostile one may keep what it was sent. It gains
 * what any delay of an act gains, and only until a proposal lapses.)
 */
const decidedAfter = 30_000;

/** settledWithout says that a log that does not hold an act has gone on without it. */
export function settledWithout(state: State, act: PendingAct, clock: Pick<Clock, "offset" | "nodeNow">): boolean {
  if (state.phase() === "closed") return true;
  if (act.kind === "consent" && consentIsOver(state, act, clock.nodeNow())) return true;
  return state.time() > act.since + clock.offset + decidedAfter;
}

function consentIsOver(state: State, act: PendingAct, now: number): boolean {
  const { to } = decode(consentBody, decodeSigned(act.signed).act.body);
  const p = state.proposals().find((x) => equal(x.id, to));
  return p === undefined || p.done || state.lapsed(p, now);
}
