// Who is in the room (internal/session/rules_presence.go).
import type { DecodedAct } from "../../words/act";
import { joinBody, leaveBody, lostBody, revokeBody } from "../../words/body";
import { equal } from "../../words/bytes";
import {
  accreditation, contextAccreditation, contextRevocation, contextSession, inForce, isInForce, open, revocation, sessionCert,
  type Accreditation, type SignedBody,
} from "../../words/ident"; // prettier-ignore
import { problem } from "../../words/problem";
import { maxJoins, maxJoinsEach, maxKeyPackage, maxRevocations } from "./limits";
import { end, memberByJoin, officerOf, over, seatOf, type Member, type Revoked } from "./model";
import type { Step } from "./step";

/** join: a second join of the same person replaces the first, whatever the device. */
export function join(s: Step, a: DecodedAct): void {
  const b = s.body(joinBody, a);
  s.inForce();
  if (b.keypackage.length === 0 || b.keypackage.length > maxKeyPackage) throw problem("malformed", { what: "keypackage" });
  const acc = accredited(s, a, b.accreditation);
  const key = sessionKey(s, a, acc, b.session);
  const all = s.model.members.filter((j) => equal(j.side, a.act.side));
  const each = all.filter((j) => j.person === acc.person); // one person's device must not use up the joins of the others
  const here = each.some((j) => j.state === "live" || j.state === "lost"); // a reload in overtime puts nobody out
  if (over(s.model, s.at) && !here) throw problem("time-over");
  if (all.length >= maxJoins || each.length >= maxJoinsEach) throw problem("too-many", { what: "joins" });
  for (const j of s.model.members) replace(s, a, acc, j);
  s.model.members.push({
    join: a.id, side: acc.side, person: acc.person, role: acc.role, name: acc.name, office: acc.office, verified: acc.verified,
    verifiedat: acc.at, by: acc.by, device: a.act.key, key, keypackage: b.keypackage, index: s.model.next, at: s.at, state: "live",
    since: 0,
  }); // prettier-ignore
  s.effect({ kind: "joined", act: a.id, side: acc.side, join: a.id });
}

function replace(s: Step, a: DecodedAct, acc: Accreditation, j: Member): void {
  if (j.state !== "live" && j.state !== "lost") return;
  if (!equal(j.side, acc.side) || j.person !== acc.person) {
    if (j.state === "live" && equal(j.device, a.act.key)) throw problem("accreditation-device"); // one device is one person
    return;
  }
  end(s.model, j, "replaced");
  s.effect({ kind: "replaced", act: a.id, side: j.side, join: j.join });
}

/** accredited checks that an accreditation of the author's side admits this device and person to this format now. */
function accredited(s: Step, a: DecodedAct, raw: Uint8Array): Accreditation {
  let opened: { value: Accreditation; signed: SignedBody };
  try {
    opened = open(accreditation, raw);
  } catch {
    throw problem("not-accredited");
  }
  const { value: acc, signed } = opened;
  if (!equal(acc.side, a.act.side)) throw problem("accreditation-foreign");
  const o = officerOf(s.sideOf(a), acc.by);
  if (o === undefined || !isInForce(o.from, o.until, acc.at)) throw problem("accreditation-foreign");
  s.check("ed25519", acc.by, contextAccreditation, signed.body, signed.ed25519, "accreditation", "accreditation-altered");
  if (!equal(acc.device, a.act.key)) throw problem("accreditation-device");
  inForce(acc.from, acc.until, s.at);
  if (s.model.revocations.some((r) => ends(r, acc.side, acc.person, acc.device, acc.at))) throw problem("accreditation-revoked");
  const seat = seatOf(s.model, acc.side, acc.person);
  if (seat?.role !== acc.role || !acc.formats.includes(s.model.format)) throw problem("not-seated");
  return acc;
}

/** ends: same side and person, the same device or all, and made not before the accreditation. */
function ends(r: Revoked, side: Uint8Array, person: string, device: Uint8Array, at: number): boolean {
  return equal(r.side, side) && r.person === person && at <= r.at && (r.device.length === 0 || equal(r.device, device));
}

/** sessionKey checks the certificate of the MLS signature key: the device's own, for this scope, over a key no join had before. */
function sessionKey(s: Step, a: DecodedAct, acc: Accreditation, raw: Uint8Array): Uint8Array {
  let opened;
  try {
    opened = open(sessionCert, raw);
  } catch {
    throw problem("malformed", { what: "session-cert" });
  }
  const { value: c, signed } = opened;
  s.check("ed25519", a.act.key, contextSession, signed.body, signed.ed25519, "session-cert", "bad-signature");
  const ours =
    equal(c.scope, s.model.scope) && equal(c.side, acc.side) && c.person === acc.person && equal(c.device, a.act.key);
  if (!ours) throw problem("not-yours");
  if (s.model.members.some((j) => equal(j.key, c.key))) throw problem("replayed");
  return c.key;
}

/** leave ends the author's own presence. */
export function leave(s: Step, a: DecodedAct): void {
  const b = s.body(leaveBody, a);
  s.inForce();
  const j = memberByJoin(s.model, b.join);
  if (j === undefined) throw problem("not-joined");
  if (!equal(j.side, a.act.side) || !equal(j.device, a.act.key)) throw problem("not-yours");
  if (j.state !== "live") throw problem("not-joined");
  end(s.model, j, "left");
  s.effect({ kind: "left", act: a.id, side: j.side, join: j.join });
}

/** lost is a node's statement about a device of its own side. */
export function lost(s: Step, a: DecodedAct): void {
  const b = s.body(lostBody, a);
  s.inForce();
  if (!equal(s.sideOf(a).node, a.act.key)) throw problem("not-yours");
  const j = memberByJoin(s.model, b.join);
  if (j === undefined) throw problem("not-joined");
  if (!equal(j.side, a.act.side)) throw problem("not-yours");
  if (j.state !== "live") throw problem("not-joined");
  end(s.model, j, "lost");
  s.effect({ kind: "lost", act: a.id, side: j.side, join: j.join });
}

/** revoke ends accreditations of the officer's own side, and the presence that rests on them. */
export function revoke(s: Step, a: DecodedAct): void {
  const b = s.body(revokeBody, a);
  s.officer(a);
  s.inForce();
  let opened;
  try {
    opened = open(revocation, b.revocation);
  } catch {
    throw problem("malformed", { what: "revocation" });
  }
  const { value: r, signed } = opened;
  if (!equal(r.side, a.act.side)) throw problem("not-yours");
  if (officerOf(s.sideOf(a), r.by) === undefined) throw problem("not-officer");
  s.check("ed25519", r.by, contextRevocation, signed.body, signed.ed25519, "revocation", "bad-signature");
  if (s.model.revocations.filter((x) => equal(x.side, a.act.side)).length >= maxRevocations) throw problem("too-many", { what: "revocations" });
  const v: Revoked = { side: r.side, person: r.person, device: r.device, at: r.at };
  s.model.revocations.push(v);
  s.effect({ kind: "revoked", act: a.id, side: a.act.side });
  for (const j of s.model.members) {
    if (j.state !== "live" && j.state !== "lost") continue;
    if (!ends(v, j.side, j.person, j.device, j.verifiedat)) continue;
    end(s.model, j, "revoked");
    s.effect({ kind: "revoked", act: a.id, side: j.side, join: j.join });
  }
}
