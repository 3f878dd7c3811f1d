import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Curtain } from "./curtain";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function curtain(longest: number) {
  const drawn: number[] = [];
  const worth = { is: false };
  return { curtain: new Curtain(() => void drawn.push(performance.now()), longest, () => worth.is), drawn, worth, began: performance.now() };
}

test("it opens when there is something worth drawing", async () => {
  const { curtain: c, drawn, worth } = curtain(400);
  c.changed();
  worth.is = true;
  await vi.advanceTimersByTimeAsync(0);
  expect(drawn).toHaveLength(1);
  await c.opened;
});

test("nothing is drawn behind it, and what there is when it opens, once", async () => {
  const { curtain: c, drawn } = curtain(400);
  c.changed();
  await vi.advanceTimersByTimeAsync(100);
  expect(drawn).toEqual([]);
  let opened = false;
  void c.opened.then(() => (opened = true));
  c.open();
  c.changed();
  c.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(drawn).toHaveLength(1);
  expect(opened).toBe(true);
});

test("it opens by itself: nobody waits longer for a screen than was said", async () => {
  const { curtain: c, drawn, began } = curtain(400);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(drawn.map((at) => at - began)).toEqual([400]);
  c.close(150);
  c.changed();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(drawn.map((at) => at - began)).toEqual([400, 1_150]);
});

test("a draw that was asked for before it closed waits with it", async () => {
  const { curtain: c, drawn } = curtain(400);
  c.open();
  await vi.advanceTimersByTimeAsync(0);
  c.changed();
  c.close(100);
  await vi.advanceTimersByTimeAsync(0);
  expect(drawn).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(drawn).toHaveLength(2);
});
