// The vectors that Go passes too (internal/group), read from the same files.
import { readdirSync, readFileSync } from "node:fs";
import { join as path } from "node:path";
import { describe, expect, it } from "vitest";
import { fromHex, hex } from "../words/bytes";
import { Policy, type Action, type Own, type View } from "./group";

interface Step {
  readonly now: number;
  readonly view: {
    readonly phase: string;
    readonly linkLost: boolean;
    readonly members: readonly { readonly join: string; readonly live: boolean; readonly lost: boolean }[];
    readonly group: string;
    readonly epoch: number;
    readonly leaves: readonly string[];
    readonly adds: readonly string[];
    readonly removes: readonly { readonly leaf: number; readonly join: string; readonly must: boolean }[];
  };
  readonly own: { readonly join: string; readonly group: string; readonly epoch: number; readonly outstanding: boolean; readonly updatedAt: number };
  readonly want: { readonly kind: string; readonly adds: readonly string[]; readonly removes: readonly number[]; readonly until: number };
}

interface Vector {
  readonly name: string;
  readonly about: string;
  readonly steps: readonly Step[];
}

const dir = path(import.meta.dirname, "..", "..", "..", "testdata", "group");
const vectors = readdirSync(dir).map((f) => JSON.parse(readFileSync(path(dir, f), "utf8")) as Vector);

function view(s: Step): View {
  const v = s.view;
  return {
    phase: v.phase,
    linkLost: v.linkLost,
    members: v.members.map((m) => ({ ...m, join: fromHex(m.join) })),
    group: fromHex(v.group),
    epoch: v.epoch,
    leaves: v.leaves.map(fromHex),
    adds: v.adds.map(fromHex),
    removes: v.removes.map((r) => ({ ...r, join: fromHex(r.join) })),
  };
}

function own(s: Step): Own {
  return { ...s.own, join: fromHex(s.own.join), group: fromHex(s.own.group) };
}

function flat(a: Action): Step["want"] {
  return {
    kind: a.kind,
    adds: a.kind === "commit" ? a.adds.map(hex) : [],
    removes: a.kind === "commit" ? a.removes : [],
    until: a.kind === "wait" ? a.until : 0,
  };
}

describe("group policy", () => {
  it("has its vectors", () => expect(vectors.length).toBeGreaterThanOrEqual(20));
  it.each(vectors.map((v) => [v.name, v] as const))("%s", (_name, v) => {
    const policy = new Policy();
    for (const s of v.steps) expect(flat(policy.next(view(s), own(s), s.now)), `${v.about} at ${s.now}`).toEqual(s.want);
  });
});
