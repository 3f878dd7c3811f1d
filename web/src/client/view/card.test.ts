// The log of testdata/transcripts that Go wrote, as far as what its acts are shown as.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { State } from "../../engine/session/state";
import { Verifier } from "../../engine/verify";
import { decodeOutbox } from "../../words/act";
import { fromHex, hex } from "../../words/bytes";
import { phaseOf } from "./card";
import { planFacts } from "./people";

interface Transcript {
  readonly after?: string;
  readonly scope: string;
  readonly steps: { readonly want: string; readonly entry?: string; readonly overlay?: string }[];
}

const verifier = new Verifier();

/** replay takes what a log's rules took, and looks at the state after each step. */
async function replay(name: string, look: (state: State) => void): Promise<State> {
  const t = JSON.parse(readFileSync(new URL(`../../../../testdata/transcripts/${name}.json`, import.meta.url), "utf8")) as Transcript;
  const state = t.after === undefined ? new State(fromHex(t.scope)) : await replay(t.after, () => undefined);
  for (const { want, entry, overlay } of t.steps) {
    if (want !== "ok") continue;
    if (entry !== undefined) {
      await verifier.verify(state.checks(fromHex(entry)));
      state.apply(fromHex(entry));
    }
    if (overlay !== undefined) {
      const { signed } = decodeOutbox(fromHex(overlay));
      await verifier.verify(state.overlayChecks(signed));
      state.overlay(signed);
    }
    look(state);
  }
  return state;
}

test("who suspended is the side whose officer signed, who is missing the side that is named", async () => {
  const seen = new Set<string>();
  await replay("suspensions", (state) => {
    const [first] = state.suspensions();
    const facts = planFacts(state, new Uint8Array(32));
    if (first === undefined || facts === undefined) return;
    const phase = phaseOf(state, facts);
    if (phase.kind !== "suspended") return;
    seen.add(first.reason);
    const side = first.reason === "officer" ? first.side : first.of;
    expect(phase.of?.id ?? "").toBe(hex(side));
    if (first.reason === "officer") expect(Object.keys(phase.of?.name ?? {})).not.toEqual([]);
  });
  expect(seen).toContain("officer");
  expect(seen).toContain("link-lost");
});
