import { expect, test } from "vitest";
import { keepFor, Stage, takeAfter } from "./stage";

const none = new Set<string>();

test("the first of the roster stands there until somebody speaks", () => {
  const s = new Stage();
  expect(s.choose([], none, null, 0)).toBeUndefined();
  expect(s.choose(["a", "b"], none, null, 1)).toBe("a");
});

test("a voice takes the stage after a while, and a cough does not", () => {
  const s = new Stage();
  s.choose(["a", "b"], none, null, 0);
  const t = keepFor;
  expect(s.choose(["a", "b"], new Set(["b"]), null, t)).toBe("a");
  expect(s.choose(["a", "b"], none, null, t + 500)).toBe("a");
  expect(s.choose(["a", "b"], new Set(["b"]), null, t + 600)).toBe("a");
  expect(s.choose(["a", "b"], new Set(["b"]), null, t + 600 + takeAfter)).toBe("b");
});

test("who has gone loses the stage at once; a pin is above all", () => {
  const s = new Stage();
  s.choose(["a", "b"], none, null, 0);
  expect(s.choose(["a", "b"], none, "b", 1)).toBe("b");
  expect(s.choose(["b"], none, null, 2)).toBe("b");
  expect(s.choose(["a", "b"], none, "c", 3)).toBe("b");
});
