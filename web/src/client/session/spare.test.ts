import { expect, test, vi } from "vitest";
import { leafIdentity, Spare } from "./spare";

const one = leafIdentity(new Uint8Array(32), new Uint8Array(32), "a", new Uint8Array(32));
const other = leafIdentity(new Uint8Array(32).fill(1), new Uint8Array(32), "a", new Uint8Array(32));

function spare() {
  let member = 0;
  const asked: string[] = [];
  const refuse = { next: false };
  const ask = vi.fn(async (op: string, args: { handle?: number }) => {
    asked.push(op === "close" ? `close ${args.handle}` : op);
    if (refuse.next) throw ((refuse.next = false), new Error("no"));
    return op === "close" ? null : { member: ++member };
  });
  return { spare: new Spare({ ask } as never), asked, refuse };
}

test("a member that was made before is given once", async () => {
  const { spare: s, asked } = spare();
  s.make(one, 0);
  s.make(one, 1_000);
  expect(await s.take(one, 2_000)).toEqual({ member: 1 });
  expect(asked).toEqual(["make-member"]);
  expect(await s.take(one, 3_000)).toEqual({ member: 2 }); // its init key may open one Welcome only
});

test("one of another session is never given, and an old one neither", async () => {
  const { spare: s, asked } = spare();
  s.make(one, 0);
  expect(await s.take(other, 0)).toEqual({ member: 2 });
  expect(await s.take(one, 600_000)).toEqual({ member: 3 });
  s.make(other, 0);
  await vi.waitFor(() => expect(asked.at(-1)).toBe("close 1")); // what nobody will use is forgotten
});

test("one that could not be made is asked for again", async () => {
  const { spare: s, refuse } = spare();
  refuse.next = true;
  s.make(one, 0);
  expect(await s.take(one, 0)).toEqual({ member: 1 });
});
