import { expect, test } from "vitest";
import { Silence } from "./silence";

const stats = (bytesReceived: number, packetsSent: number) => [{ type: "candidate-pair", bytesReceived }, { type: "outbound-rtp", packetsSent }];

/** play looks four times a second and gives the times of restarts, ms. */
function play(ms: number, at: (t: number) => { received: number; sent: number; expected?: boolean }): number[] {
  const silence = new Silence();
  const restarts: number[] = [];
  for (let t = 0; t <= ms; t += 250) {
    const { received, sent, expected } = at(t);
    if (silence.look(stats(received, sent), expected ?? false, t)) restarts.push(t);
  }
  return restarts;
}

test("a path that answers is left alone, and one on which nothing is sent", () => {
  expect(play(20_000, (t) => ({ received: t, sent: t }))).toEqual([]);
  expect(play(20_000, (t) => ({ received: t < 1_000 ? t : 1_000, sent: Math.min(t, 1_000) }))).toEqual([]);
});

test("what is sent into silence is sent anew two seconds later, and not at every look", () => {
  expect(play(12_000, (t) => ({ received: Math.min(t, 3_000), sent: t }))).toEqual([5_000, 10_000]);
});

test("what stops coming is asked for while it is expected", () => {
  expect(play(12_000, (t) => ({ received: Math.min(t, 3_000), sent: 0, expected: t < 9_000 }))).toEqual([5_000]);
});

test("a pair that is given up is a change and no silence", () => {
  expect(play(4_000, (t) => ({ received: t < 2_500 ? 100 : 0, sent: t }))).toEqual([2_000]);
});
