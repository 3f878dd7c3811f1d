import type { AccreditDraft, PendingEnrolment, Role } from '../../view/model.ts';
import { fromInput } from './when.ts';

export const roles: readonly Role[] = [
  'principal', 'head_of_delegation', 'adviser', 'interpreter', 'chief_interpreter', 'note_taker', 'technical_lead',
  'protocol_officer', 'security_officer', 'press_officer', 'observer', 'mediator', 'other',
];

// What the form holds while it is filled in.
export interface AccreditEntry {
  compared: boolean;
  person: string;
  name: Record<string, string>;
  office: Record<string, string>;
  role: Role;
  formats: string[];
  from: string;
  until: string;
}

export type AccreditFault = 'compared' | 'person' | 'name' | 'formats' | 'until';

// check gives the faults in the order of the form, or the draft.
export function check(enrolment: PendingEnrolment, entry: AccreditEntry): { faults: AccreditFault[]; draft: AccreditDraft | null } {
  const faults: AccreditFault[] = [];
  if (!entry.compared) faults.push('compared');
  if (!isShortName(entry.person)) faults.push('person');
  const name = written(entry.name);
  if (Object.keys(name).length === 0) faults.push('name');
  if (entry.formats.length === 0) faults.push('formats');
  const from = fromInput(entry.from);
  const until = fromInput(entry.until);
  if (!(until > from)) faults.push('until');
  if (faults.length > 0) return { faults, draft: null };
  const draft: AccreditDraft = {
    enrolment: enrolment.id, person: entry.person, name, office: written(entry.office), role: entry.role,
    formats: entry.formats, from, until, wordsCompared: true,
  };
  return { faults, draft };
}

// isShortName: what plans and accreditations call a person by (internal/ident, IsID).
export function isShortName(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);
}

// written leaves out the languages in which nothing was written.
export function written(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([tag, text]) => [tag, text.trim()]).filter(([, text]) => text !== ''));
}
