// Group: ts-mls under Parley's policy. Environment-neutral: a browser worker, Node and goja run this file.
//
// The library checks RFC 9420; this file checks the profile and the log. Both are asserted on send and on
// receive, so that a client altered to send a ghost, or a node that slips one in, is refused by every other.
// State is immutable in the library: a refusal leaves the group exactly where it was.
//
//   commit → staged ─ ordered by the log → confirm → next epoch
//                   └ lost its place     → discard → made anew after process() of the winner

import type { ClientConfig } from "ts-mls/clientConfig.js";
import { type ClientState, createGroup, joinGroupWithExtensions, makePskIndex } from "ts-mls/clientState.js";
import { createCommit } from "ts-mls/createCommit.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { defaultKeyPackageEqualityConfig } from "ts-mls/keyPackageEqualityConfig.js";
import { makeKeyPackageRef, verifyKeyPackage } from "ts-mls/keyPackage.js";
import type { PrivateKeyPackage } from "ts-mls/keyPackage.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { defaultPaddingConfig } from "ts-mls/paddingConfig.js";
import { processPublicMessage } from "ts-mls/processMessages.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { signAttestation } from "./attest.js";
import { KeysError, refusing } from "./errors.js";
import { fingerprintOf, type Fingerprint } from "./fingerprint.js";
import type { Member } from "./member.js";
import { equal, hex, wipe } from "./octets.js";
import {
  checkLifetime,
  type CommitView,
  type Leaf,
  maxCommit,
  maxGroupId,
  maxLeafIndex,
  maxMembers,
  maxWelcome,
  parseCommit,
  parseKeyPackage,
  parseWelcome,
  type Roster,
  RosterSet,
  treeLeaves,
} from "./profile.js";

export type { Leaf, Roster, RosterEntry } from "./profile.js";

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

/** One member's view of one MLS group. Calls must not overlap; the worker runs them one by one. */
export class Group {
  readonly suite: CiphersuiteImpl;
  #state: ClientState | undefined;
  #staged = new Map<Pending, ClientState>();

  private constructor(suite: CiphersuiteImpl, state: ClientState) {
    this.suite = suite;
    this.#state = state;
  }

  /** Founds a group with the member at leaf 0, epoch 0. */
  static async create(member: Member, groupId: Uint8Array): Promise<Group> {
    if (groupId.length === 0 || groupId.length > maxGroupId) throw new KeysError("malformed", "group id size");
    const keys = member.take();
    const state = await refusing("invalid", () =>
      createGroup(groupId.slice(), keys.public, keys.private, [], member.suite, config(undefined)),
    );
    wipe(keys.private.initPrivateKey);
    return new Group(member.suite, state);
  }

  /** Joins from a Welcome. Every leaf of the tree must be in the roster, so a node cannot have added a ghost. */
  static async join(member: Member, welcome: Uint8Array, expected: ExpectedGroup): Promise<Group> {
    const w = parseWelcome(welcome);
    const keys = member.take();
    // The library zeroes nothing of the private keys; keep a copy of the init key in case the Welcome is refused.
    try {
      const [state, extensions] = await refusing("invalid", () =>
        joinGroupWithExtensions(w, keys.public, keys.private, emptyPskIndex, member.suite, undefined, undefined, config(undefined)),
      );
      const gc = state.groupContext;
      if (!equal(gc.groupId, expected.groupId)) throw new KeysError("wrong-group");
      if (expected.epoch !== undefined && gc.epoch !== expected.epoch) throw new KeysError("wrong-epoch");
      if (gc.extensions.length !== 0) throw new KeysError("forbidden-extension", "group");
      if (extensions.some((e) => e.extensionType !== "ratchet_tree")) throw new KeysError("forbidden-extension", "GroupInfo");
      assertRoster(treeLeaves(state.ratchetTree), new RosterSet(expected.roster));
      wipe(keys.private.initPrivateKey);
      return new Group(member.suite, state);
    } catch (e) {
      member.restore(keys.private);
      throw e;
    }
  }

  /** Stages a commit: Adds, Removes, or neither (a path update that heals this member's keys). */
  async commit(r: CommitRequest): Promise<Staged> {
    const state = this.#active();
    const own = state.privatePath.leafIndex;
    if (r.removes.includes(own)) throw new KeysError("own-leaf");
    if (new Set(r.removes).size !== r.removes.length) throw new KeysError("malformed", "leaf removed twice");
    if (r.removes.some((i) => !Number.isInteger(i) || i < 0 || i > maxLeafIndex)) throw new KeysError("malformed", "leaf index");
    if (r.adds.length > maxMembers) throw new KeysError("too-large", "adds");
    const keyPackages = r.adds.map(parseKeyPackage);
    for (const kp of keyPackages) {
      checkLifetime(kp, r.now);
      if (!(await refusing("bad-keypackage", () => verifyKeyPackage(kp, this.suite.signature))))
        throw new KeysError("bad-keypackage", "signature");
    }
    const extraProposals = [
      ...r.removes.map((removed) => ({ proposalType: "remove" as const, remove: { removed } })),
      ...keyPackages.map((keyPackage) => ({ proposalType: "add" as const, add: { keyPackage } })),
    ];
    const made = await refusing("invalid", () =>
      createCommit(
        { state: withRoster(state, r.roster), pskIndex: makePskIndex(undefined, {}), cipherSuite: this.suite },
        { wireAsPublicMessage: true, extraProposals, ratchetTreeExtension: true, requirePath: true },
      ),
    );
    try {
      const message = encodeMlsMessage(made.commit);
      const view = parseCommit(message); // what we send passes what we accept
      const refs = await Promise.all(keyPackages.map((kp) => makeKeyPackageRef(kp, this.suite.hash)));
      await this.#assertExpected(state, view, { committerLeaf: own, adds: refs, removes: r.removes });
      assertChange(state, made.newState, view, new RosterSet(r.roster));
      const welcome =
        made.welcome === undefined
          ? null
          : encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome: made.welcome });
      if (message.length > maxCommit || (welcome?.length ?? 0) > maxWelcome) throw new KeysError("too-large", "commit");
      const pending = new Pending(state.groupContext.epoch, r.removes.length > 0);
      this.#staged.set(pending, made.newState);
      return { message, welcome, pending };
    } catch (e) {
      wipeState(made.newState, state);
      throw e;
    }
  }

  /** The log ordered the staged commit: move to its epoch. Others staged in the same epoch are dropped. */
  confirm(pending: Pending): bigint {
    const state = this.#active();
    const next = this.#staged.get(pending);
    if (next === undefined || pending.epoch !== state.groupContext.epoch) throw new KeysError("stale");
    this.#staged.delete(pending);
    this.#advance(next);
    return next.groupContext.epoch;
  }

  /** The log ordered another commit, or refused this one. */
  discard(pending: Pending): void {
    const next = this.#staged.get(pending);
    this.#staged.delete(pending);
    if (next !== undefined) wipeState(next, this.#state);
  }

  /** Applies another member's commit that the log ordered. */
  async process(commit: Uint8Array, expected: ExpectedCommit, roster: Roster): Promise<Processed> {
    const state = this.#active();
    const view = parseCommit(commit);
    await this.#assertExpected(state, view, expected);
    if (view.committer === state.privatePath.leafIndex) throw new KeysError("wrong-committer", "own commit");
    if (expected.now !== undefined) for (const kp of view.adds) checkLifetime(kp, expected.now);
    const result = await refusing("invalid", () =>
      processPublicMessage(withRoster(state, roster), view.message, emptyPskIndex, this.suite),
    );
    const next = result.newState;
    if (view.removes.includes(state.privatePath.leafIndex)) {
      // The library authenticated the commit with the membership key and its signature before it said so.
      if (next.groupActiveState.kind !== "removedFromGroup") throw new KeysError("invalid", "not removed");
      const epoch = state.groupContext.epoch + 1n;
      this.close();
      return { outcome: "removed", epoch };
    }
    try {
      if (next.groupActiveState.kind !== "active") throw new KeysError("invalid", next.groupActiveState.kind);
      assertChange(state, next, view, new RosterSet(roster));
    } catch (e) {
      wipeState(next, state);
      throw e;
    }
    this.#advance(next);
    return { outcome: "advanced", epoch: next.groupContext.epoch };
  }

  /** SFrame base key of this epoch (RFC 9605 §5.2), 32 bytes. Secret. */
  exporter(): Promise<Uint8Array> {
    return this.export("SFrame 1.0 Base Key", new Uint8Array(), 32);
  }

  /** MLS-Exporter (RFC 9420 §8.5). Secret. */
  async export(label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    return mlsExporter(this.#active().keySchedule.exporterSecret, label, context, length, this.suite);
  }

  /** Six words that two technical leads compare outside the link; equal only over the same tree and transcript. */
  async fingerprint(): Promise<Fingerprint> {
    return fingerprintOf(await this.export("Parley 1.0 Session Fingerprint", new Uint8Array(), 9));
  }

  context(): GroupContextView {
    const { groupId, epoch, treeHash, confirmedTranscriptHash } = this.#active().groupContext;
    return {
      groupId: groupId.slice(),
      epoch,
      treeHash: treeHash.slice(),
      confirmedTranscriptHash: confirmedTranscriptHash.slice(),
    };
  }

  leaves(): Leaf[] {
    return treeLeaves(this.#active().ratchetTree).map((l) => ({
      index: l.index,
      identity: l.identity.slice(),
      signatureKey: l.signatureKey.slice(),
    }));
  }

  get ownLeaf(): number {
    return this.#active().privatePath.leafIndex;
  }

  /** Signs {scope, group, epoch, transcript hash, tree hash} with the member's MLS signature key. */
  async attest(scope: Uint8Array): Promise<Uint8Array> {
    const state = this.#active();
    return signAttestation(this.suite.signature, state.signaturePrivateKey, { scope, ...state.groupContext });
  }

  /** Drops every secret. */
  close(): void {
    for (const s of this.#staged.values()) wipeState(s);
    this.#staged.clear();
    if (this.#state !== undefined) {
      wipeState(this.#state);
      wipe(this.#state.signaturePrivateKey);
    }
    this.#state = undefined;
  }

  toJSON(): string {
    return "Group(redacted)";
  }

  #active(): ClientState {
    if (this.#state === undefined) throw new KeysError("closed");
    return this.#state;
  }

  #advance(next: ClientState): void {
    for (const s of this.#staged.values()) wipeState(s, next);
    this.#staged.clear();
    const old = this.#state;
    // No application messages: nothing of a past epoch is kept by the library.
    this.#state = { ...next, historicalReceiverData: new Map() };
    if (old !== undefined) wipeState(old, next);
  }

  async #assertExpected(state: ClientState, view: CommitView, expected: ExpectedCommit): Promise<void> {
    const gc = state.groupContext;
    if (!equal(view.groupId, gc.groupId)) throw new KeysError("wrong-group");
    if (view.epoch !== gc.epoch) throw new KeysError("wrong-epoch");
    if (view.committer !== expected.committerLeaf) throw new KeysError("wrong-committer");
    if (!sameSet(view.removes, expected.removes)) throw new KeysError("unexpected-removes");
    const refs = await Promise.all(view.adds.map((kp) => makeKeyPackageRef(kp, this.suite.hash)));
    if (refs.length !== expected.adds.length || refs.some((r, i) => !equal(r, expected.adds[i]!)))
      throw new KeysError("unexpected-adds");
  }
}

function sameSet(a: readonly number[], b: readonly number[]): boolean {
  const set = new Set(a);
  return a.length === b.length && set.size === a.length && b.every((x) => set.has(x)) && new Set(b).size === b.length;
}

function config(roster: Roster | undefined): ClientConfig {
  const set = roster === undefined ? undefined : new RosterSet(roster);
  return {
    keyRetentionConfig: { retainKeysForGenerations: 1, retainKeysForEpochs: 1, maximumForwardRatchetSteps: 1 },
    // Lifetimes are checked by profile.ts against the log's clock.
    lifetimeConfig: { maximumTotalLifetime: 30n * 3600n, validateLifetimeOnReceive: false },
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    authService: {
      async validateCredential(credential, signatureKey) {
        if (credential.credentialType !== "basic") return false;
        return set === undefined || set.has({ identity: credential.identity, signatureKey });
      },
    },
  };
}

function withRoster(state: ClientState, roster: Roster): ClientState {
  return { ...state, clientConfig: config(roster) };
}

function assertRoster(leaves: readonly Leaf[], roster: RosterSet): void {
  for (const l of leaves) if (!roster.has(l)) throw new KeysError("ghost", `leaf ${l.index}`);
}

/**
 * Compares the trees around a commit. Invariants: one epoch on; a leaf that was neither removed nor added keeps
 * identity and signature key (ts-mls lets a committer write another's name into its own leaf: defect 6); the new
 * leaves are exactly the Adds; every leaf is in the roster.
 */
function assertChange(before: ClientState, after: ClientState, view: CommitView, roster: RosterSet): void {
  if (after.groupContext.epoch !== before.groupContext.epoch + 1n) throw new KeysError("wrong-epoch");
  if (after.groupContext.extensions.length !== 0) throw new KeysError("forbidden-extension", "group");
  const old = new Map(treeLeaves(before.ratchetTree).map((l) => [l.index, l]));
  const now = treeLeaves(after.ratchetTree);
  for (const r of view.removes) old.delete(r);
  const added: Leaf[] = [];
  for (const l of now) {
    const was = old.get(l.index);
    if (was === undefined) {
      added.push(l);
      continue;
    }
    if (!equal(was.identity, l.identity) || !equal(was.signatureKey, l.signatureKey))
      throw new KeysError("identity-changed", `leaf ${l.index}`);
    old.delete(l.index);
  }
  if (old.size !== 0) throw new KeysError("unexpected-removes");
  const wanted = new Set(view.adds.map((kp) => hex(kp.leafNode.signaturePublicKey)));
  if (added.length !== view.adds.length || added.some((l) => !wanted.delete(hex(l.signatureKey))))
    throw new KeysError("unexpected-adds");
  assertRoster(now, roster);
}

/** Zeroes the secrets of a state that another state does not share. */
function wipeState(s: ClientState, keep?: ClientState): void {
  const kept = new Set<Uint8Array>();
  if (keep !== undefined) {
    for (const k of Object.values(keep.keySchedule)) kept.add(k);
    for (const k of Object.values(keep.privatePath.privateKeys)) kept.add(k);
    for (const n of keep.secretTree) kept.add(n.application.secret).add(n.handshake.secret);
  }
  const wipeUnkept = (k: Uint8Array) => {
    if (!kept.has(k)) wipe(k);
  };
  for (const k of Object.values(s.keySchedule)) wipeUnkept(k);
  for (const k of Object.values(s.privatePath.privateKeys)) wipeUnkept(k);
  for (const n of s.secretTree) {
    wipeUnkept(n.application.secret);
    wipeUnkept(n.handshake.secret);
  }
}

export type { PrivateKeyPackage };
