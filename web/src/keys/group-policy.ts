// What the profile and the log demand of a group's state, beside what the library checks itself (RFC 9420).
import type { ClientConfig } from "ts-mls/clientConfig.js";
import type { ClientState } from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { defaultKeyPackageEqualityConfig } from "ts-mls/keyPackageEqualityConfig.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { defaultPaddingConfig } from "ts-mls/paddingConfig.js";
import { KeysError } from "./errors.js";
import type { ExpectedCommit } from "./group-words.js";
import { equal, hex, wipe } from "./octets.js";
import { type CommitView, type Leaf, type Roster, RosterSet, treeLeaves } from "./profile.js";

/** assertExpected holds a message against what the log says of it. */
export async function assertExpected(suite: CiphersuiteImpl, state: ClientState, view: CommitView, expected: ExpectedCommit): Promise<void> {
  const gc = state.groupContext;
  if (!equal(view.groupId, gc.groupId)) throw new KeysError("wrong-group");
  if (view.epoch !== gc.epoch) throw new KeysError("wrong-epoch");
  if (view.committer !== expected.committerLeaf) throw new KeysError("wrong-committer");
  if (!sameSet(view.removes, expected.removes)) throw new KeysError("unexpected-removes");
  const refs = await Promise.all(view.adds.map((kp) => makeKeyPackageRef(kp, suite.hash)));
  if (refs.length !== expected.adds.length || refs.some((r, i) => !equal(r, expected.adds[i]!)))
    throw new KeysError("unexpected-adds");
}

function sameSet(a: readonly number[], b: readonly number[]): boolean {
  const set = new Set(a);
  return a.length === b.length && set.size === a.length && b.every((x) => set.has(x)) && new Set(b).size === b.length;
}

export function config(roster: Roster | undefined): ClientConfig {
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

export function withRoster(state: ClientState, roster: Roster): ClientState {
  return { ...state, clientConfig: config(roster) };
}

export function assertRoster(leaves: readonly Leaf[], roster: RosterSet): void {
  for (const l of leaves) if (!roster.has(l)) throw new KeysError("ghost", `leaf ${l.index}`);
}

/**
 * Compares the trees around a commit. Invariants: one epoch on; a leaf that was neither removed nor added keeps
 * identity and signature key (ts-mls lets a committer write another's name into its own leaf: defect 6); the new
 * leaves are exactly the Adds; every leaf is in the roster.
 */
export function assertChange(before: ClientState, after: ClientState, view: CommitView, roster: RosterSet): void {
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
export function wipeState(s: ClientState, keep?: ClientState): void {
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
