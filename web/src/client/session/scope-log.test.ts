// The log as a client believes it, with the golden transcript's entries and the test nodes' own signatures.
import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { beforeAll, expect, test } from "vitest";
import { State } from "../../engine/session/state";
import { Verifier, verify } from "../../engine/verify";
import { contextHead, decodeEntry, hash, headAfter } from "../../words/act";
import { fromHex, hex, utf8 } from "../../words/bytes";
import { message } from "../../words/canon";
import type { ProblemError } from "../problem";
import type { Evidence } from "./evidence";
import { countersignWithin, ScopeLog } from "./scope-log";

interface Transcript {
  readonly scope: string;
  readonly steps: { readonly do: string; readonly entry?: string; readonly want: string }[];
}
const opening: Transcript = JSON.parse(readFileSync(new URL("../../../../testdata/transcripts/opening.json", import.meta.url), "utf8"));
const scope = fromHex(opening.scope);
const entries = opening.steps.filter((s) => s.want === "ok").map((s) => fromHex(s.entry!));
/** Another act at the place of the second entry: the sequencer could have ordered it before somebody else. */
const another = fromHex(opening.steps.find((s) => s.want === "no-such-proposal")!.entry!);

/** The nodes' keys, as internal/session/sessiontest makes them. */
const nodeKey = { v: sha256(utf8("parley test seed key v node\n")), q: sha256(utf8("parley test seed key q node\n")) };
type Node = keyof typeof nodeKey;

function headOf(entry: Uint8Array): Uint8Array {
  const e = decodeEntry(entry);
  return headAfter(scope, e.term, e.index, hash(entry));
}

/** One memory for all logs: the delegation keys' signatures are slow to verify, and good in each. */
const verifier = new Verifier();

const sign = (node: Node, head: Uint8Array) => ed25519.sign(message(contextHead, head), nodeKey[node]);

beforeAll(() => verifier.verify(new State(scope).checks(entries[0]!)), 60_000);

async function follow() {
  const at = { now: 1_000 };
  const alarms: string[] = [];
  const evidence: Omit<Evidence, "at" | "scope">[] = [];
  const sides: Record<string, Uint8Array> = {};
  const log: ScopeLog = new ScopeLog({
    scope,
    get ownSide() {
      return sides["v"] ?? new Uint8Array(32);
    },
    verify: (checks) => verifier.verify(checks),
    trust: async () => undefined,
    applied: () => undefined,
    settled: () => undefined,
    changed: () => undefined,
    alarm: (p: ProblemError) => void alarms.push(p.code),
    missing: () => undefined,
    evidence: (e) => void evidence.push(e),
    now: () => at.now,
  });
  // Whose side is whose stands in the plan, which is the first entry.
  const st = new State(scope);
  st.apply(entries[0]!);
  for (const s of st.plan()!.sides) sides[s.name["en"] === "Velmark" ? "v" : "q"] = s.id;
  const by = (entry: Uint8Array, ...nodes: Node[]) => ({ entry, signatures: nodes.map((n) => ({ side: sides[n]!, signature: sign(n, headOf(entry)) })) });
  const head = (entry: Uint8Array, node: Node) => ({ side: sides[node]!, head: headOf(entry), signature: sign(node, headOf(entry)) });
  return { log, at, alarms, evidence, sides, by, head };
}

test("a node that does not countersign is named after three seconds, and no longer when it has", async () => {
  const { log, at, by, head, sides, alarms } = await follow();
  await log.take([by(entries[0]!, "v", "q")]);
  at.now = 5_000;
  await log.take([by(entries[1]!, "v")]);
  expect([alarms, log.next]).toEqual([[], 2]);
  expect(log.unsigned(5_000 + countersignWithin - 1)).toBeUndefined();
  expect(log.unsigned(5_000 + countersignWithin)).toEqual({ side: sides["q"], since: 5_000 });
  await log.heads([head(entries[1]!, "q")]);
  expect(log.unsigned(60_000)).toBeUndefined();
});

test("a countersignature that its node did not make counts for nothing", async () => {
  const { log, at, by, sides, alarms } = await follow();
  await log.take([by(entries[0]!, "v")]);
  await log.take([{ entry: entries[0]!, signatures: [{ side: sides["q"]!, signature: sign("v", headOf(entries[0]!)) }] }]);
  expect([alarms, log.unsigned(at.now + countersignWithin)?.side]).toEqual([["bad-signature"], sides["q"]]);
});

test("two entries at one place, both signed by one node, are evidence that anybody can check", async () => {
  const { log, by, alarms, evidence, sides } = await follow();
  await log.take(entries.map((e) => by(e, "v", "q")));
  await log.take([by(entries[1]!, "v", "q")]); // the same again is nothing
  expect(alarms).toEqual([]);
  await log.take([by(another, "v")]);
  expect(alarms).toEqual(["forked"]);
  expect(log.broken?.code).toBe("forked");
  expect(evidence).toHaveLength(1);
  const { what, statements, entry } = evidence[0]!;
  expect([what, entry, statements.map((s) => s.by)]).toEqual(["log", another, [sides["v"], sides["q"], sides["v"]].map((b) => hex(b!))]);
  const [first, , second] = statements;
  expect(first!.key).toEqual(second!.key);
  expect(first!.message).not.toEqual(second!.message);
  await verify(statements.map((s) => ({ alg: "ed25519", ...s, what: "head", code: "bad-signature" })));
});

test("a node that countersigned another entry than came here is caught by its head", async () => {
  const { log, by, head, alarms, evidence } = await follow();
  await log.take(entries.map((e) => by(e, "v")));
  await log.heads([head(another, "q")]);
  expect([alarms, evidence.map((e) => e.statements.length)]).toEqual([["forked"], [2]]);
});

test("a fork that nobody signed proves nothing, and is not believed either", async () => {
  const { log, by, sides, alarms, evidence } = await follow();
  await log.take(entries.map((e) => by(e, "v")));
  await log.take([{ entry: another, signatures: [{ side: sides["v"]!, signature: sign("q", headOf(another)) }] }]);
  expect([alarms, evidence]).toEqual([["bad-signature"], []]);
  const bare = await follow();
  await bare.log.take(entries.map((e) => bare.by(e, "v")));
  await bare.log.take([{ entry: another, signatures: [] }]);
  expect([bare.alarms, bare.evidence]).toEqual([["bad-signature"], []]);
});
