// Fuzz of what comes from other members and from nodes: damaged commits, Welcomes, KeyPackages and attestations are refused with a code,
// never with anything else, and leave the group as it was. Seeds are real messages; FUZZ_DAMAGED asks for more rounds.

import { beforeAll, expect, it } from "vitest";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { verifyAttestation } from "./attest.js";
import { KeysError } from "./errors.js";
import { Group, type RosterEntry } from "./group.js";
import { History, now, random } from "./history.testkit.js";
import { keyPackageRef, Member } from "./member.js";
import { hex, utf8 } from "./octets.js";
import { webSuite } from "./suite-web.js";

const rounds = Number(process.env["FUZZ_DAMAGED"] ?? 150);
let cs: CiphersuiteImpl;
beforeAll(async () => {
  cs = await webSuite();
});

/** damage changes a few bytes, cuts, or lengthens; never into what it was. */
function damage(b: Uint8Array, r: (below: number) => number): Uint8Array<ArrayBuffer> {
  const out = Uint8Array.from(b);
  for (let i = r(3); i >= 0; i--) out[r(4) === 0 ? r(Math.min(64, out.length)) : r(out.length)]! ^= 1 + r(255);
  switch (r(8)) {
    case 0:
      return out.slice(0, r(out.length));
    case 1:
      return Uint8Array.from([...out, r(256)]);
  }
  return hex(out) === hex(b) ? out.slice(1) : out;
}

/** codes counts what damaged bytes were refused as; anything but a refusal with a code fails. */
async function codes(seed: number, bytes: Uint8Array, take: (b: Uint8Array<ArrayBuffer>) => Promise<unknown>): Promise<Map<string, number>> {
  const r = random(seed);
  const seen = new Map<string, number>();
  for (let n = 0; n < rounds; n++) {
    const b = damage(bytes, r);
    const code = await take(b).then(
      () => "accepted",
      (e: unknown) => {
        if (!(e instanceof KeysError)) throw new Error(`seed ${seed}, round ${n}: ${String(e)} for ${hex(b)}`);
        return e.code;
      },
    );
    expect(code, `seed ${seed}, round ${n}: ${hex(b)}`).not.toBe("accepted");
    seen.set(code, (seen.get(code) ?? 0) + 1);
  }
  return seen;
}

/** A group of three whose first member has made a commit that nobody has processed: it removes the third and adds a fourth. */
async function scene() {
  const h = new History(cs, 7, 8);
  await h.found();
  const added = [await h.member(), await h.member()];
  const founder = h.people[0]!.group;
  await h.order(founder, await h.stage(founder, { adds: added, removes: [] }), { adds: added, removes: [] });
  const newcomer = await h.member();
  const change = { adds: [newcomer], removes: [2] };
  const roster = h.roster(change.adds);
  return { h, founder, other: h.people[1]!.group, newcomer, change, roster, staged: await h.stage(founder, change) };
}

it("a damaged commit is refused, and the true one is taken after it", { timeout: 120_000 }, async () => {
  const { founder, other, newcomer, change, roster, staged } = await scene();
  const before = hex(other.context().treeHash);
  const expected = { committerLeaf: founder.ownLeaf, adds: [await keyPackageRef(cs, newcomer.keyPackage)], removes: change.removes, now };
  const seen = await codes(1, staged.message, (b) => other.process(b, expected, roster));
  expect(seen.size, [...seen.keys()].join()).toBeGreaterThan(2);
  expect(hex(other.context().treeHash)).toBe(before);
  expect((await other.process(staged.message, expected, roster)).outcome).not.toBe("removed");
  founder.confirm(staged.pending);
  expect(hex(await other.exporter())).toBe(hex(await founder.exporter()));
});

it("a damaged Welcome opens nothing, and the true one is taken after it", { timeout: 120_000 }, async () => {
  const { founder, newcomer, roster, staged } = await scene();
  founder.confirm(staged.pending);
  const expected = { groupId: founder.context().groupId, roster };
  await codes(2, staged.welcome!, (b) => Group.join(newcomer, b, expected));
  const joined = await Group.join(newcomer, staged.welcome!, expected);
  expect(hex(await joined.exporter())).toBe(hex(await founder.exporter()));
});

it("a damaged KeyPackage is not added, and the true one is after it", { timeout: 120_000 }, async () => {
  const founder = await Group.create(await Member.make(cs, { identity: utf8("A"), now }), utf8("group"));
  const m = await Member.make(cs, { identity: utf8("B"), now });
  const roster: RosterEntry[] = [
    { identity: utf8("A"), signatureKey: founder.leaves()[0]!.signatureKey },
    { identity: utf8("B"), signatureKey: m.signaturePublicKey },
  ];
  await codes(3, m.keyPackage, (b) => founder.commit({ adds: [b], removes: [], roster, now }));
  founder.confirm((await founder.commit({ adds: [m.keyPackage], removes: [], roster, now })).pending);
  expect(founder.context().epoch).toBe(1n);
});

it("a damaged attestation proves nothing", { timeout: 120_000 }, async () => {
  const group = await Group.create(await Member.make(cs, { identity: utf8("A"), now }), utf8("group"));
  const scope = utf8("scope");
  const key = group.leaves()[0]!.signatureKey;
  const said = { scope, ...group.context() };
  const seen = await codes(4, await group.attest(scope), (b) => verifyAttestation(cs.signature, key, said, b));
  expect([...seen.keys()]).toEqual(["bad-attestation"]);
  await verifyAttestation(cs.signature, key, said, await group.attest(scope));
});
