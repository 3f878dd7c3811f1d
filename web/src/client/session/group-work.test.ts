import { expect, test } from "vitest";
import { GroupWork, type GroupWorkPorts } from "./group-work";

const id = (n: number) => new Uint8Array(32).fill(n);

// A join whose KeyPackage nothing can be sealed to, or one that has run out by now, must neither keep the others out nor cost the committer its leaf.
test("one join that cannot be added does not stop the group", async () => {
  const own = id(1);
  const bad = id(2);
  const good = id(3);
  let pending = [bad, good];
  let at = 0;
  const tried: number[][] = [];
  const group = { id: id(9), epoch: 0, leaves: [own] };
  const state = {
    phase: () => "agreed",
    suspensions: () => [],
    group: () => group,
    roster: () => [own, bad, good].map((join) => ({ join, state: "live" })),
    pendingAdds: () => pending.map((join) => ({ join })),
    pendingRemoves: () => [],
    leafRoster: () => [],
    member: (join: Uint8Array) => ({ keypackage: join }),
  };
  const epochs = {
    view: { context: { groupId: group.id, epoch: 0n } },
    updatedAt: 0,
    async commit({ adds }: { adds: Uint8Array[] }, made: (m: Uint8Array, w: Uint8Array) => Promise<string>, unable: () => void) {
      tried.push(adds.map((a) => a[0]!));
      if (adds.includes(bad)) return unable();
      await made(id(0), id(0));
      pending = pending.filter((p) => !adds.includes(p));
    },
  };
  const work = new GroupWork({
    author: { act: async () => ({ id: "a" }) },
    scope: id(0),
    log: { state },
    epochs,
    join: () => own,
    submit: async () => undefined,
    rejoin: () => expect.unreachable(),
    warn: () => undefined,
    now: () => at,
    wake: () => undefined,
  } as unknown as GroupWorkPorts);
  for (at = 1; at < 4_000; at += 200) {
    work.look(at);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
  expect(tried).toEqual([[2, 3], [2], [3]]);
  expect(pending).toEqual([bad]);
});
