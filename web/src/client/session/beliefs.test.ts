// What members attest, with real keys and signatures: who is named, when everybody falls silent, and what is kept.
import { beforeAll, expect, test } from "vitest";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { attestationBytes, signAttestation, verifyAttestation, type Attested } from "../../keys/attest";
import type { KeysClient } from "../../keys/client";
import type { GroupView } from "../../keys/messages";
import { webSuite } from "../../keys/suite-web";
import { verify } from "../../engine/verify";
import { hex } from "../../words/bytes";
import { encode } from "../../words/canon";
import { missingAfter } from "./attestations";
import { Beliefs, type Believer } from "./beliefs";
import type { Statement } from "./evidence";

let cs: CiphersuiteImpl;
beforeAll(async () => {
  cs = await webSuite();
});

const scope = new Uint8Array(32).fill(1);
const bytes = (n: number) => new Uint8Array(32).fill(n);
const truth: Attested = { scope, groupId: bytes(2), epoch: 3n, treeHash: bytes(4), confirmedTranscriptHash: bytes(5) };
const lie: Attested = { ...truth, treeHash: bytes(9) };

interface Part {
  readonly join: Uint8Array;
  readonly side: Uint8Array;
  readonly person: string;
  readonly device: string;
  readonly key: Uint8Array;
  readonly secret: Uint8Array;
}

/** scene seats people as "VVQQ", the first of them oneself; devices are named by their place. */
async function scene(seats: string) {
  const people: Part[] = [];
  for (const [i, side] of [...seats].entries()) {
    const { signKey, publicKey } = await cs.signature.keygen();
    people.push({ join: bytes(100 + i), side: bytes(side.charCodeAt(0)), person: `${side}${i}`, device: `device ${i}`, key: publicKey, secret: signKey });
  }
  const at = { now: 0, alarms: 0, named: 0, present: [...people] };
  const evidence: Statement[][] = [];
  const own = people[0]!;
  const keys = {
    ask: async (op: string, r: { publicKey: Uint8Array; attested: Attested; signature: Uint8Array }) => {
      if (op === "attest") return signAttestation(cs.signature, own.secret, truth);
      return verifyAttestation(cs.signature, r.publicKey, r.attested, r.signature).then(
        () => true,
        () => false,
      );
    },
  };
  const beliefs = new Beliefs({
    keys: keys as unknown as KeysClient,
    scope,
    relay: () => undefined,
    members: (): Believer[] => at.present.map((p) => ({ join: hex(p.join), side: hex(p.side), device: p.device, own: p === own })),
    alarm: () => void at.alarms++,
    named: () => void at.named++,
    evidence: (s) => void evidence.push([...s]),
    changed: () => undefined,
    now: () => at.now,
  });
  const { groupId, epoch, treeHash, confirmedTranscriptHash } = truth;
  const view = { group: 1, context: { groupId, epoch, treeHash, confirmedTranscriptHash }, ownLeaf: 0, leaves: [{ index: 0, identity: bytes(0), signatureKey: own.key }] };
  await beliefs.entered(view as unknown as GroupView, 0);
  const say = async (i: number, what: Attested, secret = people[i]!.secret) => {
    const signature = await signAttestation(cs.signature, secret, what);
    await beliefs.hear(encode({ body: attestationBytes(what), ed25519: signature }), people[i]!);
  };
  return { beliefs, at, evidence, say, people };
}

test("one liar among six is named, nobody else falls silent, and its words are kept", async () => {
  const { beliefs, at, evidence, say } = await scene("VVVQQQ");
  await say(5, lie);
  expect([beliefs.doubt, at.alarms, at.named]).toEqual([true, 0, 0]); // the others may yet agree with it
  for (const i of [1, 2, 3, 4]) await say(i, truth);
  expect([beliefs.doubt, at.alarms, at.named]).toEqual([false, 0, 1]);
  expect([1, 2, 3, 4, 5].map((i) => beliefs.isNamed(`device ${i}`))).toEqual([false, false, false, false, true]);
  expect(evidence).toHaveLength(1);
  expect(evidence[0]!.map((s) => s.by.split("/").pop())).toEqual(["Q5", "own", "V1", "V2", "Q3", "Q4"]);
  await verify(evidence[0]!.map((s) => ({ alg: "ed25519", ...s, what: "attestation", code: "bad-signature" })));
});

test("a named device silences nobody with its next lies, and a second liar of a side of three is a fork", async () => {
  const { beliefs, at, say } = await scene("VVVQQQ");
  for (const i of [1, 2, 3, 4]) await say(i, truth);
  await say(5, lie);
  await say(5, { ...lie, treeHash: bytes(8) });
  expect([beliefs.doubt, at.alarms, at.named]).toEqual([false, 0, 1]);
  await say(4, lie); // it had agreed: two words of one epoch
  expect([at.alarms, at.named]).toEqual([1, 2]);
});

test("who signs two things of one epoch is named by its own hand, and both are kept", async () => {
  const { beliefs, at, evidence, say } = await scene("VVVQQQ");
  await say(5, truth);
  await say(5, lie); // nobody else has spoken yet
  expect([beliefs.isNamed("device 5"), at.named, at.alarms]).toEqual([true, 1, 0]);
  expect(evidence[0]!.slice(0, 2).map((s) => s.by.split("/").pop())).toEqual(["Q5", "Q5"]);
});

test("a whole side otherwise is a fork at once, and stays one", async () => {
  const { beliefs, at, evidence, say } = await scene("VVQQ");
  await say(1, truth);
  await say(2, lie);
  expect([beliefs.doubt, at.alarms]).toEqual([true, 0]);
  await say(3, lie);
  expect(at.alarms).toBe(1);
  await say(3, truth);
  beliefs.tick(60_000);
  expect([at.alarms, evidence.length]).toEqual([1, 1]);
});

test("words of others under a member's name are nobody's", async () => {
  const { beliefs, at, say, people } = await scene("VVQQ");
  await say(3, lie, people[2]!.secret);
  expect([beliefs.doubt, at.alarms, at.named]).toEqual([false, 0, 0]);
});

test("a suppressed word keeps nobody silent for longer than ten seconds", async () => {
  const { beliefs, at, say } = await scene("VVVQQQ");
  for (const i of [1, 2, 3]) await say(i, truth);
  await say(5, lie);
  expect(beliefs.doubt).toBe(true);
  at.now = missingAfter;
  beliefs.tick(at.now);
  expect([beliefs.doubt, at.alarms, beliefs.isNamed("device 5")]).toEqual([false, 0, true]);
});
