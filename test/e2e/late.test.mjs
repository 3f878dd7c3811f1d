// What comes late or comes back: a principal who presses nothing, who leaves and returns on the same page, who is away by a fault.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import * as eyes from "./lib/eyes.mjs";
import { colours, flows, hears, media, tile, tones, unsealed, until } from "./lib/eyes.mjs";
import { admit, enter, facts, raise } from "./lib/summit.mjs";

let summit, red, green, elena, layla;
const both = async () => (await Promise.all([elena, layla].filter(Boolean).map(async (p) => `\n ${await media(p.page)}`))).join("");
const sees = (p, person, look) => eyes.sees(p, person, look, 30_000, both);
const listens = (p, look) => until(`the ${look} tone`, async () => hears(await tones(p.page), look), 30_000, both);
const elenaMarsh = "Elena Marsh";
const text = (p) => p.page.evaluate(() => document.body.innerText);
const states = (p, person) => p.page.evaluate((s) => document.querySelector(s)?.innerText ?? "", tile(person));
const row = (p, name) => p.page.evaluate((n) => [...document.querySelectorAll("li")].find((l) => l.querySelector(".name")?.textContent.includes(n) && l.querySelector(".states"))?.innerText ?? "", name);

/** losesAnAnswer runs in the page: the first answer of each of its first two connections cannot be used. It is seen and heard all the same. */
function losesAnAnswer() {
  const take = RTCPeerConnection.prototype.setRemoteDescription;
  const lost = [];
  RTCPeerConnection.prototype.setRemoteDescription = function (d) {
    if (d?.type !== "answer" || lost.includes(this) || lost.length >= 2) return take.call(this, d);
    lost.push(this);
    return Promise.reject(new DOMException("lost by the test", "OperationError"));
  };
}

before(async () => {
  [summit, red, green] = await Promise.all([raise(), openBrowser("red", ["--autoplay-policy=document-user-activation-required"]), openBrowser("green")]);
  layla = await admit(summit, green, 1, "q-fm", { before: losesAnAnswer });
  await enter(layla);
}, { timeout: 120_000 });

after(async () => {
  await closeBrowsers();
  await summit?.end();
});

test("a principal's page opens, proves the microphone and enters: nothing was pressed", { timeout: 120_000 }, async () => {
  const prepared = await admit(summit, red, 0, "v-prin", { lobby: false });
  await until("accredited", () => prepared.page.evaluate(() => document.querySelector("ol.words") === null), 20_000);
  await prepared.page.close();
  // Another page of the device, which nobody touches and no test looks into (that would count as a touch) before the other side sees it.
  const page = await prepared.context.newPage();
  elena = { ...prepared, page };
  await page.goto(summit.web[0]);
  await until("the principal is red", async () => (await colours(layla.page, `${tile("v-prin")} video`)).includes("red"), 40_000);
  await listens(layla, "red");
  await sees(elena, "q-fm", "green");
  await listens(elena, "green");
  assert.equal(await page.locator("footer .controls").isVisible(), false, "there is nothing to find");
});

test("who leaves and enters again on the same page is seen and heard, twice", { timeout: 120_000 }, async () => {
  for (const time of [1, 2]) {
    await layla.page.getByRole("button", { name: "Leave" }).click();
    await layla.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await until(`out ${time}`, async () => (await facts(elena.page)).leaves === 1, 20_000, both);
    await enter(layla);
    await until(`in ${time}`, async () => (await facts(elena.page)).leaves === 2 && (await facts(layla.page)).leaves === 2, 20_000, both);
    await sees(layla, "v-prin", "red");
    await sees(elena, "q-fm", "green");
    await listens(layla, "red");
    await listens(elena, "green");
    for (const p of [elena, layla]) assert.deepEqual(await unsealed(p.page), []);
  }
});

test("a side whose node is away is shown as interrupted, its link as lost, and nobody as gone", { timeout: 120_000 }, async () => {
  await layla.page.getByRole("link", { name: "Roster" }).click();
  await until("connected", async () => /Connected/.test(await row(layla, elenaMarsh)), 20_000, both);
  await layla.page.evaluate((n) => {
    window.__said = new Set();
    const look = () => {
      const li = [...document.querySelectorAll("li")].find((l) => l.querySelector(".name")?.textContent.includes(n) && l.querySelector(".states"));
      window.__said.add(li?.querySelector(".tag")?.innerText.trim() ?? "no row").add(document.querySelector('[data-person="v-prin"]') === null ? "no tile" : "tile");
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  }, elenaMarsh);
  await summit.order({ do: "kill", side: 0 });
  await until("interrupted", async () => /Interrupted/.test(await row(layla, elenaMarsh)) && /Connection interrupted/.test(await states(layla, "v-prin")), 20_000, both);
  await until("the link is lost", async () => /The link to \S+ is lost/.test(await text(layla)), 20_000, both);
  await summit.order({ do: "start", side: 0 });
  await until("the session goes on", async () => {
    if ((await facts(layla.page)).phase === "suspended") await summit.order({ do: "resume", side: 1 }).catch(() => undefined);
    return (await facts(layla.page)).phase === "agreed" && /Connected/.test(await row(layla, elenaMarsh));
  }, 40_000, both);
  await until("frames flow", flows(layla), 30_000, both);
  await until("frames flow", flows(elena), 30_000, both);
  await sees(layla, "v-prin", "red");
  const said = await layla.page.evaluate(() => [...window.__said]);
  assert.deepEqual(said.filter((s) => ["Not here", "no row", "no tile"].includes(s)), [], `${said}`);
});

test("a person whose page is gone is shown as lost, and keeps a place", { timeout: 60_000 }, async () => {
  await elena.context.close();
  await until("lost", async () => /Connection lost/.test(await row(layla, elenaMarsh)) && /Connection lost/.test(await states(layla, "v-prin")), 20_000, () => media(layla.page));
  const said = await layla.page.evaluate(() => [...window.__said]);
  assert.deepEqual(said.filter((s) => ["Not here", "no row", "no tile"].includes(s)), [], `${said}`);
});
