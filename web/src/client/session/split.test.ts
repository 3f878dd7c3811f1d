import { expect, test } from "vitest";
import { judge, type Voice } from "./split";

/** voices reads "V+++ Q++-": + agrees, - differs, ? awaited, ! named before. The first of V is oneself. */
function voices(text: string): Voice[] {
  return text.split(" ").flatMap((part) =>
    [...part.slice(1)].map((c, i) => ({
      join: `${part[0]}${i + 1}`,
      side: part[0]!,
      says: c === "+" ? ("agrees" as const) : c === "?" ? ("awaited" as const) : ("differs" as const),
      named: c === "!",
    })),
  );
}

const said = (text: string, overdue = false): string => {
  const v = judge(voices(text), overdue);
  return v.kind === "named" ? `named ${v.joins.join(" ")}` : v.kind;
};

// The same table is in internal/native/split_test.go.
test.each([
  // Nobody differs, or only who was named before.
  ["V++ Q++", "one"],
  ["V+? Q??", "one"],
  ["V++ Q+!", "one"],
  // One member against all others is named, of either side, wherever it sits.
  ["V++ Q+-", "named Q2"],
  ["V+- Q++", "named V2"],
  ["V+++++ Q++++-", "named Q5"],
  ["V+ Q++-", "named Q3"],
  // A side's minority too, and a minority of each side while most agree.
  ["V+++++ Q+++--", "named Q4 Q5"],
  ["V++++- Q++++-", "named V5 Q5"],
  ["V+++++ Q+++!-", "named Q5"],
  // Half of a side or more: the sides may be in different groups.
  ["V+++++ Q++---", "fork"],
  ["V+++++ Q++!!-", "fork"],
  ["V+++ Q++--", "fork"],
  // A whole side otherwise, be it one person, and though it was named before: who is left talks to nobody there.
  ["V+++ Q-", "fork"],
  ["V+++ Q!", "fork"],
  ["V+ Q-", "fork"],
  // Two people of one side, each with a word of their own: nobody can tell.
  ["V+-", "fork"],
  // Oneself against all: it is oneself who was split off.
  ["V+- Q--", "fork"],
  ["V+--- Q----", "fork"],
  // With one colluder of the other side at one's side.
  ["V+- Q+-", "fork"],
  // Not all have spoken: silence until they have, no name yet.
  ["V+++ Q?+-", "open"],
  ["V+?? Q??-", "open"],
  // Whatever the awaited will say, it is a fork.
  ["V+? Q---", "fork"],
  ["V+--- Q??--", "fork"],
])("%s: %s", (text, want) => expect(said(text)).toBe(want));

test.each([
  // The time of the awaited is over: most of all must agree, and somebody of every side.
  ["V+++ Q?+-", "named Q3"],
  ["V+?? Q??-", "fork"],
  ["V+++++ Q?-", "fork"],
])("after ten seconds %s: %s", (text, want) => expect(said(text, true)).toBe(want));
