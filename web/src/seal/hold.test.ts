import { describe, expect, it } from "vitest";
import { Hold, holdFor } from "./hold.js";

describe("hold", () => {
  it("wakes every track of the scope when a key is installed, and no other", async () => {
    const hold = new Hold();
    const late: (() => void)[] = [];
    const after = (ms: number, f: () => void) => {
      expect(ms).toBe(holdFor);
      late.push(f);
    };
    const a = hold.came("one", after);
    const b = hold.came("one", after);
    const other = hold.came("two", after);
    hold.installed("one");
    expect(await Promise.all([a, b])).toEqual([true, true]);
    for (const f of late) f();
    expect(await other).toBe(false);
  });

  it("gives up after its time", async () => {
    const hold = new Hold();
    const came = hold.came("one", (_ms, f) => f());
    hold.installed("one");
    expect(await came).toBe(false);
  });
});
