import type { Phase, SessionCard } from '../view/model.ts';

const rank: Record<Phase['kind'], number> = { open: 0, suspended: 0, agreed: 1, proposed: 2, closed: 3 };

// nextFirst: what goes on now, then what is signed, then what is proposed, each by its beginning; what is closed comes last.
export function nextFirst(sessions: readonly SessionCard[]): SessionCard[] {
  return [...sessions].sort((a, b) => rank[a.phase.kind] - rank[b.phase.kind] || a.from - b.from);
}

// parity compares what the sides bring: principals and advisers are counted, the others are not.
export function parity(seats: readonly { readonly side: string; readonly role: string }[]): boolean {
  const counted = ['principal', 'head_of_delegation', 'adviser'];
  const count = new Map<string, number>();
  for (const seat of seats) count.set(seat.side, (count.get(seat.side) ?? 0) + (counted.includes(seat.role) ? 1 : 0));
  return new Set(count.values()).size <= 1;
}
