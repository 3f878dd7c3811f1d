// Random histories: all members agree on the exporter in every epoch. Short here; `npm run fuzz:mls` runs 600 epochs.

import { describe, expect, it } from "vitest";
import { History } from "./history.testkit.js";
import { webSuite } from "./suite-web.js";

const epochs = Number(process.env["FUZZ_EPOCHS"] ?? 60);
const seeds = (process.env["FUZZ_SEEDS"] ?? "1,2").split(",").map(Number);

describe("random histories", () => {
  it.each(seeds)(`seed %i, ${epochs} epochs`, { timeout: 3_600_000 }, async (seed) => {
    const h = new History(await webSuite(), seed, Number(process.env["FUZZ_MEMBERS"] ?? 7));
    await h.found();
    for (let e = 0; e < epochs; e++) {
      await h.step();
      await h.agree();
    }
    expect(h.people[0]!.group.context().epoch).toBe(BigInt(epochs));
    expect(h.counts.adds).toBeGreaterThan(0);
    expect(h.counts.removes).toBeGreaterThan(0);
  });
});
