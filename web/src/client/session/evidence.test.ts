import { expect, test } from "vitest";
import { memoryCabinet } from "../../identity/cabinet";
import { EvidenceBox, evidenceFile, type Evidence } from "./evidence";

const piece = (n: number, more: Partial<Evidence> = {}): Evidence => ({
  what: "log",
  scope: new Uint8Array(32).fill(1),
  at: 1_900_000_000_000,
  statements: [{ by: "aa", key: new Uint8Array(32).fill(2), message: new Uint8Array([n]), signature: new Uint8Array(64).fill(n) }],
  ...more,
});

test("a piece is kept once, over a reload, and no more than the bound", async () => {
  const cabinet = memoryCabinet();
  const box = new EvidenceBox(cabinet);
  await Promise.all([box.keep(piece(1)), box.keep(piece(1, { at: 5 })), box.keep(piece(2))]);
  expect(await new EvidenceBox(cabinet).all()).toHaveLength(2);
  for (let i = 3; i < 60; i++) await box.keep(piece(i));
  const all = await box.all();
  expect(all).toHaveLength(32);
  expect(all[0]).toEqual(piece(1)); // the first are what matters
});

test("a large entry is left to its hash", async () => {
  const box = new EvidenceBox(memoryCabinet());
  await box.keep(piece(1, { entry: new Uint8Array(100) }));
  await box.keep(piece(2, { entry: new Uint8Array(1 << 20) }));
  expect((await box.all()).map((e) => e.entry?.length)).toEqual([100, undefined]);
});

test("the file holds every byte that a check needs", () => {
  const read = JSON.parse(evidenceFile([piece(7, { entry: new Uint8Array([9]) })]));
  expect(read.pieces[0]).toMatchObject({
    what: "log",
    scope: "01".repeat(32),
    seen: "2030-03-17T17:46:40.000Z",
    statements: [{ by: "aa", ed25519: "02".repeat(32), message: "07", signature: "07".repeat(64) }],
    entry: "09",
  });
});
