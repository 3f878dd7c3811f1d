import { expect, test } from "vitest";
import { Attestations, missingAfter, type Belief } from "./attestations";

const belief = (epoch: bigint, tree = "t", group = "g"): Belief => ({ group, epoch, tree, transcript: "x" });

test("who says the same agrees, who says another thing of the same epoch differs", () => {
  const a = new Attestations();
  a.enter(belief(1n), 0);
  expect(a.of("j")).toBe("awaited");
  expect(a.hear("j", belief(1n))).toBe(true);
  expect(a.hear("k", belief(1n, "other"))).toBe(true);
  expect([a.of("j"), a.of("k")]).toEqual(["agrees", "differs"]);
  expect([a.contradictory("j"), a.contradictory("k")]).toEqual([false, false]);
});

test("an attestation may come before the epoch is entered here", () => {
  const a = new Attestations();
  a.enter(belief(1n), 0);
  a.hear("j", belief(2n));
  expect(a.of("j")).toBe("awaited");
  a.enter(belief(2n), 5);
  expect(a.of("j")).toBe("agrees");
});

test("a later epoch makes earlier words void", () => {
  const a = new Attestations();
  a.enter(belief(1n), 0);
  a.hear("j", belief(1n));
  a.enter(belief(2n), 100);
  expect(a.of("j")).toBe("awaited");
  expect(a.overdue(99 + missingAfter)).toBe(false);
  expect(a.overdue(100 + missingAfter)).toBe(true);
});

test("a member that says two things of one epoch is caught", () => {
  const a = new Attestations();
  a.enter(belief(1n), 0);
  expect(a.hear("j", belief(1n))).toBe(true);
  expect(a.hear("j", belief(1n, "other"))).toBe(false);
  expect(a.of("j")).toBe("agrees");
  expect(a.contradictory("j")).toBe(true);
});
