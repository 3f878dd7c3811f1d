// Devices that are refused, missing, changed and unplugged: the person is in the room all the same, hears and sees, is told what is lost,
// who hears what and what to do, and goes on without a reload and without joining anew.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bench, camera, microphone, opened, plug, unplug } from "./lib/bench.mjs";
import { closeBrowsers, openBrowser, openPerson, permit } from "./lib/browser.mjs";
import * as eyes from "./lib/eyes.mjs";
import { hears, inbound, media, tile, tones, until } from "./lib/eyes.mjs";
import { admit, enrolled, enter, facts, raise } from "./lib/summit.mjs";

let summit, green, asked, layla, tomas, ingrid;
const all = async () => (await Promise.all([tomas, layla, ingrid].filter(Boolean).map(async (p) => `\n ${await media(p.page)}`))).join("");
const text = ({ page }) => page.evaluate(() => document.body.innerText);
const says = (p, words) => until(words, async () => (await text(p)).includes(words), 20_000, all);
const sees = (p, person, look) => eyes.sees(p, person, look, 20_000, all);
const states = (p, person) => p.page.locator(tile(person)).first().innerText();
const atTone = (heard, hertz) => heard.some((t) => t.decibels > -70 && Math.abs(t.hertz - hertz) < 12);
const listens = (p, hertz, want = true) => until(`${hertz} Hz ${want}`, async () => atTone(await tones(p.page), hertz) === want, 20_000, all);

before(async () => {
  [summit, green, asked] = await Promise.all([raise(), openBrowser("green"), openBrowser("red", [], { asks: true })]);
  layla = await admit(summit, green, 1, "q-fm");
  await enter(layla);
}, { timeout: 120_000 });

after(async () => {
  await closeBrowsers();
  await summit?.end();
});

test("who refuses both devices is told so, enters, sees and hears; what is allowed later works at once", { timeout: 120_000 }, async () => {
  tomas = await openPerson(asked, summit.web[0]);
  for (const name of ["camera", "microphone"]) await permit(asked, tomas, name, "denied");
  await enrolled(summit, tomas, 0, "v-fm");
  await tomas.page.locator("section.next button").first().click();
  await says(tomas, "The browser does not let Parley use the microphone.");
  await says(tomas, "The browser does not let Parley use the camera.");
  await says(tomas, "Allow the microphone in the browser’s address bar");
  await tomas.page.locator(".enter button.primary").click();
  await until("the room", async () => (await facts(tomas.page)).leaves === 2, 20_000, all);
  for (const words of ["You are not heard", "Nobody hears you. You hear everyone.", "Ask the browser again", "does not let Parley use the camera"]) await says(tomas, words);
  await sees(tomas, "q-fm", "green");
  await until("the green tone", async () => hears(await tones(tomas.page), "green"), 20_000, all);
  await until("no microphone is announced", async () => /No microphone/.test(await states(layla, "v-fm")) && /No camera/.test(await states(layla, "v-fm")), 20_000, all);
  const { epoch } = await facts(tomas.page);
  await permit(asked, tomas, "microphone", "granted");
  await until("the red tone", async () => hears(await tones(layla.page), "red"), 20_000, all);
  await permit(asked, tomas, "camera", "granted");
  await sees(layla, "v-fm", "red");
  await until("nothing is missed", async () => !/You are not heard|does not let Parley/.test(await text(tomas)), 20_000, all);
  await permit(asked, tomas, "camera", "denied");
  await says(tomas, "The browser does not let Parley use the camera.");
  await until("the far side sees no picture", async () => /No camera/.test(await states(layla, "v-fm")), 20_000, all);
  await permit(asked, tomas, "camera", "granted");
  await sees(layla, "v-fm", "red");
  assert.equal((await facts(tomas.page)).epoch, epoch, "nobody joined anew");
});

test("without any device a person takes part, and is seen and heard as soon as one is plugged in", { timeout: 120_000 }, async () => {
  ingrid = await admit(summit, green, 0, "v-adv", { before: bench });
  await ingrid.page.locator("section.next button").first().click();
  await says(ingrid, "The microphone is gone: unplugged, or taken by another program.");
  await ingrid.page.locator(".enter button.primary").click();
  await until("the room", async () => (await facts(ingrid.page)).leaves === 3, 20_000, all);
  await until("two pictures", async () => (await inbound(ingrid.page)).filter((s) => s.kind === "video" && s.frames > 5).length === 2, 20_000, all);
  await says(ingrid, "You are not heard");
  await plug(ingrid, camera("camera one", "#2040d0"), microphone("microphone one", 880));
  await sees(layla, "v-adv", "blue");
  await listens(layla, 880);
  await until("nothing is missed", async () => !/You are not heard/.test(await text(ingrid)), 20_000, all);
});

test("a person is kept on the stage, and let go", { timeout: 60_000 }, async () => {
  const kept = async () => (await layla.page.locator("#stage .large [data-person]").getAttribute("data-person")) === "v-adv";
  if (await kept()) await layla.page.getByTitle(/^Keep Tomas Reed/).click();
  await layla.page.getByTitle(/^Keep Ingrid Sorel/).click();
  await until("on the stage", kept, 20_000, all);
  await layla.page.getByTitle("Let the stage follow the speaker").click();
  await until("nobody is kept", async () => (await layla.page.getByTitle("Let the stage follow the speaker").count()) === 0, 20_000, all);
});

test("another camera and another microphone are seen and heard without joining anew", { timeout: 120_000 }, async () => {
  const { epoch } = await facts(ingrid.page);
  await plug(ingrid, camera("camera two", "#c02020"), microphone("microphone two", 1200));
  await ingrid.page.getByRole("button", { name: "Devices" }).click();
  await ingrid.page.getByLabel("Choose the camera").selectOption("camera two");
  await sees(layla, "v-adv", "red");
  await ingrid.page.getByLabel("Choose the microphone").selectOption("microphone two");
  await listens(layla, 1200);
  await listens(layla, 880, false);
  await ingrid.page.getByRole("button", { name: "Close", exact: true }).click();
  assert.equal((await facts(ingrid.page)).epoch, epoch);
  for (const id of ["camera one", "microphone one"]) assert.equal(await opened(ingrid, id), 0, `${id} is let go`);
});

test("unplugged in mid-call, a device is missed on both sides, and goes on when it is plugged in again", { timeout: 120_000 }, async () => {
  const { epoch } = await facts(ingrid.page);
  await unplug(ingrid, "microphone two");
  await says(ingrid, "You are not heard");
  await says(ingrid, "Plug it in again, or choose another microphone.");
  await until("the far side is told", async () => /Muted/.test(await states(layla, "v-adv")), 20_000, all);
  await listens(layla, 1200, false);
  await unplug(ingrid, "camera two");
  await says(ingrid, "The camera is gone");
  await until("the far side sees no picture", async () => /No camera/.test(await states(layla, "v-adv")), 20_000, all);
  await plug(ingrid, microphone("microphone two", 1200));
  await listens(layla, 1200);
  await until("the far side is told", async () => !/Muted/.test(await states(layla, "v-adv")), 20_000, all);
  await plug(ingrid, camera("camera two", "#c02020"));
  await sees(layla, "v-adv", "red");
  await until("nothing is missed", async () => !/You are not heard|is gone/.test(await text(ingrid)), 20_000, all);
  assert.equal((await facts(ingrid.page)).epoch, epoch, "nobody joined anew");
});

test("what a person muted or closed stays so, whatever is plugged", { timeout: 120_000 }, async () => {
  await ingrid.page.getByRole("button", { name: "Mute", exact: true }).click();
  await ingrid.page.getByRole("button", { name: "Camera off" }).click();
  await listens(layla, 1200, false);
  await unplug(ingrid, "microphone two", "camera two");
  await plug(ingrid, microphone("microphone two", 1200), camera("camera two", "#c02020"));
  await until("the microphone is there again", async () => (await opened(ingrid, "microphone two")) === 1, 20_000, all);
  await says(ingrid, "You are muted");
  assert.equal(await opened(ingrid, "camera two"), 0, "the camera stays closed");
  assert.ok(!atTone(await tones(layla.page), 1200));
  for (const p of [tomas, layla, ingrid]) assert.deepEqual(p.errors.filter((e) => !/Permissions-Policy/.test(e)), []);
});
