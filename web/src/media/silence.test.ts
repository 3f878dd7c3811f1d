import { expect, test } from "vitest";
import { Silence } from "./silence";

const stats = (bytesReceived: number, packetsSent: number) => [{ type: "candidate-pair", bytesReceived }, { type: "outbound-rtp", packetsSent }];

/** play looks four times a second and gives the times at which the path is called dead, ms. */
function play(ms: number, at: (t: number) => { received: number; sent: number; expected?: boolean }): number[] {
  const silence = new Silence();
  const told: number[] = [];
  for (let t = 0; t <= ms; t += 250) {
    const { received, sent, expected } = at(t);
    if (silence.look(stats(received, sent), expected ?? false, t)) told.push(t);
  }
  return told;
}

test("a path that answers is left alone, and one on which nothing is sent", () => {
  expect(play(20_000, (t) => ({ received: t, sent: t }))).toEqual([]);
  expect(play(20_000, (t) => ({ received: t < 1_000 ? t : 1_000, sent: Math.min(t, 1_000) }))).toEqual([]);
});

test("what is sent into silence is missed two seconds later, and not for ever", () => {
  expect(play(40_000, (t) => ({ received: Math.min(t, 3_000), sent: t }))).toEqual([5_000, 7_000, 35_000, 37_000]);
});

test("what stops coming is missed while it is expected", () => {
  expect(play(18_000, (t) => ({ received: Math.min(t, 3_000), sent: 0, expected: t < 6_000 }))).toEqual([5_000]);
});

test("a pair that is given up is a change and no silence", () => {
  expect(play(4_000, (t) => ({ received: t < 1_500 ? 100 : 0, sent: t }))).toEqual([3_500]);
});

test("a page that slept has heard nothing because it did not listen", () => {
  const silence = new Silence();
  for (const t of [0, 250, 4_000, 4_250, 5_750]) expect(silence.look(stats(100, t), false, t)).toBe(false);
});

test("a clock that is set back an hour in mid-call hides no dead path, nor the one before", () => {
  const silence = new Silence();
  const told: number[] = [];
  for (let t = 0; t <= 8_000; t += 250) {
    const clock = t < 2_000 ? t : t - 3_600_000;
    if (silence.look(stats(Math.min(t, 1_000), t), false, clock)) told.push(t);
  }
  expect(told).toEqual([3_250, 5_250]); // the look at which it was set counts for nothing
});

test("a page that is late itself waits in proportion", () => {
  const late = (every: number) => {
    const silence = new Silence();
    for (let t = 0; ; t += every) if (silence.look(stats(Math.min(t, 1_000), t), false, t)) return t;
  };
  expect(late(250)).toBe(3_000);
  expect(late(1_000)).toBeGreaterThan(6_000);
});
