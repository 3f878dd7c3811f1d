// Damaged bytes never bring the engine to anything but a problem, and never change a state that refused them.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromHex, hex } from "../../words/bytes";
import { ProblemError } from "../../words/problem";
import { State } from "./session";

interface Transcript {
  readonly after?: string;
  readonly scope: string;
  readonly steps: { readonly entry?: string; readonly want: string }[];
}
const read = (name: string): Transcript =>
  JSON.parse(readFileSync(new URL(`../../../../testdata/transcripts/${name}.json`, import.meta.url), "utf8"));

/** A small generator, so that a failure can be repeated (mulberry32). */
function random(seed: number): (n: number) => number {
  let a = seed;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

function damage(b: Uint8Array, r: (n: number) => number): Uint8Array {
  const out = Uint8Array.from(b);
  for (let i = r(3); i >= 0; i--) out[r(out.length)] = r(256);
  return r(4) === 0 ? out.subarray(0, r(out.length)) : out;
}

function outcome(f: () => unknown): void {
  try {
    f();
  } catch (e) {
    if (!(e instanceof ProblemError)) throw e;
  }
}

describe("damaged bytes", () => {
  it("are refused with a problem", () => {
    const r = random(2026);
    const room = read("room");
    const st = new State(fromHex(room.scope));
    for (const s of [...read("opening").steps, ...room.steps]) if (s.want === "ok") st.apply(fromHex(s.entry!));
    const samples = ["tracks", "groups", "revocations", "outboxes", "admits", "terms"].flatMap((n) => read(n).steps.flatMap((s) => s.entry ?? []));
    const before = hex(st.summary());
    for (let n = 0; n < 1500; n++) {
      const b = damage(fromHex(samples[r(samples.length)]!), r);
      const c = st.clone();
      outcome(() => c.checks(b));
      outcome(() => c.refuse(b, 0));
      outcome(() => c.overlay({ item: b, sig: new Uint8Array(64) }));
      let applied = true;
      try {
        c.apply(b);
      } catch (e) {
        if (!(e instanceof ProblemError)) throw e;
        applied = false;
      }
      if (!applied) expect(hex(c.summary())).toBe(before);
    }
  }, 60_000);
});
