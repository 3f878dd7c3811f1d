import type { Role, Text, Verification } from './people.ts';
import type { SessionCard, Status } from './session.ts';

export interface PendingEnrolment {
  readonly id: string;
  readonly words: readonly string[]; // of the device key; compared face to face
  readonly claims: { readonly name: string; readonly note: string; readonly language: string }; // said by the person, unverified
  readonly since: number;
}

export interface AccreditedPerson {
  readonly person: string;
  readonly device: string; // hex of the device key
  readonly name: Text;
  readonly office: Text;
  readonly role: Role;
  readonly formats: readonly string[];
  readonly from: number;
  readonly until: number;
  readonly verified: Verification;
  readonly connected: boolean;
  readonly revoked: { readonly at: number; readonly reason: string } | null;
}

// A seat that a plan or this side's own list names, offered in the accreditation form.
export interface OpenSeat {
  readonly person: string;
  readonly role: Role;
  readonly format: string;
}

export interface OfficerPage {
  readonly loaded: boolean;
  readonly pending: readonly PendingEnrolment[];
  readonly people: readonly AccreditedPerson[];
  readonly seats: readonly OpenSeat[];
  readonly formats: readonly { readonly id: string; readonly name: Text }[];
  readonly sessions: readonly SessionCard[];
  readonly languages: readonly string[]; // languages in which this side writes names: own first
}

export interface AccreditDraft {
  readonly enrolment: string;
  readonly person: string;
  readonly name: Text;
  readonly office: Text;
  readonly role: Role;
  readonly formats: readonly string[];
  readonly from: number;
  readonly until: number;
  readonly wordsCompared: true; // the form cannot be sent before the officer says so
}

export interface PlanDraft {
  readonly title: Text;
  readonly status: Status;
  readonly with: string; // id of the other side
  readonly sequencer: string; // id of the side whose node orders
  readonly formatName: Text;
  readonly seats: readonly { readonly side: string; readonly person: string; readonly role: Role }[];
  readonly from: number;
  readonly until: number;
}
