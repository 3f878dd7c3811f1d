// Replays testdata/transcripts, which Go writes (internal/session/transcript_test.go): the same refusals, effects, views and bytes.
import { readFileSync, readdirSync } from "node:fs";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { decodeOutbox } from "../../words/act";
import { concat, fromHex, hex } from "../../words/bytes";
import { ProblemError } from "../../words/problem";
import { Verifier } from "../verify";
import { State, type Effect } from "./state";

interface Line {
  readonly do: string;
  readonly want: string;
  readonly entry?: string;
  readonly overlay?: string;
  readonly ask?: string;
  readonly at?: number;
  readonly effects?: string[];
  readonly view: string;
  readonly summary: string;
}
interface Transcript {
  readonly name: string;
  readonly after?: string;
  readonly scope: string;
  readonly steps: Line[];
}

const dir = new URL("../../../../testdata/transcripts/", import.meta.url);
const read = (name: string): Transcript => JSON.parse(readFileSync(new URL(name, dir), "utf8"));
const verifier = new Verifier();

async function offer(st: State, l: Line): Promise<readonly Effect[]> {
  if (l.entry !== undefined) {
    const entry = fromHex(l.entry);
    await verifier.verify(st.checks(entry));
    return st.apply(entry);
  }
  if (l.overlay !== undefined) {
    const { signed } = decodeOutbox(fromHex(l.overlay));
    await verifier.verify(st.overlayChecks(signed));
    st.overlay(signed);
    return [];
  }
  st.refuse(fromHex(l.ask!), l.at!);
  return [];
}

const short = (b: Uint8Array): string => (b.length === 0 ? "-" : hex(b.subarray(0, 4)));

function effectLine(e: Effect): string {
  const parts: string[] = [e.kind, `act=${short(e.act)}`, `side=${short(e.side)}`];
  if (e.join !== undefined) parts.push(`join=${short(e.join)}`);
  if (e.track !== undefined) parts.push(`track=${e.track}`);
  if (e.code !== undefined) parts.push(`code=${e.code}`);
  if (e.early) parts.push("early");
  return parts.join(" ");
}

function view(s: State): string {
  const parts: string[] = [s.phase()];
  for (const x of s.suspensions()) parts.push(`suspended:${x.reason}`);
  for (const m of s.present()) parts.push(m.person + (s.mayHear(m.device) ? "+" : ""));
  for (const t of s.tracks()) {
    const m = s.member(t.join)!;
    parts.push(`${m.person}/${t.source}:${s.mayPublish(m.device, t.id) ? "live" : "silent"}`);
  }
  const g = s.group();
  if (g.id.length > 0) parts.push(`group ${short(g.id)} epoch ${g.epoch} [${g.leaves.map(short).join(" ")}]`);
  for (const m of s.pendingAdds()) parts.push(`add:${m.person}`);
  for (const r of s.pendingRemoves()) parts.push(`remove:${r.leaf}:${r.why}`);
  for (const l of s.leafRoster()) parts.push(`leaf ${l.leaf} ${short(sha256(concat(l.identity, l.key)))}`);
  return parts.join(" · ");
}

async function replay(st: State, l: Line): Promise<void> {
  let want = "ok";
  let effects: readonly Effect[] = [];
  try {
    effects = await offer(st, l);
  } catch (e) {
    if (!(e instanceof ProblemError)) throw e;
    want = e.code;
  }
  expect({ do: l.do, want, effects: effects.map(effectLine), view: view(st) }).toEqual({
    do: l.do,
    want: l.want,
    effects: l.effects ?? [],
    view: l.view,
  });
  expect(hex(sha256(st.summary())), l.do).toBe(l.summary);
}

describe("transcripts", () => {
  const files = readdirSync(dir).filter((f) => f.endsWith(".json"));
  it("are there", () => expect(files.length).toBeGreaterThan(10));
  it.each(files)("%s", { timeout: 60_000 }, async (file) => {
    const tr = read(file);
    let steps = tr.steps;
    for (let after = tr.after; after !== undefined; ) {
      const before = read(`${after}.json`);
      steps = [...before.steps, ...steps];
      after = before.after;
    }
    const st = new State(fromHex(tr.scope));
    for (const l of steps) await replay(st, l);
    expect(hex(State.restore(st.snapshot()).snapshot())).toBe(hex(st.snapshot()));
    expect(hex(st.clone().summary())).toBe(hex(st.summary()));
  });
});
