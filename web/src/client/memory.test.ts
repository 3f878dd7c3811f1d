import { expect, test } from "vitest";
import { Verifier } from "../engine/verify";
import { memoryCabinet, type Cabinet } from "../identity/cabinet";
import { openDevice, type Device } from "../identity/device";
import { Memory, type Kept } from "./memory";

const scope = new Uint8Array(32).fill(1);
const side = new Uint8Array(32).fill(2);
const kept = (of = scope): Kept => ({ scope: of, side, state: Uint8Array.of(1, 2, 3), entries: [{ hash: side, head: Uint8Array.of(4), at: 5, sigs: [{ side, sig: new Uint8Array(64) }] }], signed: [{ side, index: 1 }] });
const place = "memory/log/" + "01".repeat(32);
const open = (cabinet: Cabinet, device: Device, build = "b1", verifier = new Verifier()) => new Memory(cabinet, device, verifier, build);

async function remembering(): Promise<{ cabinet: Cabinet; device: Device }> {
  const cabinet = memoryCabinet();
  const device = await openDevice(cabinet);
  await open(cabinet, device).keep(kept());
  return { cabinet, device };
}

test("a log is remembered by the device and the build that checked it", async () => {
  const { cabinet, device } = await remembering();
  expect(await open(cabinet, device).recall(scope, side)).toMatchObject({ scope, entries: kept().entries, signed: kept().signed });
  expect(await open(cabinet, device).recall(scope, new Uint8Array(32))).toBeUndefined();
  expect(await open(cabinet, device, "b2").recall(scope, side)).toBeUndefined();
  expect(await open(cabinet, device, "").recall(scope, side)).toBeUndefined();
  expect(await open(cabinet, await openDevice(memoryCabinet())).recall(scope, side)).toBeUndefined();
});

test("what somebody else wrote into the storage is no memory", async () => {
  const { cabinet, device } = await remembering();
  const [[, record]] = (await cabinet.all<{ body: Uint8Array; signature: Uint8Array }>(place)) as [[string, { body: Uint8Array; signature: Uint8Array }]];
  const altered = { ...record, body: record.body.map((b, i) => (i === record.body.length - 1 ? b ^ 1 : b)) };
  const stranger = await openDevice(memoryCabinet());
  const foreign = { body: record.body, signature: await stranger.sign("parley memory v1", record.body) };
  for (const wrong of [altered, foreign, { body: record.body, signature: new Uint8Array(64) }, { body: "text" }, null, 7]) {
    await cabinet.put(place, wrong);
    expect(await open(cabinet, device).recall(scope, side)).toBeUndefined();
  }
  await cabinet.put(place, record);
  expect(await open(cabinet, device).recall(scope, side)).toBeDefined();
  // A true memory in the place of another log.
  await cabinet.put("memory/log/" + "03".repeat(32), record);
  expect(await open(cabinet, device).recall(new Uint8Array(32).fill(3), side)).toBeUndefined();
});

test("what the node does not serve any more is forgotten", async () => {
  const { cabinet, device } = await remembering();
  const other = new Uint8Array(32).fill(3);
  await open(cabinet, device).keep(kept(other));
  await open(cabinet, device).only([other]);
  expect(await open(cabinet, device).recall(scope, side)).toBeUndefined();
  expect(await open(cabinet, device).recall(other, side)).toBeDefined();
});

test("certificates verified once are not verified again", async () => {
  const cabinet = memoryCabinet();
  const device = await openDevice(cabinet);
  const first = new Verifier();
  first.trust(["ab".repeat(32)]);
  await open(cabinet, device, "b1", first).keep(kept());
  const again = new Verifier();
  await open(cabinet, device, "b1", again).ready();
  expect(again.certificates()).toEqual(["ab".repeat(32)]);
  const updated = new Verifier();
  await open(cabinet, device, "b2", updated).ready();
  expect(updated.certificates()).toEqual([]);
});
