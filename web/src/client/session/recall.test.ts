import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Verifier } from "../../engine/verify";
import { State, type Check } from "../../engine/session/state";
import { decodeEntry } from "../../words/act";
import { fromHex, hex } from "../../words/bytes";
import { encode } from "../../words/canon";
import { problem } from "../../words/problem";
import { ScopeLog, type WireEntry } from "./scope-log";

interface Transcript {
  readonly after?: string;
  readonly scope: string;
  readonly steps: readonly { readonly want: string; readonly entry?: string }[];
}

/** What Go ordered: the transcripts hold everything but signatures over heads, for which 64 bytes of 1 stand here. */
function history(name: string): { scope: Uint8Array; entries: Uint8Array[] } {
  const { after, scope, steps } = JSON.parse(readFileSync(new URL(`../../../../testdata/transcripts/${name}.json`, import.meta.url), "utf8")) as Transcript;
  const before = after === undefined ? [] : history(after).entries;
  return { scope: fromHex(scope), entries: [...before, ...steps.flatMap((s) => (s.entry !== undefined && s.want === "ok" ? [fromHex(s.entry)] : []))] };
}

const { scope, entries } = history("tracks");
const verifier = new Verifier();
const plan = new State(scope);
plan.apply(entries[0]!);
const sides = plan.sideIds();
const signed = (entry: Uint8Array, by = 1): WireEntry => ({ entry, signatures: sides.map((side) => ({ side, signature: new Uint8Array(64).fill(by) })) });

function open(more: { trust?: () => Promise<void> } = {}) {
  const told: string[] = [];
  const asked: number[] = [];
  const log = new ScopeLog({
    scope,
    ownSide: sides[0]!,
    async verify(checks: readonly Check[]) {
      await verifier.verify(checks.filter((c) => c.what !== "head"));
      if (checks.some((c) => c.what === "head" && c.signature[0] !== 1)) throw problem("bad-signature", { what: "head" });
    },
    trust: more.trust ?? (async () => undefined),
    applied: (a) => void told.push(`${a.index} ${a.id} ${a.effects.map((e) => e.kind).join()} ${a.before?.members.length ?? ""}`),
    settled: () => undefined,
    changed: () => undefined,
    alarm: (p) => void told.push(p.code),
    missing: (from) => void asked.push(from),
    evidence: () => undefined,
    now: () => 0,
  });
  return { log, told, asked };
}

const summary = (log: ScopeLog): string => hex(log.state.summary());

test("many entries at once are taken as they are one by one", async () => {
  const one = open();
  for (const e of entries) await one.log.take([signed(e)]);
  const all = open();
  await all.log.take(entries.map((e) => signed(e)));
  expect(entries.length).toBeGreaterThan(10);
  expect(all.log.next).toBe(entries.length);
  expect(all.told).toEqual(one.told);
  expect(summary(all.log)).toBe(summary(one.log));
});

test("a false signature among many stops the log at its entry", async () => {
  const { log, told } = open();
  await log.take(entries.map((e, i) => signed(e, i === 7 ? 2 : 1)));
  expect([log.next, log.broken?.code, told.at(-1)]).toEqual([7, "bad-signature", "bad-signature"]);
});

test("what follows a hole is asked for", async () => {
  const { log, asked } = open();
  await log.take([...entries.slice(0, 4), ...entries.slice(6)].map((e) => signed(e)));
  expect([log.next, log.broken, asked[0]]).toEqual([4, undefined, 4]);
});

test("a plan that is not trusted counts for nothing, in whatever company it comes", async () => {
  const { log } = open({ trust: () => Promise.reject(problem("link-swapped-key", {})) });
  await log.take(entries.map((e) => signed(e)));
  expect([log.next, log.broken?.code]).toEqual([0, "link-swapped-key"]);
});

test("a log goes on from what was kept of it, and tells nothing twice", async () => {
  const before = open();
  await before.log.take(entries.slice(0, 8).map((e) => signed(e)));
  const { log, told } = open();
  expect(await log.recall(before.log.kept()!)).toBe(true);
  expect([log.next, summary(log), told]).toEqual([8, summary(before.log), []]);
  expect(log.countersignedBy(sides[1]!)).toBe(7);
  await log.take(entries.slice(8).map((e) => signed(e)));
  await before.log.take(entries.slice(8).map((e) => signed(e)));
  expect(summary(log)).toBe(summary(before.log));
  await log.take([signed(entries[3]!)]); // known: nothing happens
  expect(log.broken).toBeUndefined();
});

test("a node that tells another story than on the last visit has forked the log", async () => {
  const before = open();
  await before.log.take(entries.slice(0, 8).map((e) => signed(e)));
  const { log } = open();
  await log.recall(before.log.kept()!);
  const { prev, ...rest } = decodeEntry(entries[8]!);
  await log.take([signed(encode({ ...rest, prev: prev.map((b) => b ^ 1) }))]);
  expect([log.next, log.broken?.code]).toEqual([8, "forked"]);
});

test("what does not fit is not gone on from", async () => {
  const before = open();
  await before.log.take(entries.slice(0, 8).map((e) => signed(e)));
  const kept = before.log.kept()!;
  const wrong = [
    { ...kept, entries: kept.entries.slice(0, -1) },
    { ...kept, entries: kept.entries.map((e) => ({ ...e, hash: new Uint8Array(32) })) },
    { ...kept, state: kept.state.slice(0, -1) },
    { ...kept, state: new State(new Uint8Array(32)).snapshot() },
  ];
  for (const k of wrong) {
    const { log } = open();
    expect(await log.recall(k)).toBe(false);
    expect([log.next, log.broken]).toEqual([0, undefined]);
  }
  const { log } = open({ trust: () => Promise.reject(problem("link-swapped-key", {})) });
  expect(await log.recall(kept)).toBe(false);
});
