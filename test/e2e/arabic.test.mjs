// The day of a delegation that reads Arabic: from enrolment to the room and out of it by keyboard alone, the officer's pages beside it. Every
// page is looked at in both languages: axe-core, 200 % zoom, no English left over, from right to left.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { focused, look, speak, tab } from "./lib/access.mjs";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { until } from "./lib/eyes.mjs";
import { appoint, sit } from "./lib/hands.mjs";
import { House, qasran, velmark } from "./lib/house.mjs";

const dir = mkdtempSync(join(tmpdir(), "parley-arabic-"));
const slow = 60_000;
const name = "ليلى نصر";
const faults = [];
let v, q, browser, omar, layla, scope;

before(async () => {
  [v, q, browser] = await Promise.all([new House(dir, velmark).found(), new House(dir, qasran).found(), openBrowser("green")]);
  await v.clerk("deputy");
  await Promise.all([v.serve(), q.serve()]);
  omar = await appoint(q, browser, "ar", "q-chief", "عمر زين");
  await v.meet(q);
  await q.meet(v);
  await Promise.all([v.open(), q.open()]);
  let id;
  ({ scope, id } = await v.order({ do: "convene", seats: [["v-native", "adviser"]], theirs: [["q-fm", "adviser"]] }));
  await q.order({ do: "consent", scope, to: id });
}, { timeout: 180_000 });

after(async () => {
  await closeBrowsers();
  await Promise.allSettled([v?.end(), q?.end()]);
  rmSync(dir, { recursive: true, force: true });
}, { timeout: 60_000 });

/** view looks at a page in both languages and leaves it in Arabic. */
async function view(p, page) {
  for (const language of ["en", "ar"]) {
    await speak(p, language);
    p.language = language;
    await p.shot(page, !page.startsWith("room"));
    faults.push(...(await look(p, page, language)));
  }
}

/** shows holds that nothing was found wrong so far. */
function shows() {
  const found = faults.splice(0);
  assert.deepEqual(found, []);
}

test("enrolment and accreditation, by keyboard", { timeout: 120_000 }, async () => {
  layla = await sit(browser, q.web, "ar");
  await layla.page.locator("form").waitFor();
  await view(layla, "day-enrol");
  await layla.page.reload(); // the keyboard begins where a new page begins
  await layla.page.locator("form").waitFor();
  await tab(layla, layla.t("enrol.name"));
  await layla.page.keyboard.type(name);
  await layla.page.keyboard.press("Enter");
  await layla.see(layla.t("enrol.waiting-title"));
  await view(layla, "day-enrol-waiting");

  await tab(omar, omar.t("nav.officer"));
  await omar.page.keyboard.press("Enter");
  await omar.see(name);
  await view(omar, "day-officer-enrolments");
  await tab(omar, `${omar.t("pending.accredit")} ${name}`);
  await omar.page.keyboard.press("Enter");
  await omar.see(omar.t("accredit.compare"));
  await tab(omar, omar.t("accredit.compared"));
  await omar.page.keyboard.press("Space");
  await tab(omar, omar.t("accredit.seat"));
  await omar.page.keyboard.type("q-fm");
  await until("the seat", async () => (await omar.field(omar.t("accredit.person")).inputValue()) === "q-fm", 10_000);
  await tab(omar, omar.t("accredit.office", { language: "العربية" }));
  await omar.page.keyboard.type("وزيرة الخارجية");
  await view(omar, "day-officer-accredit");
  await tab(omar, omar.t("accredit.sign"));
  await omar.page.keyboard.press("Enter");
  await layla.button(layla.t("lobby.enter")).waitFor({ timeout: slow });
  await view(layla, "day-lobby");
  shows();
});

test("into the room and out of it, by keyboard", { timeout: 120_000 }, async () => {
  const { page } = layla;
  await v.order({ do: "native", scope, person: "v-native", number: 3 });
  await tab(layla, layla.t("lobby.enter"));
  await page.keyboard.press("Enter");
  await layla.button(layla.t("holding.enter")).waitFor({ timeout: slow });
  await view(layla, "day-holding");
  await tab(layla, layla.t("holding.enter"));
  await page.keyboard.press("Enter");
  await until("both are in", async () => (await layla.facts()).leaves === 2, slow);
  await layla.see(layla.t("protection.sealed"), slow);
  await view(layla, "room");
  await tab(layla, layla.t("control.roster"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: layla.t("roster.title") }).waitFor();
  await view(layla, "room-roster");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: layla.t("roster.title") }).waitFor({ state: "hidden" });
  await page.evaluate(() => (location.hash = "#/fingerprint"));
  await page.getByRole("heading", { name: layla.t("fingerprint.title") }).waitFor();
  await view(layla, "room-fingerprint");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: layla.t("fingerprint.title") }).waitFor({ state: "hidden" });
  await tab(layla, layla.t("control.leave"));
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await layla.shot("room-leave", false);
  faults.push(...(await look(layla, "room-leave", "ar")));
  await page.keyboard.press("Escape");
  await page.locator("dialog h2").waitFor({ state: "detached" }); // closed, and known to be
  assert.equal((await focused(layla)).label, layla.t("control.leave"), "the focus is where it was");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await tab(layla, layla.t("control.leave"));
  await page.keyboard.press("Enter");
  await layla.button(layla.t("lobby.enter")).waitFor({ timeout: slow });
  assert.equal((await layla.facts()).leaves, 0);
  await page.evaluate(() => (location.hash = "#/link"));
  await layla.see(layla.start("link.state-up"));
  await view(layla, "day-link");
  shows();
});

test("the officer's other pages", { timeout: 120_000 }, async () => {
  for (const [route, what] of [["officer/people", name], ["officer/links", qasran.language === "ar" ? velmark.name.ar : velmark.name.en]]) {
    await omar.page.evaluate((r) => (location.hash = `#/${r}`), route);
    await omar.see(what);
    await view(omar, `day-${route.replace("/", "-")}`);
  }
  await omar.page.evaluate(() => (location.hash = "#/officer/sessions"));
  await omar.button(omar.t("plan.new")).waitFor();
  await view(omar, "day-officer-sessions");
  await tab(omar, omar.t("plan.new"));
  await omar.page.keyboard.press("Enter");
  await omar.see(omar.t("plan.sequencer-hint"));
  await view(omar, "day-officer-plan");
  shows();
  assert.deepEqual([omar, layla].flatMap((p) => p.errors), []);
});
