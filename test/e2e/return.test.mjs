// A node dies at once and comes back: its people return by themselves, the other side's people keep theirs. And a reload goes
// straight back into the room.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { flows, media, until } from "./lib/eyes.mjs";
import { admit, enter, facts, raise } from "./lib/summit.mjs";

let summit, tomas, layla;
const both = async () => `\n red: ${await media(tomas.page)}\n green: ${await media(layla.page)}`;

before(async () => {
  const [s, red, green] = await Promise.all([raise(), openBrowser("red"), openBrowser("green")]);
  summit = s;
  tomas = await admit(summit, red, 0, "v-fm");
  layla = await admit(summit, green, 1, "q-fm");
  await enter(tomas);
  await enter(layla);
  await until("frames", flows(tomas), 30_000, both);
  await until("frames", flows(layla), 30_000, both);
}, { timeout: 180_000 });

after(async () => {
  await closeBrowsers();
  await summit?.end();
});

test("after a reload the person is back in the room without a click", { timeout: 60_000 }, async () => {
  const before = (await facts(layla.page)).next;
  await layla.page.reload();
  await until("frames again", flows(layla), 30_000, both);
  await until("the other side sees the new device too", flows(tomas), 30_000, both);
  assert.ok((await facts(layla.page)).next > before, "the rejoin is in the log");
});

test("a killed node's people return, and the other side's stay", { timeout: 120_000 }, async () => {
  await summit.order({ do: "kill", side: 1 });
  await until("the loss is seen", async () => (await facts(layla.page)).socket !== "open", 10_000, both);
  assert.equal((await facts(tomas.page)).socket, "open");
  await summit.order({ do: "start", side: 1 });
  await until("the socket", async () => (await facts(layla.page)).socket === "open", 10_000, both);
  await until("the session goes on", async () => {
    if ((await facts(tomas.page)).phase === "suspended") await summit.order({ do: "resume", side: 0 }).catch(() => undefined);
    return (await facts(tomas.page)).phase === "agreed" && (await facts(layla.page)).phase === "agreed";
  }, 30_000, both);
  await until("frames at the returned", flows(layla), 30_000, both);
  await until("frames at the stayed", flows(tomas), 30_000, both);
});
