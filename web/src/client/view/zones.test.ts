import { expect, test } from "vitest";
import type { Plan } from "../../words/body";
import { zones } from "./zones";

const side = (id: number, en: string, zone: string) => ({ id: new Uint8Array([id]), name: { en }, zone });
const plan = (...sides: ReturnType<typeof side>[]) => ({ sides }) as unknown as Plan;
const own = { id: "01", name: { en: "Velmark" }, own: true };

test("before there is a plan the own capital has a clock, if the node was told one", () => {
  expect(zones(own, "Europe/Vienna", [])).toEqual([{ side: "01", name: { en: "Velmark" }, zone: "Europe/Vienna" }]);
  expect(zones(own, "", [])).toEqual([]);
  expect(zones(null, "Europe/Vienna", [])).toEqual([]);
});

test("each capital of a plan has one, once, also when two share a zone", () => {
  const p = plan(side(2, "Qasran", "Europe/Vienna"), side(1, "Velmark", "Europe/Vienna"), side(3, "Tessaly", ""));
  expect(zones(own, "Europe/Vienna", [p, p]).map((z) => [z.side, z.zone])).toEqual([["01", "Europe/Vienna"], ["02", "Europe/Vienna"]]);
  expect(zones(own, "", [p]).map((z) => z.side)).toEqual(["02", "01"]);
});
