import { expect, test } from "vitest";
import { ProblemError } from "../problem";
import { Room, type RoomPorts } from "./room";

function room() {
  const told: string[] = [];
  const warned: string[] = [];
  const at = { now: 0, mustGo: "", unsigned: false, broken: undefined as ProblemError | undefined };
  const state = { phase: () => "agreed", pendingRemoves: () => [...at.mustGo].map((j) => ({ leaf: 1, must: true, join: new Uint8Array([j.charCodeAt(0)]) })), member: () => undefined };
  const ports = {
    keys: {}, author: { side: new Uint8Array(32) }, scope: new Uint8Array(32), person: "a",
    log: { state, get broken() { return at.broken; }, unsigned: () => (at.unsigned ? { since: 0 } : undefined) },
    tell: (r: { kind: string }) => void told.push(r.kind),
    warn: (p: ProblemError) => void warned.push(p.code),
    changed: () => undefined, wake: () => undefined, now: () => at.now, nodeNow: () => at.now,
  }; // prettier-ignore
  return { room: new Room(ports as unknown as RoomPorts), at, told, warned };
}

test("nothing is sent while somebody who must go stays in the group", () => {
  const { room: r, at, told, warned } = room();
  at.mustGo = "x";
  r.look();
  at.now = 4_999;
  r.look();
  expect(told).toEqual([]);
  at.now = 5_000;
  r.look();
  r.look();
  expect(told).toEqual(["stop"]);
  expect(warned).toEqual(["held-back"]);
  at.mustGo = "";
  r.look(); // the commit was ordered
  at.mustGo = "y"; // somebody else: the time begins again
  r.look();
  expect(told).toEqual(["stop"]);
});

test("a stream of leaves that are each followed in time silences nobody", () => {
  const { room: r, at, told } = room();
  for (const join of "abcdefghijkl") {
    at.mustGo = join;
    at.now += 900;
    r.look();
  }
  expect(told).toEqual([]);
});

test("a removal that a node does not countersign is not waited for", () => {
  const { room: r, at, told } = room();
  at.unsigned = true;
  r.look();
  expect(told).toEqual([]);
  at.mustGo = "x";
  r.look();
  expect(told).toEqual(["stop"]);
});

test("nothing is sent on a log that is not believed", () => {
  const { room: r, at, told } = room();
  at.broken = new ProblemError("forked");
  r.look();
  expect(told).toEqual(["stop"]);
});
