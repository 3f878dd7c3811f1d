import type { Plate, Role, SideName, Text } from './people.ts';
import type { Problem } from './problem.ts';

export type Status = 'formal' | 'informal' | 'without-prejudice' | 'test';
export type SuspendReason = 'officer' | 'link-lost' | 'fork' | 'held-back' | 'clock';

export type Phase =
  | { readonly kind: 'proposed' } // not every side has signed the plan
  | { readonly kind: 'agreed' } // signed, nobody in the room yet
  | { readonly kind: 'open' }
  // of: the side whose officer suspended; for other reasons the side that it is about
  | { readonly kind: 'suspended'; readonly reason: SuspendReason; readonly of: SideName | null; readonly since: number }
  | { readonly kind: 'closed'; readonly at: number };

// A joint act waits until an officer of every side has consented.
export interface Proposal {
  readonly id: string;
  readonly what: 'plan' | 'admit' | 'resume' | 'extend' | 'close';
  readonly by: Plate | null;
  readonly at: number;
  readonly consents: readonly { readonly side: SideName; readonly given: boolean }[];
  readonly mayConsent: boolean; // this device is an officer whose side has not consented yet
  readonly subject: Text | null; // admit: the person's name or id
  readonly until: number | null; // extend: the new end
}

export interface SeatView {
  readonly side: SideName;
  readonly person: string;
  readonly name: Text; // empty until the person has joined or is known here
  readonly role: Role;
}

export interface SessionCard {
  readonly scope: string;
  readonly title: Text;
  readonly status: Status;
  readonly phase: Phase;
  readonly from: number;
  readonly until: number;
  readonly sides: readonly SideName[];
  readonly seats: readonly SeatView[];
  readonly proposals: readonly Proposal[];
  readonly mayEnter: boolean;
  readonly whyNot: Problem | null; // if not
}

// The state of the seal, always on the screen with text.
export type Protection =
  | { readonly kind: 'waiting' } // alone or not in the group yet: nothing is sent
  | { readonly kind: 'sealing'; readonly epoch: number } // keys are being agreed; what is sent is sealed with the epoch before
  | { readonly kind: 'sealed'; readonly suite: string; readonly epoch: number; readonly confirmed: number; readonly members: number }
  | { readonly kind: 'unsigned'; readonly side: SideName; readonly since: number } // sealed, but a node has not countersigned the log since then
  | { readonly kind: 'alarm'; readonly problem: Problem }; // nothing may be trusted until people have looked
// In `sealed`, confirmed < members is drawn as degraded ("4 of 6 keys confirmed").

export type LinkState = 'up' | 'down' | 'never';
export interface LinkVerification {
  readonly kind: 'in-person' | 'demonstration' | 'none';
  readonly at: number | null;
  readonly by: string | null;
}
export interface LinkView {
  readonly side: SideName;
  readonly state: LinkState;
  readonly since: number | null;
  readonly roundTripMs: number | null;
  readonly verified: LinkVerification;
  readonly problem: Problem | null;
}
