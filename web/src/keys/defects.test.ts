// One test per mended defect of ts-mls 1.6.4; each fails with its mend left out (`npm run patch:prove`).
// Defect 6 is a rule of our wrapper: group.test.ts.

import { beforeAll, describe, expect, it } from "vitest";
import type { ClientState } from "ts-mls/clientState.js";
import { makePskIndex } from "ts-mls/clientState.js";
import { createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from "ts-mls/createCommit.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { deriveSecret } from "ts-mls/crypto/kdf.js";
import * as externalSender from "ts-mls/externalSender.js";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import type { MLSMessage } from "ts-mls/message.js";
import { getCommitSecret, pathToRoot } from "ts-mls/pathSecrets.js";
import { processMessage } from "ts-mls/processMessages.js";
import type { Proposal } from "ts-mls/proposal.js";
import { senderFromExtension } from "ts-mls/publicMessage.js";
import { bytesToBase64 } from "ts-mls/util/byteArray.js";
import { toNodeIndex } from "ts-mls/treemath.js";
import { utf8 } from "./octets.js";
import { add, classical, rawCommit, rawExport, rawFound, rawJoin, rawMember, type RawMember, rawProcess, remove, suiteOf } from "./raw.testkit.js";

let cs: CiphersuiteImpl;
beforeAll(async () => {
  cs = await suiteOf(classical);
});

const members = (names: string) => Promise.all([...names].map((n) => rawMember(cs, n)));

/** A founds and adds everyone; returns A's state and the others'. */
async function groupOf(others: RawMember[]): Promise<ClientState[]> {
  const { next, welcome } = await rawCommit(cs, await rawFound(cs), others.map(add));
  return [next, ...(await Promise.all(others.map((m) => rawJoin(cs, m, welcome!))))];
}

function pathOf(commit: MLSMessage) {
  if (commit.wireformat !== "mls_public_message" || commit.publicMessage.content.contentType !== "commit") throw new Error();
  return commit.publicMessage.content.commit.path;
}

describe("defect 1: unmerged leaves", () => {
  it("joins when the lists along a path differ", async () => {
    const [a] = await groupOf(await members("BCDEFG"));
    // A's path is set with leaves 2 and 6 blank; both are filled again without a path.
    const churned = await rawCommit(cs, a!, [remove(2), remove(6)]);
    const [x, y, z] = await members("XYZ");
    const refilled = await rawCommit(cs, churned.next, [add(x!), add(y!)]);
    const last = await rawCommit(cs, refilled.next, [add(z!)]);
    const joined = await rawJoin(cs, z!, last.welcome!);
    expect(await rawExport(cs, joined)).toBe(await rawExport(cs, last.next));
  });
});

describe("defect 2: commit secret under a blank root", () => {
  it("comes from the last node of the filtered direct path", async () => {
    const states = await groupOf(await members("BCD"));
    const { next } = await rawCommit(cs, states[2]!, [remove(0), remove(1)]);
    expect(next.ratchetTree[3]).toBeUndefined(); // the root
    const secret = new Uint8Array(cs.kdf.size).fill(7);
    const path = await pathToRoot(next.ratchetTree, toNodeIndex(5), secret, cs.kdf);
    expect(Object.keys(path)).toEqual(["5"]);
    const got = await getCommitSecret(next.ratchetTree, toNodeIndex(5), secret, cs.kdf);
    expect(got).toEqual(await deriveSecret(secret, "path", cs.kdf));
  });
  it("is the leaf's when the path is empty", async () => {
    // Recorded from a committer alone in its group: the path secret is the first random value it draws.
    const first = new Uint8Array(cs.kdf.size).fill(9);
    const seen: Uint8Array[] = [];
    const watched: CiphersuiteImpl = {
      ...cs,
      rng: { randomBytes: () => first.slice() },
      kdf: {
        ...cs.kdf,
        extract: async (salt, ikm) => {
          seen.push(ikm.slice());
          return cs.kdf.extract(salt, ikm);
        },
      },
    };
    await rawCommit(watched, await rawFound(cs), []);
    expect(seen).toContainEqual(await deriveSecret(first, "path", cs.kdf));
  });
});

describe("defect 3: path of a GroupContextExtensions commit", () => {
  const extensions: Proposal = {
    proposalType: "group_context_extensions",
    groupContextExtensions: { extensions: [{ extensionType: "required_capabilities", extensionData: Uint8Array.of(0, 0, 0) }] },
  };
  it("is there, and is computed over the new extensions", async () => {
    const [a, b] = await groupOf(await members("B"));
    const { next, commit } = await rawCommit(cs, a!, [extensions]);
    expect(pathOf(commit)).toBeDefined();
    expect(await rawExport(cs, await rawProcess(cs, b!, commit))).toBe(await rawExport(cs, next));
    const emptied = await rawCommit(cs, next, [{ proposalType: "group_context_extensions", groupContextExtensions: { extensions: [] } }]);
    expect(emptied.next.groupContext.extensions).toEqual([]);
  });
});

describe("defect 4: removed while the leaf is reused", () => {
  it("is told by the Remove proposal", async () => {
    const [a, b] = await groupOf(await members("B"));
    const [c] = await members("C");
    const { commit } = await rawCommit(cs, a!, [remove(1), add(c!)]);
    expect((await rawProcess(cs, b!, commit)).groupActiveState.kind).toBe("removedFromGroup");
  });
});

describe("defect 5: external public key, external senders, external PSK", () => {
  it("prefixes external_pub with its length and reads it back", async () => {
    const a = await rawFound(cs);
    const info = await createGroupInfoWithExternalPubAndRatchetTree(a, [], cs);
    const pub = info.extensions.find((e) => e.extensionType === "external_pub")!.extensionData;
    expect(pub.length).toBe(33);
    expect(pub[0]).toBe(32);
    const [x] = await members("X");
    const joined = await joinGroupExternal(info, x!.pub, x!.priv, false, cs);
    const commit: MLSMessage = { version: "mls10", wireformat: "mls_public_message", publicMessage: joined.publicMessage };
    expect(await rawExport(cs, await rawProcess(cs, a, commit))).toBe(await rawExport(cs, joined.newState));
  });
  it("reads external_senders as a vector", async () => {
    const sender = (k: number) => ({
      signaturePublicKey: new Uint8Array(32).fill(k),
      credential: { credentialType: "basic" as const, identity: utf8(`s${k}`) },
    });
    const one = externalSender.encodeExternalSender;
    const both = [...one(sender(1)), ...one(sender(2))];
    const extensionData = Uint8Array.of(0x40, both.length, ...both); // two-byte length
    expect(senderFromExtension([{ extensionType: "external_senders", extensionData }], 1)).toEqual(sender(2));
  });
  it("applies an external PSK to a PrivateMessage", async () => {
    const [a, b] = await groupOf(await members("B"));
    const id = utf8("psk");
    const psks = { [bytesToBase64(id)]: new Uint8Array(32).fill(3) };
    const proposal: Proposal = {
      proposalType: "psk",
      psk: { preSharedKeyId: { psktype: "external", pskId: id, pskNonce: new Uint8Array(cs.kdf.size) } },
    };
    const { createCommit } = await import("ts-mls/createCommit.js");
    const made = await createCommit({ state: a!, pskIndex: makePskIndex(a, psks), cipherSuite: cs }, { extraProposals: [proposal] });
    const m = made.commit as Extract<MLSMessage, { wireformat: "mls_private_message" }>;
    const r = await processMessage(m, b!, makePskIndex(b, psks), acceptAll, cs);
    expect(await rawExport(cs, r.newState)).toBe(await rawExport(cs, made.newState));
  });
});

describe("defect 7: keys of an UpdatePath", () => {
  /** The suite of an insider who publishes other keys than its path secrets give. */
  function lying(replace: (n: number, key: Uint8Array) => Promise<Uint8Array>): CiphersuiteImpl {
    let n = 0;
    return { ...cs, hpke: { ...cs.hpke, exportPublicKey: async (k) => replace(n++, await cs.hpke.exportPublicKey(k)) } };
  }
  it("refuses a public key that is not the path secret's", async () => {
    const [a, b] = await groupOf(await members("BCD"));
    const other = await cs.hpke.exportPublicKey((await cs.hpke.generateKeyPair()).publicKey);
    const { commit } = await rawCommit(lying(async (n, k) => (n === 0 ? other : k)), a!, []);
    await expect(rawProcess(cs, b!, commit)).rejects.toThrow(/does not match its path secret/);
  });
  it("refuses it in a Welcome too", async () => {
    const [a] = await groupOf(await members("BCD"));
    const [e] = await members("E");
    const other = await cs.hpke.exportPublicKey((await cs.hpke.generateKeyPair()).publicKey);
    // Leaf 4: the path's third node is the common ancestor.
    const { welcome } = await rawCommit(lying(async (n, k) => (n === 2 ? other : k)), a!, [add(e!)], { requirePath: true } as never);
    await expect(rawJoin(cs, e!, welcome!)).rejects.toThrow(/does not match its path secret/);
  });
  it("refuses one key twice in a path", async () => {
    const [a, b] = await groupOf(await members("BCD"));
    let first: Uint8Array | undefined;
    const { commit } = await rawCommit(lying(async (_, k) => (first ??= k)), a!, []);
    await expect(rawProcess(cs, b!, commit)).rejects.toThrow(/may not appear/);
  });
  it("refuses two leaves with one encryption key", async () => {
    const pair = await cs.hpke.generateKeyPair();
    let n = 0;
    // The second key pair of a KeyPackage is its leaf's.
    const same: CiphersuiteImpl = { ...cs, hpke: { ...cs.hpke, generateKeyPair: async () => (n++ % 2 === 1 ? pair : cs.hpke.generateKeyPair()) } };
    const x = await rawMember(same, "X");
    const y = await rawMember(same, "Y");
    await expect(rawCommit(cs, await rawFound(cs), [add(x), add(y)])).rejects.toThrow(/not unique/);
  });
});

describe("option 8: a path in a commit of Adds alone", () => {
  it("is made when asked for, and members and joiners agree", async () => {
    const [a, b] = await groupOf(await members("B"));
    const [c] = await members("C");
    const { next, commit, welcome } = await rawCommit(cs, a!, [add(c!)], { requirePath: true } as never);
    expect(pathOf(commit)).toBeDefined();
    const secrets = [next, await rawProcess(cs, b!, commit), await rawJoin(cs, c!, welcome!)].map((s) => rawExport(cs, s));
    expect(new Set(await Promise.all(secrets)).size).toBe(1);
  });
});
