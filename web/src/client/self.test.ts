// Who this device believes its side to be, with the test sides' real certificates.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { State } from "../engine/session/state";
import { Verifier } from "../engine/verify";
import { memoryCabinet } from "../identity/cabinet";
import { fromHex } from "../words/bytes";
import { encode } from "../words/canon";
import { nodeCert, open } from "../words/ident";
import type { Challenge, Welcome } from "../wire/parley/v1/signal_pb";
import { Self } from "./self";
import { Scopes, type ScopesPorts } from "./session/scopes";

const opening = JSON.parse(readFileSync(new URL("../../../testdata/transcripts/opening.json", import.meta.url), "utf8")) as {
  scope: string;
  steps: { entry?: string; want: string }[];
};
const scope = fromHex(opening.scope);
const entries = opening.steps.filter((s) => s.want === "ok").map((s) => fromHex(s.entry!));

function sides() {
  const st = new State(scope);
  st.apply(entries[0]!);
  return st.plan()!.sides.map((s) => {
    const cert = open(nodeCert, s.node).value;
    return {
      now: cert.from + 1,
      key: cert.key,
      side: { id: s.id, name: s.name, language: s.language, delegation: s.delegation, nodeCert: s.node, officerCerts: s.officers },
    };
  });
}

/** What an officer of the side might have signed for a device, with a signature that nobody made. */
function unsigned(side: Uint8Array, device: Uint8Array, by: Uint8Array, now: number): Uint8Array {
  const text = { en: "Somebody" };
  const body = encode({
    v: 1, side, person: "v-fm", name: text, office: text, role: "adviser", formats: ["expanded"], device, from: now, until: now + 1000, verified: "in-person", at: now, by,
  }); // prettier-ignore
  return encode({ body, ed25519: new Uint8Array(64).fill(7) });
}

test("a side is pinned with an officer's signature, not on the word of a node that shows one that does not hold", async () => {
  const [v, q] = sides();
  const self = await Self.open(memoryCabinet(), new Verifier());
  const welcome = (x: typeof v, accreditation: Uint8Array = new Uint8Array()) =>
    self.welcome({ side: x!.side, accreditation, officer: false } as unknown as Welcome, { side: x!.side.id, node: x!.key } as Challenge, x!.now);
  const { officerCert } = await import("../words/ident");
  const officer = open(officerCert, q!.side.officerCerts[0]!).value.device;
  await expect(welcome(q, unsigned(q!.side.id, self.device.publicKey, officer, q!.now))).rejects.toMatchObject({ code: "accreditation-altered" });
  await welcome(v); // nothing was pinned: its own side is not refused now
  expect(self.side?.id).toEqual(v!.side.id);
  expect(self.accreditation).toBeUndefined();
}, 30_000); // ML-DSA in JavaScript, on a busy machine

test.each([
  ["the node at the end of the socket", false, undefined],
  ["another node of the own side", true, "link-swapped-key"],
])("a plan that names %s", async (_name, swapped, code) => {
  const [v] = sides();
  const cert = open(nodeCert, v!.side.nodeCert).value;
  const other = encode({ body: encode({ ...cert, key: new Uint8Array(32).fill(9) }), ed25519: new Uint8Array(64), mldsa65: new Uint8Array(3309) });
  const alarms: string[] = [];
  const ports = {
    socket: { request: async () => undefined },
    self: {
      side: swapped ? { ...v!.side, nodeCert: other } : v!.side,
      pins: { peers: async () => undefined },
      evidence: { all: async () => [] },
      memory: { recall: async () => undefined },
    },
    verifier: { verify: async () => undefined }, // whether signatures hold is not what is asked here
    now: () => 0,
    applied: () => undefined,
    recalled: () => undefined,
    caughtUp: () => undefined,
    alarm: (_f: unknown, p: { code: string }) => void alarms.push(p.code),
    evidence: () => undefined,
    changed: () => undefined,
  };
  const scopes = new Scopes(ports as unknown as ScopesPorts);
  scopes.follow([scope]);
  const followed = scopes.all()[0]!;
  await followed.log.take([{ entry: entries[0]!, signatures: [{ side: v!.side.id, signature: new Uint8Array(64) }] }]);
  expect(alarms).toEqual(code === undefined ? [] : [code]);
  expect(followed.log.broken?.code).toBe(code);
});
