// The officer's page.
import { deviceWords } from "../../words/fingerprint";
import { hex } from "../../words/bytes";
import { revocation, open } from "../../words/ident";
import type { AccreditedPerson, OfficerPage, OpenSeat, PendingEnrolment, SessionCard, Text } from "../../view/model";
import type { AccreditedPerson as WirePerson, OfficerReply, PendingEnrolment as WirePending } from "../../wire/parley/v1/signal_pb";
import { readAccreditation } from "../officer";
import { roleOf, verification } from "./people";

/** The format of the sessions that this client proposes; sessions made elsewhere name their own. */
export const plenary = "plenary";
const plenaryName: Text = { en: "Plenary", ar: "الجلسة العامة", fr: "Plénière", ru: "Пленарное заседание", zh: "全体会议", es: "Plenaria" };

export interface KnownFormat {
  readonly id: string;
  readonly name: Text;
  readonly scope: string;
}

const longest = 400;

export function officerPage(
  reply: OfficerReply | undefined,
  sessions: readonly SessionCard[],
  known: readonly KnownFormat[],
  language: string,
  officers: ReadonlyMap<string, Text>,
): OfficerPage {
  const formats = new Map([[plenary, plenaryName], ...known.map((f): [string, Text] => [f.id, f.name])]);
  return {
    loaded: reply !== undefined,
    pending: (reply?.pending ?? []).map(pending),
    people: (reply?.people ?? []).flatMap((p) => person(p, officers) ?? []),
    seats: seats(sessions, known),
    formats: [...formats].map(([id, name]) => ({ id, name })),
    sessions,
    languages: [...new Set([language, "en"])],
  };
}

function pending(p: WirePending): PendingEnrolment {
  return {
    id: hex(p.id),
    words: deviceWords(p.device),
    claims: { name: p.name.slice(0, longest), note: p.note.slice(0, longest), language: p.language.slice(0, 16) },
    since: Number(p.since),
  };
}

function person(p: WirePerson, officers: ReadonlyMap<string, Text>): AccreditedPerson | undefined {
  const a = readAccreditation(p.accreditation);
  if (a === undefined) return undefined;
  return {
    person: a.person,
    device: hex(a.device),
    name: a.name,
    office: a.office,
    role: roleOf(a.role),
    formats: a.formats,
    from: a.from,
    until: a.until,
    verified: verification(a.verified, a.at, officers.get(hex(a.by)) ?? {}),
    connected: p.connected,
    revoked: revoked(p.revocation),
  };
}

function revoked(b: Uint8Array): AccreditedPerson["revoked"] {
  if (b.length === 0) return null;
  try {
    const { value } = open(revocation, b);
    return { at: value.at, reason: value.reason };
  } catch {
    return { at: 0, reason: "" };
  }
}

function seats(sessions: readonly SessionCard[], known: readonly KnownFormat[]): OpenSeat[] {
  const out = new Map<string, OpenSeat>();
  for (const s of sessions) {
    const format = known.find((f) => f.scope === s.scope)?.id ?? plenary;
    for (const seat of s.seats) if (seat.side.own) out.set(`${format}/${seat.person}`, { person: seat.person, role: seat.role, format });
  }
  return [...out.values()];
}
