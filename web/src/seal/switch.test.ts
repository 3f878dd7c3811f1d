import { describe, expect, it } from "vitest";
import { EpochSwitch } from "./switch.js";

const kinds = (e: readonly { kind: string }[]) => e.map((x) => x.kind);

describe("epoch switch", () => {
  it("sends when all are ready", () => {
    const s = new EpochSwitch();
    expect(kinds(s.newEpoch(0, { epoch: 1n, others: [1, 2], removed: false }))).toEqual(["announce-ready"]);
    expect(s.wakeAt).toBe(1_000);
    expect(s.ready(100, 1, 1n)).toEqual([]);
    expect(s.ready(200, 2, 1n)).toEqual([{ kind: "send", epoch: 1n }, { kind: "key-frame" }]);
    expect(s.wakeAt).toBeUndefined();
    expect(s.tick(5_000)).toEqual([]);
  });
  it("sends after 1 s, or 300 ms when somebody was removed", () => {
    for (const [removed, at] of [[false, 1_000], [true, 300]] as const) {
      const s = new EpochSwitch();
      s.newEpoch(0, { epoch: 1n, others: [1], removed });
      expect(s.tick(at - 1)).toEqual([]);
      expect(kinds(s.tick(at))).toEqual(["send", "key-frame"]);
    }
  });
  it("sends at once when alone", () => {
    expect(kinds(new EpochSwitch().newEpoch(0, { epoch: 0n, others: [], removed: false }))).toEqual(["announce-ready", "send", "key-frame"]);
  });
  it("never lets a later epoch lengthen a removal's 300 ms", () => {
    const s = new EpochSwitch();
    s.newEpoch(0, { epoch: 1n, others: [1], removed: true });
    s.newEpoch(200, { epoch: 2n, others: [1], removed: false });
    expect(s.wakeAt).toBe(300);
    expect(s.tick(300)[0]).toEqual({ kind: "send", epoch: 2n });
  });
  it("takes a ready that overtook the commit, and ignores an old one", () => {
    const s = new EpochSwitch();
    s.ready(0, 1, 2n);
    expect(kinds(s.newEpoch(0, { epoch: 2n, others: [1], removed: false }))).toEqual(["announce-ready", "send", "key-frame"]);
    s.newEpoch(0, { epoch: 3n, others: [1], removed: false });
    expect(s.ready(1, 1, 2n)).toEqual([]);
    expect(s.newEpoch(2, { epoch: 3n, others: [1], removed: false })).toEqual([]);
  });
  it("stops when suspended and goes on with the newest epoch", () => {
    const s = new EpochSwitch();
    s.newEpoch(0, { epoch: 1n, others: [1], removed: false });
    expect(s.suspend()).toEqual([{ kind: "stop" }]);
    expect(s.suspend()).toEqual([]);
    expect(s.wakeAt).toBeUndefined();
    expect(s.tick(2_000)).toEqual([]);
    expect(s.ready(2_000, 1, 1n)).toEqual([]);
    expect(s.resume()).toEqual([{ kind: "send", epoch: 1n }, { kind: "key-frame" }]);
    expect(s.resume()).toEqual([]);
  });
});
