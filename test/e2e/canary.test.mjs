// A canary word behind every picture of a native person, a canary tone, and every frame that a real browser encodes: the far side gets all
// of it, and neither node ever has any of it in memory, on disk, in its log, or on the link. The pieces that are looked for are what
// the browser's own encoder and decoder were given, read beside the seal.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { Cable } from "./lib/cable.mjs";
import { inbound, tones, until } from "./lib/eyes.mjs";
import { sit } from "./lib/hands.mjs";
import { House, qasran, velmark } from "./lib/house.mjs";
import { pieceSize, Search } from "./lib/search.mjs";

const dir = mkdtempSync(join(tmpdir(), "parley-canary-"));
const word = `canary ${randomBytes(16).toString("hex")}`;
const known = `known ${randomBytes(16).toString("hex")}`; // of the log, and so at both nodes
const number = 3; // of the native person: its tone is 1000 + 37 · 3 Hz (internal/synth)
const slow = 60_000;
const cable = new Cable();
let v, q, layla;

before(async () => {
  let green;
  [v, q, green] = await Promise.all([new House(dir, velmark).found(), new House(dir, qasran).found(), openBrowser("green")]);
  for (const house of [v, q]) {
    house.deputy = await house.clerk("deputy");
    await house.serve({ announce: await cable.to(await house.reserve()) });
  }
  await v.meet(q);
  await q.meet(v);
  await Promise.all([v.open(), q.open()]);
  const { scope, id } = await v.order({ do: "convene", seats: [["v-native", "adviser"]], theirs: [["q-fm", "adviser"]] });
  await q.order({ do: "consent", scope, to: id });
  layla = await sit(green, q.web, "ar");
  await layla.write(layla.t("enrol.name"), "ليلى نصر");
  await layla.press(layla.t("enrol.send"));
  await q.accredit("q-fm", { words: await layla.words(), name: { ar: "ليلى نصر" }, office: { ar: "وزيرة الخارجية", en: known } });
  await layla.press(layla.t("lobby.enter"));
  await layla.press(layla.t("holding.enter"));
  await until("the room", async () => (await layla.facts()).leaves > 0, slow);
  const seal = await until("the seal's worker", () => layla.page.workers().find((w) => w.url().includes("seal.worker")) ?? false);
  await seal.evaluate(besideTheSeal, { word, size: pieceSize });
  layla.seal = seal;
  await v.order({ do: "native", scope, person: "v-native", number, canary: word });
}, { timeout: 180_000 });

after(async () => {
  await closeBrowsers();
  await Promise.allSettled([v?.end(), q?.end()]);
  cable.close();
  rmSync(dir, { recursive: true, force: true });
}, { timeout: 60_000 });

test("the far side gets picture, word and tone, both ways", { timeout: 120_000 }, async () => {
  await until("the word is opened in the browser", async () => (await taken()).words > 30, slow, async () => JSON.stringify([await layla.facts(), await v.order({ do: "senses", person: "v-native" })]));
  await until("the picture decodes", async () => (await inbound(layla.page)).some((s) => s.kind === "video" && s.frames > 15), slow);
  await until("the tone is heard", async () => (await tones(layla.page)).some((t) => t.decibels > -70 && Math.abs(t.hertz - (1000 + 37 * number)) < 12), slow);
  await until("the native person opens what the browser encoded", async () => {
    const { sees } = await v.order({ do: "senses", person: "v-native" });
    return ["camera", "microphone"].every((source) => sees?.some((s) => s.person === "q-fm" && s.source === source && s.opened > 15));
  }, slow);
});

test("no node has any of it, in memory, on disk, in a log or on the link", { timeout: 120_000 }, async () => {
  const { pieces } = await taken();
  const content = new Search();
  const title = new Search();
  content.add("the word", Buffer.from(word));
  for (const [name, bytes] of pieces) content.add(name, Buffer.from(bytes, "base64"));
  title.add("known", Buffer.from(known));
  for (const name of ["opened video", "opened audio", "encoded video", "encoded audio"]) assert.ok(pieces.filter(([n]) => n === name).length > 20, `${name}: ${pieces.filter(([n]) => n === name).length} pieces`);
  const found = {};
  for (const house of [v, q]) {
    const control = { memory: {}, files: {} };
    const bytes = content.memory(house.pid, found);
    title.memory(house.pid, control.memory);
    const names = content.files(house.data, found);
    title.files(house.data, control.files);
    assert.ok(control.memory.known > 0, `the search finds what is in ${bytes} bytes of memory of ${house.side.id}`);
    assert.ok(control.files.known > 0, `the search finds what is in the files of ${house.side.id}: ${names}`);
    console.log(`  measured: ${house.side.id}: ${bytes >> 20} MiB of memory and ${names.length} files, ${content.size} pieces`);
  }
  const link = cable.bytes();
  content.scan(link, found);
  title.scan(link, found); // what the log says is nobody's on the wire either
  assert.ok(link.length > 200_000, `${link.length} bytes went over the link`);
  assert.deepEqual(found, {});
  // Where content must be, it is found: the native person's own process.
  const there = {};
  content.memory(v.desk.pid, there);
  assert.ok(there["the word"] > 0 && there["opened audio"] > 0, JSON.stringify(there));
});

const taken = () => layla.seal.evaluate(() => globalThis.beside);

/**
 * besideTheSeal runs in the worker that seals and opens: what a frame holds before it is sealed, or after it was opened, is content. A
 * sealed frame is longer than what is in it.
 */
function besideTheSeal({ word, size }) {
  const most = 150; // pieces of a kind
  const look = new TextEncoder().encode(word);
  const beside = { words: 0, pieces: [] };
  globalThis.beside = beside;
  const counts = {};
  const keep = (name, bytes) => {
    for (const at of [bytes.length >> 1, bytes.length - size]) {
      if (at < 12 || at + size > bytes.length || (counts[name] ?? 0) >= most) continue;
      counts[name] = (counts[name] ?? 0) + 1;
      beside.pieces.push([name, btoa(String.fromCharCode(...bytes.subarray(at, at + size)))]);
    }
  };
  for (const [kind, prototype] of [["video", RTCEncodedVideoFrame.prototype], ["audio", RTCEncodedAudioFrame.prototype]]) {
    const data = Object.getOwnPropertyDescriptor(prototype, "data");
    Object.defineProperty(prototype, "data", {
      ...data,
      set(to) {
        const before = new Uint8Array(data.get.call(this));
        const after = new Uint8Array(to);
        if (after.length > before.length) keep(`encoded ${kind}`, before);
        else {
          const tail = after.subarray(-look.length);
          const canary = tail.length === look.length && tail.every((x, i) => x === look[i]);
          if (canary) beside.words++;
          keep(`opened ${kind}`, canary ? after.subarray(0, -look.length) : after);
        }
        data.set.call(this, to);
      },
    });
  }
}
