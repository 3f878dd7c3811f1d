// A person's hands: what is done to a page with mouse and keyboard, and what is read off it. Controls are found by what they are called.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openPerson } from "./browser.mjs";
import { until } from "./eyes.mjs";
import { problemText, translator } from "./words.mjs";

const folder = process.env.PARLEY_E2E_SHOTS;

/** sit opens a page for somebody who reads a language. What comes back knows the page's words in it. */
export async function sit(browser, url, language) {
  const person = await openPerson(browser, url, { language });
  await person.page.setViewportSize({ width: 1366, height: 768 });
  return new Hands(person, language);
}

/** appoint has a browser's device certified, by the key and the words that it shows. */
export async function appoint(house, browser, language, id, name) {
  const p = await sit(browser, house.web, language);
  await p.page.getByText(p.t("enrol.officer-key")).click();
  const device = await p.page.locator("code.key").textContent();
  await house.certify(device, await p.words(), id, name);
  await p.page.getByRole("link", { name: p.t("nav.officer"), exact: true }).waitFor({ timeout: 60_000 });
  return p;
}

export class Hands {
  constructor(person, language) {
    Object.assign(this, person);
    this.language = language;
    this.t = translator(language);
  }

  /** problem is a failure's first sentence, as the page says it. */
  problem(code, params) {
    return problemText({ code, params }, this.language).what;
  }

  /** start is a sentence up to what is filled in, which stands between marks of direction. */
  start(key) {
    return this.t(key, new Proxy({}, { get: () => "", has: () => true })).split(/[\u2066-\u2069]/)[0].trim();
  }

  button(name, within = this.page) {
    return within.getByRole("button", { name, exact: true });
  }

  press(name, within) {
    return this.button(name, within).click();
  }

  /** office goes to one of the officer's pages: officer.enrolments, .people, .links, .sessions. */
  async office(key) {
    if (!/#\/officer/.test(this.page.url())) await this.page.getByRole("link", { name: this.t("nav.officer"), exact: true }).click();
    // The number of things that wait stands behind the name.
    const pages = this.page.getByRole("navigation", { name: this.t("officer.sections") });
    await pages.getByRole("link", { name: this.t(key) }).click();
  }

  /** field is a field by its name. */
  field(name, within = this.page) {
    return within.getByLabel(name, { exact: true });
  }

  /** write types over what a field holds. */
  async write(name, text, within) {
    const field = this.field(name, within);
    await field.click();
    await this.page.keyboard.press("ControlOrMeta+a");
    if (text === "") await this.page.keyboard.press("Delete");
    else if (text.length > 100) await this.page.keyboard.insertText(text); // pasted
    else await this.page.keyboard.type(text);
  }

  /** choose takes an option of a list by its text, with the keyboard: the list moves to what is typed. */
  async choose(name, option, within) {
    const field = this.field(name, within);
    await field.focus();
    await this.page.keyboard.type(option);
    await until(`${option} is chosen`, async () => (await field.evaluate((s) => s.selectedOptions[0]?.textContent)) === option, 5_000);
  }

  /** see waits for a text on the page. */
  see(text, timeout = 20_000) {
    return this.page.getByText(text).first().waitFor({ timeout });
  }

  text() {
    return this.page.evaluate(() => document.body.innerText);
  }

  /** words are the six on this page's screen. */
  words(within = this.page) {
    return until("six words", async () => {
      const all = await within.locator("ol.words li").allTextContents();
      return all.length >= 6 && all.slice(0, 6).map((w) => w.replace(/^\d+/, "").trim()).join(" ");
    });
  }

  facts() {
    return this.page.evaluate(() => window.parley.facts());
  }

  /** shot keeps a picture of the page where PARLEY_E2E_SHOTS says. */
  async shot(name, fullPage = true) {
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await this.page.evaluate(() => document.fonts.ready);
    await this.page.screenshot({ path: join(folder, `${name}.${this.language}.png`), fullPage });
  }
}
