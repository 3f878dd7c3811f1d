import { expect, test } from "vitest";
import type { State } from "../../engine/session/state";
import { encode } from "../../words/canon";
import { settledWithout } from "./doubt";

const to = new Uint8Array(32).fill(7);
const signed = (kind: string, body: object) => {
  const act = encode({ v: 1, scope: new Uint8Array(32), kind, side: new Uint8Array(32), key: new Uint8Array(32), at: 0, nonce: new Uint8Array(16), body: encode(body) });
  return encode({ act, sig: new Uint8Array(64) });
};
const consent = { id: "a", kind: "consent", signed: signed("consent", { to }), since: 100_000 };
const close = { id: "b", kind: "close", signed: signed("close", {}), since: 100_000 };
const clock = { offset: 5_000, nodeNow: () => 0 };
const state = (s: { phase?: string; time?: number; open?: boolean; lapsed?: boolean }) =>
  ({
    phase: () => s.phase ?? "agreed",
    time: () => s.time ?? 0,
    proposals: () => [{ id: to, done: s.open === false }],
    lapsed: () => s.lapsed ?? false,
  }) as unknown as State;

test("nothing is known while the log stands where it was", () => {
  expect(settledWithout(state({ time: 134_000 }), consent, clock)).toBe(false);
  expect(settledWithout(state({ open: false }), close, clock)).toBe(false);
});

test.each([
  ["the session is closed", state({ phase: "closed" }), close],
  ["the proposal has lapsed", state({ lapsed: true }), consent],
  ["the proposal is done without it", state({ open: false }), consent],
  ["an entry from well after", state({ time: 135_001 }), close],
])("it will not come: %s", (_name, s, act) => {
  expect(settledWithout(s, act, clock)).toBe(true);
});
