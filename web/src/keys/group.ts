// Group: ts-mls under Parley's policy. Environment-neutral: a browser worker, Node and goja run this file.
//
// The library checks RFC 9420; this file checks the profile and the log. Both are asserted on send and on
// receive, so that a client altered to send a ghost, or a node that slips one in, is refused by every other.
// State is immutable in the library: a refusal leaves the group exactly where it was.
//
//   commit → staged ─ ordered by the log → confirm → next epoch
//                   └ lost its place     → discard → made anew after process() of the winner

import { type ClientState, createGroup, joinGroupWithExtensions, makePskIndex } from "ts-mls/clientState.js";
import { createCommit } from "ts-mls/createCommit.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { makeKeyPackageRef, verifyKeyPackage } from "ts-mls/keyPackage.js";
import type { PrivateKeyPackage } from "ts-mls/keyPackage.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import { encodeMlsMessage } from "ts-mls/message.js";
import { processPublicMessage } from "ts-mls/processMessages.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { signAttestation } from "./attest.js";
import { KeysError, refusing } from "./errors.js";
import { fingerprintOf, type Fingerprint } from "./fingerprint.js";
import { assertChange, assertExpected, assertRoster, config, wipeState, withRoster } from "./group-policy.js";
import { type CommitRequest, type ExpectedCommit, type ExpectedGroup, type GroupContextView, Pending, type Processed, type Staged } from "./group-words.js";
import type { Member } from "./member.js";
import { equal, wipe } from "./octets.js";
import {
  checkLifetime,
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

export type { ExpectedCommit, GroupContextView } from "./group-words.js";
export type { Leaf, Roster, RosterEntry } from "./profile.js";
export { Pending, type Staged } from "./group-words.js";

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
      await assertExpected(this.suite, state, view, { committerLeaf: own, adds: refs, removes: r.removes });
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
    await assertExpected(this.suite, state, view, expected);
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
}

export type { PrivateKeyPackage };
