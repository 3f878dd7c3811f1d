import { expect, test } from "vitest";
import { memoryCabinet } from "../../identity/cabinet";
import { Pins } from "./pins";

const id = (n: number) => new Uint8Array(32).fill(n);

test("the own side is pinned with the first accreditation, not before", async () => {
  const p = new Pins(memoryCabinet());
  await p.own(id(1), false);
  await p.own(id(2), true);
  await p.own(id(2), true);
  await expect(p.own(id(3), true)).rejects.toMatchObject({ code: "link-swapped-key" });
  await expect(p.own(id(3), false)).rejects.toMatchObject({ code: "link-swapped-key" });
});

test("a known name over another key is an alarm", async () => {
  const p = new Pins(memoryCabinet());
  await p.peers([{ id: id(1), name: { en: "Velmark" } }, { id: id(2), name: { en: "Qasran", ar: "قصران" } }], 1);
  await p.peers([{ id: id(2), name: { en: "Qasran" } }], 2);
  await expect(p.peers([{ id: id(9), name: { fr: "QASRAN " } }], 3)).rejects.toMatchObject({ code: "link-swapped-key" });
  await p.accept({ id: id(9), name: { en: "Qasran" } }, 4);
  await p.peers([{ id: id(9), name: { en: "Qasran" } }], 5);
  await expect(p.peers([{ id: id(2), name: { en: "Qasran" } }], 6)).rejects.toMatchObject({ code: "link-swapped-key" });
});
