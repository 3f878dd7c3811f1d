import type { Problem } from '../../view/model.ts';

const faults = {
  'malformed / link-card': { field: 'card', text: 'links.card-unreadable' },
  'bad-signature / link-card': { field: 'card', text: 'links.card-altered' },
  'not-yours / own-card': { field: 'card', text: 'links.card-own' },
  'malformed / address': { field: 'address', text: 'links.address-wrong' },
} as const;

// cardFault is what a node's refusal of a link card means to the officer who pasted it, and beside which field that is said.
export function cardFault(problem: Problem | null): (typeof faults)[keyof typeof faults] | null {
  const name = `${problem?.code} / ${problem?.params?.['what']}`;
  return name in faults ? faults[name as keyof typeof faults] : null;
}
