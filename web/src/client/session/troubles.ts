// What a person in a room is told as long as it is so: a node that does not countersign, members who attest another group than all others.
import type { Text } from "../../view/model";
import { equal } from "../../words/bytes";
import type { Attendance } from "./attendance";
import type { Unsigned } from "./scope-log";

export interface Trouble {
  readonly code: "not-countersigned" | "member-differs";
  /** What the sentence names; undefined: it is not so. */
  readonly params: Record<string, string> | undefined;
}

export function troubles(a: Attendance | undefined, now: number, language: string): Trouble[] {
  const unsigned = a === undefined ? undefined : unsignedOf(a, now);
  const named = a?.room.named() ?? [];
  return [
    { code: "not-countersigned", params: unsigned === undefined || a === undefined ? undefined : { side: sideName(a, unsigned.side, language), time: clockTime(unsigned.since) } },
    { code: "member-differs", params: named.length === 0 ? undefined : { name: named.map((m) => say(m.name, language)).join(", ") } },
  ];
}

/** unsignedOf is the side whose node keeps its signature back. While the session stands still its reason is said instead. */
export function unsignedOf({ followed, room }: Attendance, now: number): Unsigned | undefined {
  const { log } = followed;
  if (!followed.caughtUp || log.broken !== undefined || room.forked !== undefined || log.state.phase() !== "agreed") return undefined;
  return log.unsigned(now);
}

function sideName({ followed }: Attendance, id: Uint8Array, language: string): string {
  return say(followed.log.state.plan()?.sides.find((s) => equal(s.id, id))?.name ?? {}, language);
}

const say = (text: Text, language: string): string => text[language] ?? text["en"] ?? Object.values(text)[0] ?? "";

const clockTime = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`;
