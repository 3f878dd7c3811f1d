import { expect, test } from "vitest";
import { Hearing, lookEvery } from "./hearing";

interface Played {
  every?: number;
  answers?: number;
  media?: (t: number) => boolean;
}

/** hangsAt is when the socket is given up that was last heard at 1 s, ms; undefined if it is not within ms. */
function hangsAt(ms: number, { every = lookEvery, answers = 5, media = () => true }: Played): number | undefined {
  const hearing = new Hearing();
  for (let t = 0; t <= ms; t += every) {
    if (t <= 1_000) {
      hearing.heard();
      hearing.answered(answers);
    }
    if (media(t)) hearing.elsewhere(t);
    if (hearing.look(t)) return t;
  }
  return undefined;
}

test("a socket that is heard is kept", () => {
  const hearing = new Hearing();
  for (let t = 0; t <= 60_000; t += lookEvery) {
    if (t % 2_000 === 0) hearing.heard();
    hearing.elsewhere(t);
    expect(hearing.look(t)).toBe(false);
  }
});

test("while the node's media arrive, silence is the socket's; else it is forgiven longer", () => {
  expect(hangsAt(9_000, {})).toBe(3_250);
  expect(hangsAt(9_000, { media: (t) => t < 1_500 })).toBe(7_000);
});

test("a node that is slow to answer is given more, and not for ever", () => {
  expect(hangsAt(9_000, { answers: 500 })).toBe(5_000);
  expect(hangsAt(9_000, { answers: 3_000 })).toBe(7_000);
});

test("a page that is late itself does not blame the socket", () => {
  expect(hangsAt(9_000, { every: 1_000 })).toBe(7_000);
  const hearing = new Hearing();
  for (const t of [0, 250, 60_000, 120_000, 120_250]) {
    hearing.elsewhere(t);
    expect(hearing.look(t)).toBe(false); // a tab that is woken once a minute
  }
});

test("new sockets that hang as well are not given up quickly for ever", () => {
  const hearing = new Hearing();
  const told: number[] = [];
  for (let t = 0; t <= 20_000; t += lookEvery) {
    hearing.elsewhere(t);
    if (!hearing.look(t)) continue;
    told.push(t);
    hearing.heard(); // another is opened
  }
  expect(told).toEqual([2_000, 4_250, 10_500, 16_750]);
});
