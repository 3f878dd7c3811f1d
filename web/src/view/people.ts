// Who is shown, and how they were verified. Every text a person reads comes as a map of language tag to text, as in the plan
// and the accreditation: names are what the side itself wrote, never looked up in a list.

export type Text = Readonly<Record<string, string>>;

export type Role =
  | 'principal' | 'head_of_delegation' | 'adviser' | 'note_taker' | 'interpreter' | 'chief_interpreter' | 'technical_lead'
  | 'protocol_officer' | 'security_officer' | 'press_officer' | 'observer' | 'mediator' | 'other';

export interface SideName {
  readonly id: string; // hex of the side id
  readonly name: Text;
  readonly own: boolean;
}

// How a key was verified. `none` is never drawn as neutral.
export type Verification =
  | { readonly kind: 'in-person'; readonly at: number; readonly by: Text } // an officer compared the words face to face
  | { readonly kind: 'demonstration'; readonly at: number }
  | { readonly kind: 'none' };

export interface Plate {
  readonly person: string; // stable within the side
  readonly name: Text;
  readonly office: Text;
  readonly role: Role;
  readonly side: SideName;
  readonly verified: Verification;
}

// An attestation is the member's own signed word on the keys it holds; all must agree.
export type Attestation = 'agrees' | 'awaited' | 'differs';
export type Presence = 'here' | 'reconnecting' | 'lost' | 'absent';

export interface RosterRow {
  readonly plate: Plate;
  readonly presence: Presence;
  readonly attestation: Attestation; // meaningful while here
  readonly joinedAt: number | null;
  readonly own: boolean; // this device
}

export interface Fingerprint {
  readonly words: readonly string[]; // six, in English whatever the page's language: they are read aloud between sides
  readonly epoch: number;
  readonly roster: readonly RosterRow[]; // exactly those the words cover
  readonly pairs: readonly PairWords[]; // of one's own side with each other side
}

// The words of two sides stay the same over all sessions, until a delegation key changes.
export interface PairWords {
  readonly side: SideName;
  readonly words: readonly string[];
}
