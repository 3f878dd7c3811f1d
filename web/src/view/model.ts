// What the page shows, whole. The client fills it, the page draws it and calls Actions; neither knows the other.
// A view is a snapshot and is never changed: the client makes a new one, sharing what stayed the same.
import type { Actions } from './actions.ts';
import type { Camera, Devices, Layout, MediaHandle, Microphone } from './media.ts';
import type { OfficerPage } from './officer.ts';
import type { Fingerprint, Plate, RosterRow, SideName, Text } from './people.ts';
import type { Problem } from './problem.ts';
import type { LinkView, Phase, Proposal, Protection, SessionCard, Status } from './session.ts';

export type * from './actions.ts';
export type * from './media.ts';
export type * from './officer.ts';
export type * from './people.ts';
export type * from './session.ts';
export { asProblemCode, problemCodes, type Problem, type ProblemCode } from './problem.ts';

export type Screen =
  | { readonly kind: 'starting'; readonly step: 'keys' | 'connecting' | 'proving' | 'reading-log' }
  | { readonly kind: 'unsupported'; readonly missing: readonly string[] } // names of the browser features that are not there
  | Enrolling
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'lobby' }
  | Holding
  | Room;

export interface Enrolling {
  readonly kind: 'enrolling';
  readonly state: 'ask' | 'waiting' | 'declined';
  readonly words: readonly string[]; // of this device's key, to be compared face to face with an officer
  readonly deviceKey: string; // the key as text, for `parley side officer-cert` of an officer's device
  readonly name: string;
  readonly note: string; // declined: the officer's words
  readonly since: number | null;
}

export interface Holding {
  readonly kind: 'holding';
  readonly session: SessionCard;
  readonly self: Plate;
  readonly microphone: Microphone;
  readonly camera: Camera;
  readonly speaker: 'untested' | 'playing' | 'asked' | 'heard' | 'not-heard';
  readonly devices: Devices;
  readonly entry:
    | { readonly kind: 'button' } // the person enters by pressing the one button
    | { readonly kind: 'automatic' } // a principal: enters when the microphone is proven and the session is open
    | { readonly kind: 'wait'; readonly problem: Problem | null } // not yet: the reason
    | { readonly kind: 'entering' };
}

export interface Room {
  readonly kind: 'room';
  readonly scope: string;
  readonly title: Text;
  readonly status: Status; // "test": the demonstration banner
  readonly phase: Phase;
  readonly self: Plate;
  readonly layout: Layout;
  readonly selfView: MediaHandle | null;
  readonly microphone: Microphone;
  readonly camera: Camera;
  readonly devices: Devices;
  readonly sharing: boolean; // one's own screen
  readonly protection: Protection;
  readonly link: LinkView; // to the other side
  readonly roster: readonly RosterRow[];
  readonly fingerprint: Fingerprint | null; // null until the group is there
  readonly proposals: readonly Proposal[];
  readonly until: number;
  readonly pinned?: string | null; // the tile that the person keeps on the stage
}

// A notice is a failure that does not end the screen. It stays until it is over or dismissed.
export interface Notice {
  readonly id: string;
  readonly problem: Problem;
  readonly severity: 'alarm' | 'warning' | 'information';
  readonly dismissible: boolean;
}

// Two capitals may share a zone; each is shown under its side.
export interface Zone {
  readonly side: string;
  readonly name: Text;
  readonly zone: string; // IANA, as the side's node was told
}

export interface View {
  readonly screen: Screen;
  readonly side: SideName | null; // own side, once the node has said it
  readonly self: Plate | null;
  readonly officer: boolean;
  readonly demonstration: boolean; // the node is the demonstration's
  readonly connection: { readonly kind: 'connected' } | { readonly kind: 'reconnecting'; readonly since: number };
  readonly clockOffset: number; // node's clock minus this device's, ms
  readonly zones: readonly Zone[]; // of the capitals; UTC is always shown
  readonly sessions: readonly SessionCard[];
  readonly links: readonly LinkView[];
  readonly officerPage: OfficerPage | null;
  readonly notices: readonly Notice[];
}

// Client is what main.ts hands to the page.
export interface Client {
  readonly actions: Actions;
  readonly ready: Promise<void>; // settled when there is something worth drawing, or nothing came for some time
  current(): View;
  subscribe(listener: (view: View) => void): () => void; // called on every new view, not at once
}
