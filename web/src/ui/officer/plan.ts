import type { PlanDraft, Role, Status } from '../../view/model.ts';
import { parity } from '../sessions.ts';
import { isShortName, written } from './accredit.ts';
import { fromInput } from './when.ts';

export interface SeatEntry {
  side: string;
  person: string;
  role: Role;
}

export interface PlanEntry {
  title: Record<string, string>;
  status: Status;
  other: string;
  sequencer: string;
  formatName: Record<string, string>;
  seats: SeatEntry[];
  from: string;
  until: string;
}

export type PlanFault = 'title' | 'other' | 'until' | 'person' | 'twice' | 'seats';

// check gives the faults in the order of the form, whether the sides bring equal numbers, and the draft if there is no fault.
export function checkPlan(own: string, entry: PlanEntry): { faults: PlanFault[]; equal: boolean; draft: PlanDraft | null } {
  const faults: PlanFault[] = [];
  const title = written(entry.title);
  if (Object.keys(title).length === 0) faults.push('title');
  if (entry.other === '') faults.push('other');
  const from = fromInput(entry.from);
  const until = fromInput(entry.until);
  if (!(until > from)) faults.push('until');
  const seats = entry.seats.map((seat) => ({ ...seat, person: seat.person.trim() })).filter((seat) => seat.person !== '');
  const names = new Set(seats.map((seat) => `${seat.side}/${seat.person}`));
  if (!seats.every((seat) => isShortName(seat.person))) faults.push('person');
  if (names.size !== seats.length) faults.push('twice');
  if (!seats.some((s) => s.side === own) || !seats.some((s) => s.side === entry.other)) faults.push('seats');
  const equal = parity(seats);
  if (faults.length > 0) return { faults, equal, draft: null };
  return { faults, equal, draft: { title, status: entry.status, with: entry.other, sequencer: entry.sequencer, formatName: written(entry.formatName), seats, from, until } };
}
