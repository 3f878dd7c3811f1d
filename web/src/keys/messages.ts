// What the MLS worker is asked and what it answers. Handles are numbers; secrets never cross.

import type { KeysErrorCode } from "./errors.js";
import type { ExpectedCommit, GroupContextView, Leaf, Roster } from "./group.js";
import type { Fingerprint } from "./fingerprint.js";
import type { Attested } from "./attest.js";

/** Each operation: what it takes, what it gives. Byte strings are copied, ms are since 1970. */
export interface KeysOperations {
  /** A member makes one KeyPackage and joins or founds one group with it. */
  "make-member": {
    in: { readonly identity: Uint8Array; readonly now: number };
    out: { readonly member: number; readonly keyPackage: Uint8Array; readonly keyPackageRef: Uint8Array; readonly signaturePublicKey: Uint8Array };
  };
  "key-package-ref": { in: { readonly keyPackage: Uint8Array }; out: Uint8Array };
  create: { in: { readonly member: number; readonly scope: string; readonly groupId: Uint8Array }; out: GroupView };
  join: {
    in: {
      readonly member: number;
      readonly scope: string;
      readonly welcome: Uint8Array;
      readonly groupId: Uint8Array;
      readonly roster: Roster;
      readonly epoch: bigint;
    };
    out: GroupView;
  };
  commit: {
    in: { readonly group: number; readonly adds: readonly Uint8Array[]; readonly removes: readonly number[]; readonly roster: Roster; readonly now: number };
    out: { readonly pending: number; readonly message: Uint8Array; readonly welcome: Uint8Array | null };
  };
  confirm: { in: { readonly group: number; readonly pending: number }; out: GroupView };
  discard: { in: { readonly group: number; readonly pending: number }; out: null };
  process: {
    in: { readonly group: number; readonly commit: Uint8Array; readonly expected: ExpectedCommit; readonly roster: Roster };
    /** null: this member was removed. */
    out: GroupView | null;
  };
  view: { in: { readonly group: number }; out: GroupView };
  fingerprint: { in: { readonly group: number }; out: Fingerprint };
  attest: { in: { readonly group: number; readonly scope: Uint8Array }; out: Uint8Array };
  "verify-attestation": {
    in: { readonly publicKey: Uint8Array; readonly attested: Attested; readonly signature: Uint8Array };
    out: boolean;
  };
  /** Drops a group, or a member not yet used. */
  close: { in: { readonly handle: number }; out: null };
}

export interface GroupView {
  readonly group: number;
  readonly ownLeaf: number;
  readonly context: GroupContextView;
  readonly leaves: readonly Leaf[];
}

export type KeysOperation = keyof KeysOperations;

export type KeysRequest =
  | { [O in KeysOperation]: { readonly id: number; readonly op: O } & KeysOperations[O]["in"] }[KeysOperation]
  /** A port to the seal worker, transferred; base keys go through it. */
  | { readonly id: number; readonly op: "seal-port"; readonly port: MessagePort };

export type KeysResponse =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: KeysErrorCode; readonly detail: string };
