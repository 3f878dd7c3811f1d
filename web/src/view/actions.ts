import type { DeviceKind } from './media.ts';
import type { AccreditDraft, PlanDraft } from './officer.ts';
import type { Problem } from './problem.ts';

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly problem: Problem };
export type Done = Promise<Outcome>;

// Everything a person can do. Each answers when the node has (or has not) done it; the new state comes with the next view.
// An action that is not allowed answers with a problem: the page hides controls by role, and does not enforce.
export interface Actions {
  retry(): void; // of a refused or unreachable start: connect anew now
  enrol(name: string, note: string): Done;

  prepare(scope: string): Done; // lobby -> holding: asks for devices; nothing is sent
  testSpeaker(): Done; // plays a short tone on the chosen speaker
  confirmSpeaker(heard: boolean): void;
  chooseDevice(kind: DeviceKind, id: string): Done;
  askDevices(): Done; // again, after a refusal
  setCamera(on: boolean): Done;
  enter(): Done; // holding -> room
  back(): void; // holding or closed room -> lobby

  setMuted(muted: boolean): Done; // one's own microphone
  shareScreen(): Done;
  stopSharing(): Done;
  leave(): Done;
  setLayout(kind: 'stage' | 'grid' | 'photo'): void; // a wish; a screen share takes the room by itself
  pin(tile: string | null): void;

  dismiss(notice: string): void;
  saveEvidence(): Done; // of forks and lies, as a file

  // officers
  refreshOfficer(): void;
  accredit(draft: AccreditDraft): Done;
  decline(enrolment: string, reason: string): Done;
  revoke(person: string, device: string, reason: string): Done;
  addLink(card: string, address: string): Done; // the card as text; address empty: the card's own
  verifyLink(side: string, fingerprint: string): Done; // typed by hand
  proposePlan(draft: PlanDraft): Done;
  consent(scope: string, proposal: string): Done;
  suspend(scope: string): Done;
  proposeResume(scope: string): Done;
  proposeExtend(scope: string): Done; // by an hour
  proposeClose(scope: string): Done;
}
