import { expect, test } from "vitest";
import { ProblemError } from "../problem";
import { Room, type RoomPorts } from "./room";

function room() {
  const told: string[] = [];
  const warned: string[] = [];
  const at = { now: 0, mustGo: false, broken: undefined as ProblemError | undefined };
  const state = { phase: () => "agreed", pendingRemoves: () => (at.mustGo ? [{ leaf: 1, must: true }] : []), member: () => undefined };
  const ports = {
    keys: {}, author: { side: new Uint8Array(32) }, scope: new Uint8Array(32), person: "a",
    log: { state, get broken() { return at.broken; } },
    tell: (r: { kind: string }) => void told.push(r.kind),
    warn: (p: ProblemError) => void warned.push(p.code),
    changed: () => undefined, wake: () => undefined, now: () => at.now, nodeNow: () => at.now,
  }; // prettier-ignore
  return { room: new Room(ports as unknown as RoomPorts), at, told, warned };
}

test("nothing is sent while somebody who must go stays in the group", () => {
  const { room: r, at, told, warned } = room();
  at.mustGo = true;
  r.look();
  at.now = 4_999;
  r.look();
  expect(told).toEqual([]);
  at.now = 5_000;
  r.look();
  r.look();
  expect(told).toEqual(["stop"]);
  expect(warned).toEqual(["held-back"]);
  at.mustGo = false; // the commit was ordered
  r.look();
  at.mustGo = true; // somebody else: the time begins again
  r.look();
  expect(told).toEqual(["stop"]);
});

test("nothing is sent on a log that is not believed", () => {
  const { room: r, at, told } = room();
  at.broken = new ProblemError("forked");
  r.look();
  expect(told).toEqual(["stop"]);
});
