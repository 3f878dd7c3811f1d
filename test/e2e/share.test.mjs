// A screen is shown to the other side: announced, sealed, decoded there, and gone when its owner stops. The shared surface is the
// page's own tab, which is the one that a browser without a desktop can capture for real.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { inbound, media, unsealed, until } from "./lib/eyes.mjs";
import { admit, enter, facts, raise } from "./lib/summit.mjs";

let summit, tomas, layla;
const both = async () => `\n red: ${await media(tomas.page)}\n green: ${await media(layla.page)}`;
const pictures = async () => (await inbound(layla.page)).filter((s) => s.kind === "video");

before(async () => {
  const [s, red, green] = await Promise.all([raise(), openBrowser("red", ["--use-fake-device-for-media-stream=display-media-type=browser"]), openBrowser("green")]);
  summit = s;
  tomas = await admit(summit, red, 0, "v-fm");
  layla = await admit(summit, green, 1, "q-fm");
  await enter(tomas);
  await enter(layla);
  await until("the camera decodes", async () => (await pictures()).some((p) => p.frames > 10), 30_000, both);
}, { timeout: 180_000 });

after(async () => {
  await closeBrowsers();
  await summit?.end();
});

test("a shown screen arrives at the other side, sealed", { timeout: 90_000 }, async () => {
  const before = (await facts(layla.page)).next;
  await tomas.page.getByRole("button", { name: "Show screen" }).click({ timeout: 10_000 });
  await until("a second picture decodes", async () => (await pictures()).filter((p) => p.frames > 3).length === 2, 30_000, both);
  assert.ok((await facts(layla.page)).next > before, "it is announced in the log");
  assert.deepEqual(await unsealed(tomas.page), []);
  assert.deepEqual(await unsealed(layla.page), []);
});

test("who stops showing is seen to stop", { timeout: 60_000 }, async () => {
  await tomas.page.getByRole("button", { name: "Stop showing" }).click({ timeout: 10_000 });
  const count = async () => layla.page.evaluate(() => [...document.querySelectorAll("video")].filter((v) => v.srcObject?.active && v.videoWidth > 0).length);
  await until("one picture and one's own", async () => (await count()) <= 2, 15_000, both);
});
