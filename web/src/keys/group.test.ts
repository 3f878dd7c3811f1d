// The policy: what Group refuses, on send and on receive. Attackers use the bare library.

import { beforeAll, describe, expect, it } from "vitest";
import type { ClientState } from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { encodeKeyPackage } from "ts-mls/keyPackage.js";
import { encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import type { LeafNode } from "ts-mls/leafNode.js";
import { createProposal } from "ts-mls/createMessage.js";
import { attestationBytes, verifyAttestation } from "./attest.js";
import { KeysError, type KeysErrorCode } from "./errors.js";
import { fingerprintOf } from "./fingerprint.js";
import { Group, type RosterEntry } from "./group.js";
import { keyPackageRef, Member } from "./member.js";
import { hex, utf8 } from "./octets.js";
import { parseCommit, parseKeyPackage } from "./profile.js";
import { add, classical, rawCommit, rawFound, rawJoin, type RawMember, rawMember, remove, suiteOf } from "./raw.testkit.js";
import { webSuite } from "./suite-web.js";

let cs: CiphersuiteImpl;
beforeAll(async () => {
  cs = await webSuite();
});

const now = Date.now();
const entry = (m: RawMember): RosterEntry => ({ identity: identityOf(m), signatureKey: m.pub.leafNode.signaturePublicKey });
const identityOf = (m: RawMember) => (m.pub.leafNode.credential as { identity: Uint8Array }).identity;
const welcomeBytes = (welcome: Parameters<typeof rawJoin>[2]) => encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome });

async function refused(p: Promise<unknown>): Promise<KeysErrorCode | "accepted"> {
  try {
    await p;
    return "accepted";
  } catch (e) {
    if (!(e instanceof KeysError)) throw e;
    return e.code;
  }
}

/** An insider with the bare library at leaf 0, an honest Group at leaf 1, another bare member at leaf 2. */
async function scene() {
  const insiderKeys = await rawMember(cs, "insider");
  const { createGroup } = await import("ts-mls/clientState.js");
  const founded = await createGroup(utf8("group"), insiderKeys.pub, insiderKeys.priv, [], cs);
  const honest = await Member.make(cs, { identity: utf8("honest"), now });
  const third = await rawMember(cs, "third");
  const honestEntry = { identity: utf8("honest"), signatureKey: honest.signaturePublicKey };
  const roster = [entry(insiderKeys), honestEntry, entry(third)];
  const made = await rawCommit(cs, founded, [
    { proposalType: "add", add: { keyPackage: parseKeyPackage(honest.keyPackage) } },
    add(third),
  ]);
  const group = await Group.join(honest, welcomeBytes(made.welcome!), { groupId: utf8("group"), roster });
  return { insider: made.next, group, roster, third };
}

const process = (g: Group, commit: MLSMessage, roster: readonly RosterEntry[], e: { adds?: Uint8Array[]; removes?: number[]; committerLeaf?: number } = {}) =>
  g.process(encodeMlsMessage(commit), { committerLeaf: 0, adds: [], removes: [], ...e }, roster);

describe("receiving", () => {
  it("applies an empty commit with a path", async () => {
    const { insider, group, roster } = await scene();
    const { commit } = await rawCommit(cs, insider, []);
    expect(await process(group, commit, roster)).toEqual({ outcome: "advanced", epoch: 2n });
  });
  it("refuses a committer that took another's name (defect 6)", async () => {
    const { insider, group, roster } = await scene();
    const renamed = withLeaf(insider, 0, (leaf) => ({ ...leaf, credential: { credentialType: "basic", identity: utf8("third") } }));
    const { commit } = await rawCommit(cs, renamed, []);
    // Even if the pair were in the roster, a leaf keeps its identity.
    const signatureKey = roster[0]!.signatureKey;
    expect(await refused(process(group, commit, [...roster, { identity: utf8("third"), signatureKey }]))).toBe("identity-changed");
    expect(await refused(process(group, commit, roster))).toBe("invalid");
    expect(group.context().epoch).toBe(1n);
  });
  it("refuses a ghost", async () => {
    const { insider, group, roster } = await scene();
    const ghost = await rawMember(cs, "ghost");
    const { commit } = await rawCommit(cs, insider, [add(ghost)], { requirePath: true } as never);
    const ref = await keyPackageRef(cs, encodeKeyPackage(ghost.pub));
    expect(await refused(process(group, commit, roster))).toBe("unexpected-adds");
    expect(await refused(process(group, commit, roster, { adds: [ref] }))).toBe("invalid"); // not in the roster
    expect(await refused(process(group, commit, [...roster, { ...entry(ghost), identity: utf8("x") }], { adds: [ref] }))).toBe("invalid");
    expect(await refused(process(group, commit, [...roster, entry(ghost)], { adds: [ref] }))).toBe("accepted");
  });
  it("refuses a commit without a path, a Remove above all", async () => {
    const { insider, group, roster, third } = await scene();
    const [x] = [await rawMember(cs, "x")];
    const plain = await rawCommit(cs, insider, [add(x)]);
    expect(await refused(process(group, plain.commit, roster))).toBe("no-path");
    const cut = await rawCommit(cs, insider, [remove(2)]);
    const m = cut.commit as Extract<MLSMessage, { wireformat: "mls_public_message" }>;
    const content = m.publicMessage.content as Extract<typeof m.publicMessage.content, { contentType: "commit" }>;
    const bare = { ...m, publicMessage: { ...m.publicMessage, content: { ...content, commit: { ...content.commit, path: undefined } } } } as MLSMessage;
    expect(await refused(process(group, bare, roster, { removes: [2] }))).toBe("no-path");
    expect(third).toBeDefined();
  });
  it("refuses everything outside the profile", async () => {
    const { insider, group, roster } = await scene();
    const gce = await rawCommit(cs, insider, [{ proposalType: "group_context_extensions", groupContextExtensions: { extensions: [] } }]);
    expect(await refused(process(group, gce.commit, roster))).toBe("forbidden-proposal");
    const reinit = await rawCommit(cs, insider, [
      { proposalType: "reinit", reinit: { groupId: utf8("g2"), version: "mls10", cipherSuite: cs.name, extensions: [] } },
    ]);
    expect(await refused(process(group, reinit.commit, roster))).toBe("forbidden-proposal");
    const priv = await rawCommit(cs, insider, [], { wireAsPublicMessage: false });
    expect(await refused(process(group, priv.commit, roster))).toBe("not-public-commit");
    const { joinGroupExternal, createGroupInfoWithExternalPubAndRatchetTree } = await import("ts-mls/createCommit.js");
    const info = await createGroupInfoWithExternalPubAndRatchetTree(insider, [], cs);
    const x = await rawMember(cs, "x");
    const external = await joinGroupExternal(info, x.pub, x.priv, false, cs);
    expect(await refused(process(group, { version: "mls10", wireformat: "mls_public_message", publicMessage: external.publicMessage }, [...roster, entry(x)]))).toBe(
      "not-public-commit",
    );
    const proposal = await createProposal(insider, true, { proposalType: "remove", remove: { removed: 2 } }, cs);
    expect(await refused(process(group, proposal.message as MLSMessage, roster))).toBe("not-public-commit");
    const byRef = await rawCommit(cs, proposal.newState, []);
    expect(await refused(process(group, byRef.commit, roster))).toBe("forbidden-proposal");
    const talk = await rawCommit(cs, insider, [], { authenticatedData: utf8("hidden channel") });
    expect(await refused(process(group, talk.commit, roster))).toBe("malformed");
    expect(group.context().epoch).toBe(1n);
  });
  it("refuses what the log does not say", async () => {
    const { insider, group, roster } = await scene();
    const cut = await rawCommit(cs, insider, [remove(2)]);
    expect(await refused(process(group, cut.commit, roster))).toBe("unexpected-removes");
    expect(await refused(process(group, cut.commit, roster, { removes: [2], committerLeaf: 2 }))).toBe("wrong-committer");
    const next = await rawCommit(cs, cut.next, []);
    expect(await refused(process(group, next.commit, roster))).toBe("wrong-epoch");
    const bytes = encodeMlsMessage(cut.commit);
    bytes[bytes.length - 3]! ^= 1;
    expect(await refused(group.process(bytes, { committerLeaf: 0, adds: [], removes: [2] }, roster))).toBe("invalid");
    expect(await refused(group.process(bytes.subarray(0, 90), { committerLeaf: 0, adds: [], removes: [] }, roster))).toBe("malformed");
    expect(await refused(group.process(Uint8Array.of(...bytes, 0), { committerLeaf: 0, adds: [], removes: [] }, roster))).toBe("malformed");
    expect(await refused(process(group, cut.commit, roster, { removes: [2] }))).toBe("accepted");
  });
  it("refuses other suites", async () => {
    const old = await suiteOf(classical);
    const x = await rawMember(old, "x");
    expect(() => parseKeyPackage(encodeKeyPackage(x.pub))).toThrow(/wrong-suite/);
    const { commit } = await rawCommit(old, await rawFound(old), [add(x)], { requirePath: true } as never);
    expect(() => parseCommit(encodeMlsMessage(commit))).toThrow(/wrong-suite/);
    const chacha = await suiteOf("MLS_256_XWING_CHACHA20POLY1305_SHA512_Ed25519");
    const y = await rawMember(chacha, "y");
    expect(() => parseKeyPackage(encodeKeyPackage(y.pub))).toThrow(/wrong-suite/);
  });
  it("closes when removed", async () => {
    const { insider, group, roster } = await scene();
    const cut = await rawCommit(cs, insider, [remove(1)]);
    expect(await process(group, cut.commit, roster, { removes: [1] })).toEqual({ outcome: "removed", epoch: 2n });
    expect(await refused(group.exporter())).toBe("closed");
  });
  it("closes when removed and its leaf is reused at once", async () => {
    const { insider, group, roster } = await scene();
    const x = await rawMember(cs, "x");
    const cut = await rawCommit(cs, insider, [remove(1), add(x)]);
    const ref = await keyPackageRef(cs, encodeKeyPackage(x.pub));
    expect(await process(group, cut.commit, [...roster, entry(x)], { removes: [1], adds: [ref] })).toEqual({ outcome: "removed", epoch: 2n });
  });
});

describe("joining", () => {
  it("refuses a tree with a ghost, another group, another epoch; the member can still join rightly", async () => {
    const insider = await rawFound(cs, "insider");
    const ghost = await rawMember(cs, "ghost");
    const me = await Member.make(cs, { identity: utf8("me"), now });
    const first = await rawCommit(cs, insider, [add(ghost), { proposalType: "add", add: { keyPackage: parseKeyPackage(me.keyPackage) } }]);
    const welcome = welcomeBytes(first.welcome!);
    const leaf0 = insider.ratchetTree[0]!;
    if (leaf0.nodeType !== "leaf") throw new Error();
    const known = [
      { identity: utf8("insider"), signatureKey: leaf0.leaf.signaturePublicKey },
      { identity: utf8("me"), signatureKey: me.signaturePublicKey },
    ];
    const groupId = utf8("group");
    expect(await refused(Group.join(me, welcome, { groupId, roster: known }))).toBe("ghost");
    const roster = [...known, entry(ghost)];
    expect(await refused(Group.join(me, welcome, { groupId: utf8("other"), roster }))).toBe("wrong-group");
    expect(await refused(Group.join(me, welcome, { groupId, roster, epoch: 7n }))).toBe("wrong-epoch");
    expect(await refused(Group.join(me, welcome.subarray(1), { groupId, roster }))).toBe("malformed");
    const g = await Group.join(me, welcome, { groupId, roster, epoch: 1n });
    expect(g.leaves().map((l) => l.index)).toEqual([0, 1, 2]);
    expect(await refused(Group.join(me, welcome, { groupId, roster }))).toBe("closed"); // once
  });
  it("refuses a group with extensions", async () => {
    const me = await Member.make(cs, { identity: utf8("me"), now });
    const { createGroup } = await import("ts-mls/clientState.js");
    const a = await rawMember(cs, "A");
    const extension = { extensionType: "required_capabilities" as const, extensionData: Uint8Array.of(0, 0, 0) };
    const founded = await createGroup(utf8("group"), a.pub, a.priv, [extension], cs);
    const { welcome } = await rawCommit(cs, founded, [{ proposalType: "add", add: { keyPackage: parseKeyPackage(me.keyPackage) } }]);
    const roster = [entry(a), { identity: utf8("me"), signatureKey: me.signaturePublicKey }];
    expect(await refused(Group.join(me, welcomeBytes(welcome!), { groupId: utf8("group"), roster }))).toBe("forbidden-extension");
  });
});

describe("sending", () => {
  it("refuses to add a ghost, a stale or a forged KeyPackage, and to remove oneself", async () => {
    const me = await Member.make(cs, { identity: utf8("me"), now });
    const roster = [{ identity: utf8("me"), signatureKey: me.signaturePublicKey }];
    const g = await Group.create(me, utf8("group"));
    const x = await Member.make(cs, { identity: utf8("x"), now });
    const both = [...roster, { identity: utf8("x"), signatureKey: x.signaturePublicKey }];
    expect(await refused(g.commit({ adds: [x.keyPackage], removes: [], roster, now }))).toBe("invalid");
    const later = now + 26 * 3600_000;
    expect(await refused(g.commit({ adds: [x.keyPackage], removes: [], roster: both, now: later }))).toBe("bad-lifetime");
    const forged = x.keyPackage.slice();
    forged[forged.length - 1]! ^= 1;
    expect(await refused(g.commit({ adds: [forged], removes: [], roster: both, now }))).toBe("bad-keypackage");
    expect(await refused(g.commit({ adds: [], removes: [0], roster, now }))).toBe("own-leaf");
    expect(await refused(g.commit({ adds: [], removes: [5], roster, now }))).toBe("invalid");
    expect(g.context().epoch).toBe(0n);
  });
  it("stages: confirm moves, discard and a lost place do not", async () => {
    const me = await Member.make(cs, { identity: utf8("me"), now });
    const roster = [{ identity: utf8("me"), signatureKey: me.signaturePublicKey }];
    const g = await Group.create(me, utf8("group"));
    const before = hex(await g.exporter());
    const a = await g.commit({ adds: [], removes: [], roster, now });
    const b = await g.commit({ adds: [], removes: [], roster, now });
    expect(a.welcome).toBeNull();
    expect(hex(await g.exporter())).toBe(before);
    g.discard(a.pending);
    expect(() => g.confirm(a.pending)).toThrow(/stale/);
    expect(g.confirm(b.pending)).toBe(1n);
    expect(hex(await g.exporter())).not.toBe(before);
    expect(() => g.confirm(b.pending)).toThrow(/stale/);
  });
  it("drops what was staged when another commit took the place", async () => {
    const { insider, group, roster } = await scene();
    const mine = await group.commit({ adds: [], removes: [], roster, now });
    const { commit } = await rawCommit(cs, insider, []);
    await process(group, commit, roster);
    expect(() => group.confirm(mine.pending)).toThrow(/stale/);
    const again = await group.commit({ adds: [], removes: [2], roster, now });
    expect(group.confirm(again.pending)).toBe(3n);
    expect(group.leaves().map((l) => l.index)).toEqual([0, 1]);
  });
});

describe("what a group shows", () => {
  it("attests and verifies", async () => {
    const { insider, group } = await scene();
    const scope = utf8("scope");
    const sig = await group.attest(scope);
    const own = group.leaves().find((l) => l.index === group.ownLeaf)!;
    const c = group.context();
    await verifyAttestation(cs.signature, own.signatureKey, { scope, ...c }, sig);
    const bad = verifyAttestation(cs.signature, own.signatureKey, { scope, ...c, epoch: c.epoch + 1n }, sig);
    expect(await refused(bad)).toBe("bad-attestation");
    expect(insider.groupContext.epoch).toBe(c.epoch);
  });
  it("encodes an attestation canonically", () => {
    const a = { scope: Uint8Array.of(1), groupId: Uint8Array.of(2), epoch: 300n, treeHash: Uint8Array.of(3), confirmedTranscriptHash: new Uint8Array(24) };
    expect(hex(attestationBytes(a))).toBe(
      "a66176016474726565410365" + "65706f6368" + "19012c6567726f757041026573636f706541016a7472616e736372697074" + "5818" + "00".repeat(24),
    );
  });
  it("makes six words of eleven bits", async () => {
    expect(fingerprintOf(new Uint8Array(9)).words).toEqual(Array(6).fill("abandon"));
    expect(fingerprintOf(new Uint8Array(9).fill(255)).indices).toEqual(Array(6).fill(2047));
    expect(fingerprintOf(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0, 0)).indices).toEqual([1, 0, 0, 0, 0, 0]);
    const { group } = await scene();
    const f = await group.fingerprint();
    expect(f.words.length).toBe(6);
    expect(f.indices.every((i) => i >= 0 && i < 2048)).toBe(true);
  });
  it("has no printable form", async () => {
    const { group } = await scene();
    const m = await Member.make(cs, { identity: utf8("me"), now });
    expect(JSON.stringify({ group, m })).toBe('{"group":"Group(redacted)","m":"Member(redacted)"}');
  });
});

function withLeaf(s: ClientState, index: number, f: (leaf: LeafNode) => LeafNode): ClientState {
  const ratchetTree = s.ratchetTree.slice();
  const n = ratchetTree[2 * index]!;
  if (n.nodeType !== "leaf") throw new Error();
  ratchetTree[2 * index] = { nodeType: "leaf", leaf: f(n.leaf) };
  return { ...s, ratchetTree };
}

