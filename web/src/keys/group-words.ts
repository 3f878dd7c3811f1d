// What a group is asked and what it answers.
import type { Roster } from "./profile.js";

export interface CommitRequest {
  /** Bare KeyPackages, in the order of the Add proposals. */
  readonly adds: readonly Uint8Array[];
  /** Leaf indices. */
  readonly removes: readonly number[];
  /** The log's roster, with those to be added. */
  readonly roster: Roster;
  /** ms since 1970, for the lifetime of the KeyPackages. */
  readonly now: number;
}

export interface Staged {
  /** MLSMessage with a PublicMessage commit, for the log. */
  readonly message: Uint8Array;
  /** MLSMessage with a Welcome, null without adds. */
  readonly welcome: Uint8Array | null;
  readonly pending: Pending;
}

/** A staged epoch: opaque, given back to confirm or discard. */
export class Pending {
  /** The epoch the commit ends. */
  readonly epoch: bigint;
  readonly removed: boolean;
  constructor(epoch: bigint, removed: boolean) {
    this.epoch = epoch;
    this.removed = removed;
  }
}

/** What the log says about a commit; the message must agree. */
export interface ExpectedCommit {
  readonly committerLeaf: number;
  /** KeyPackageRefs in the order of the Add proposals. */
  readonly adds: readonly Uint8Array[];
  readonly removes: readonly number[];
  /** ms: the log's time of the entry; absent, lifetimes are not checked again. */
  readonly now?: number;
}

export interface Processed {
  /** removed: this member is out, the group is closed. */
  readonly outcome: "advanced" | "removed";
  /** The epoch after the commit. */
  readonly epoch: bigint;
}

export interface GroupContextView {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly treeHash: Uint8Array;
  readonly confirmedTranscriptHash: Uint8Array;
}

export interface ExpectedGroup {
  readonly groupId: Uint8Array;
  readonly roster: Roster;
  /** The epoch after the commit that the Welcome came with. */
  readonly epoch?: bigint;
}
