// Standing still, and a new sequencer (internal/session/rules_suspend.go).
import { contextAct, decodeSigned, type DecodedAct } from "../../words/act";
import { suspendBody, termBody, type Term } from "../../words/body";
import { equal, hex } from "../../words/bytes";
import { problem } from "../../words/problem";
import { maxSides, maxSuspensions } from "./limits";
import { sideById } from "./model";
import type { Step } from "./step";

const reasons = new Set(["officer", "link-lost", "fork", "held-back", "clock"]);

/** suspend stops the session at once. Officers suspend for reasons of their own, nodes for what they observe. */
export function suspend(s: Step, a: DecodedAct): void {
  const b = s.body(suspendBody, a);
  const node = equal(s.sideOf(a).node, a.act.key);
  if (!node) s.officer(a);
  s.inForce();
  if (!reasons.has(b.reason) || node === (b.reason === "officer")) throw problem("malformed", { what: "reason" });
  if (b.of.length !== 0 && sideById(s.model, b.of) === undefined) throw problem("malformed", { what: "of" });
  if (s.model.suspensions.filter((x) => equal(x.side, a.act.side)).length >= maxSuspensions) throw problem("too-many", { what: "suspensions" });
  s.model.suspensions.push({
    id: a.id, side: a.act.side, key: a.act.key, node, reason: b.reason, of: b.of, index: s.model.next, at: s.at,
  }); // prettier-ignore
  s.effect({ kind: "suspended", act: a.id, side: a.act.side });
}

/** newTerm: an officer of every side, each signing the same point of the log. */
export function newTerm(s: Step, a: DecodedAct): void {
  const b = s.body(termBody, a);
  s.officer(a);
  s.inForce();
  if (b.term !== s.model.term + 1 || s.term !== b.term) throw problem("out-of-order", { field: "term" });
  if (b.after + 1 !== s.model.next || !equal(b.hash, s.model.hash)) throw problem("forked");
  if (sideById(s.model, b.sequencer) === undefined) throw problem("not-yours");
  if (b.others.length > maxSides) throw problem("too-many", { what: "others" });
  const consents = [a.act.side];
  for (const raw of b.others) {
    const side = otherTerm(s, raw, b);
    if (consents.some((c) => equal(c, side))) throw problem("already-done");
    consents.push(side);
  }
  if (consents.length !== s.model.sides.length) throw problem("not-in-force", { what: "term" });
  s.model.term = b.term;
  s.model.sequencer = b.sequencer;
  s.effect({ kind: "term", act: a.id, side: b.sequencer });
}

/** otherTerm checks the same statement by another side's officer. */
function otherTerm(s: Step, raw: Uint8Array, want: Term): Uint8Array {
  const o = decodeSigned(raw);
  if (o.act.kind !== "term" || !equal(o.act.scope, s.model.scope)) throw problem("malformed", { what: "others" });
  if (s.seen.has(hex(o.id))) throw problem("replayed");
  s.check("ed25519", o.act.key, contextAct, o.raw, o.sig, "act", "bad-signature");
  s.officer(o);
  const b = s.body(termBody, o);
  const same =
    b.term === want.term &&
    b.after === want.after &&
    equal(b.hash, want.hash) &&
    equal(b.sequencer, want.sequencer) &&
    b.others.length === 0;
  if (!same) throw problem("malformed", { what: "others" });
  s.ids.push(o.id);
  return o.act.side;
}
