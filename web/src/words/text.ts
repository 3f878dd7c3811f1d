// Bounds and letters of everything that people of another side may have written (internal/ident/bounds.go).
import { utf8 } from "./bytes";

export const maxText = 200; // bytes of a name, office or title in one language
const maxLanguages = 16;

const roles = new Set([
  "principal", "head_of_delegation", "sherpa", "adviser", "note_taker", "interpreter", "chief_interpreter", "technical_lead",
  "protocol_officer", "security_officer", "press_officer", "chair", "mediator", "secretariat", "observer",
]); // prettier-ignore

export function isRole(r: string): boolean {
  return roles.has(r);
}

/** isText: one line without any character that is invisible or changes direction. */
export function isText(s: string, max: number): boolean {
  const length = utf8(s).length;
  if (length === 0 || length > max || s.startsWith(" ") || s.endsWith(" ")) return false;
  for (const c of s) if (hidden(c.codePointAt(0)!)) return false;
  return true;
}

/** hidden lists by range, not by Unicode property, so that Go and TypeScript refuse the same letters. */
function hidden(r: number): boolean {
  return (
    r < 0x20 ||
    within(r, 0x7f, 0xa0) ||
    singles.has(r) ||
    within(r, 0x180b, 0x180f) ||
    within(r, 0x2000, 0x200f) ||
    within(r, 0x2028, 0x202f) ||
    within(r, 0x205f, 0x206f) ||
    within(r, 0xd800, 0xf8ff) ||
    within(r, 0xfe00, 0xfe0f) ||
    within(r, 0xfff0, 0xffff) ||
    within(r, 0x1d173, 0x1d17a) ||
    r >= 0xe0000
  );
}

const singles = new Set([
  0xad, 0x034f, 0x061c, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5, 0x180e, 0x2800, 0x3000, 0x3164, 0xfeff, 0xffa0,
]);

function within(r: number, from: number, to: number): boolean {
  return r >= from && r <= to;
}

/** isTexts: a map from language tag to text, at least one. */
export function isTexts(m: Readonly<Record<string, string>>, max: number): boolean {
  const entries = Object.entries(m);
  return (
    entries.length >= 1 &&
    entries.length <= maxLanguages &&
    entries.every(([tag, s]) => isLanguage(tag) && isText(s, max))
  );
}

export function isLanguage(tag: string): boolean {
  return /^[A-Za-z0-9-]{2,16}$/.test(tag);
}

/** isZone: what may name a time zone of the IANA database, or nothing. Which there are differs from machine to machine. */
export function isZone(s: string): boolean {
  return /^[A-Za-z0-9_+/-]{0,64}$/.test(s);
}

/** isId: an id of a person or format. */
export function isId(s: string): boolean {
  return /^[a-z0-9._-]{1,64}$/.test(s);
}

/** isTrackId: 22 characters of base64url. */
export function isTrackId(s: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(s);
}
