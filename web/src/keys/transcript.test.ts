// A recorded history of a group, read by Go too (internal/mlsframe). UPDATE=1 records a new one.

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attestationBytes, verifyAttestation } from "./attest.js";
import { Group } from "./group.js";
import { type Change, History, now } from "./history.testkit.js";
import { keyPackageRef, type Member } from "./member.js";
import { utf8 } from "./octets.js";
import { parseCommit, parseKeyPackage } from "./profile.js";
import { webSuite } from "./suite-web.js";

const file = new URL("../../testdata/mls/transcript.json", import.meta.url);
const b64 = (b: Uint8Array) => Buffer.from(b).toString("base64");
const bytes = (s: string) => new Uint8Array(Buffer.from(s, "base64"));
const scope = utf8("transcript scope");

interface Step {
  commit: string;
  welcome: string | null;
  committer: number;
  adds: string[];
  addRefs: string[];
  removes: number[];
  leaves: { index: number; identity: string; signatureKey: string }[];
  attestation: { by: number; bytes: string; signature: string; transcript: string; tree: string };
}
interface Transcript {
  now: number;
  groupId: string;
  founder: string;
  scope: string;
  steps: Step[];
}

async function record(): Promise<Transcript> {
  const suite = await webSuite();
  const h = new History(suite, 4, 5);
  const founder = await h.member();
  const groupId = crypto.getRandomValues(new Uint8Array(32));
  h.people.push({ entry: h.roster([founder])[0]!, group: await Group.create(founder, groupId) });
  const steps: Step[] = [];
  const names = "abcdefgh";
  const add = (n: number): Promise<Member[]> => Promise.all(Array.from({ length: n }, (_, i) => h.member(names[(steps.length + i) % 8]!)));
  const plan: ((own: number) => Promise<Change>)[] = [
    async () => ({ adds: await add(3), removes: [] }),
    async () => ({ adds: [], removes: [] }),
    async () => ({ adds: [], removes: [1] }),
    async () => ({ adds: await add(2), removes: [] }),
    async (own) => ({ adds: await add(1), removes: [own === 2 ? 3 : 2] }),
    async (own) => ({ adds: [], removes: h.people.map((p) => p.group.ownLeaf).filter((l) => l !== own).slice(0, 3) }),
  ];
  for (const [i, next] of plan.entries()) {
    const by = h.people[(i * 3) % h.people.length]!.group;
    const committer = by.ownLeaf;
    const c = await next(committer);
    const staged = await h.stage(by, c);
    await h.order(by, staged, c);
    await h.agree();
    const ctx = by.context();
    steps.push({
      commit: b64(staged.message),
      welcome: staged.welcome === null ? null : b64(staged.welcome),
      committer,
      adds: c.adds.map((m) => b64(m.keyPackage)),
      addRefs: await Promise.all(c.adds.map(async (m) => b64(await keyPackageRef(suite, m.keyPackage)))),
      removes: [...c.removes],
      leaves: by.leaves().map((l) => ({ index: l.index, identity: b64(l.identity), signatureKey: b64(l.signatureKey) })),
      attestation: {
        by: by.ownLeaf,
        bytes: b64(attestationBytes({ scope, ...ctx })),
        signature: b64(await by.attest(scope)),
        transcript: b64(ctx.confirmedTranscriptHash),
        tree: b64(ctx.treeHash),
      },
    });
  }
  return { now, groupId: b64(groupId), founder: b64(founder.keyPackage), scope: b64(scope), steps };
}

describe("recorded transcript", () => {
  it("is read as it was written", async () => {
    if (process.env["UPDATE"] === "1") writeFileSync(file, `${JSON.stringify(await record(), null, 1)}\n`);
    const suite = await webSuite();
    const t = JSON.parse(readFileSync(file, "utf8")) as Transcript;
    expect(t.steps.length).toBeGreaterThan(4);
    parseKeyPackage(bytes(t.founder));
    for (const [i, s] of t.steps.entries()) {
      const c = parseCommit(bytes(s.commit));
      expect([c.epoch, c.committer, b64(c.groupId)]).toEqual([BigInt(i), s.committer, t.groupId]);
      expect([...c.removes]).toEqual(s.removes);
      expect(await Promise.all(s.adds.map(async (a) => b64(await keyPackageRef(suite, bytes(a)))))).toEqual(s.addRefs);
      const a = s.attestation;
      const attested = {
        scope: bytes(t.scope),
        groupId: bytes(t.groupId),
        epoch: BigInt(i + 1),
        treeHash: bytes(a.tree),
        confirmedTranscriptHash: bytes(a.transcript),
      };
      expect(b64(attestationBytes(attested))).toBe(a.bytes);
      const by = s.leaves.find((l) => l.index === a.by)!;
      await verifyAttestation(suite.signature, bytes(by.signatureKey), attested, bytes(a.signature));
    }
  });
});
