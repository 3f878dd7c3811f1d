// Whether a page can be used by everybody: with the keyboard alone, by a screen reader's rules (axe-core), at 200 % zoom, in one's language.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { until } from "./eyes.mjs";

const require = createRequire(fileURLToPath(new URL("../../../web/package.json", import.meta.url)));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** tab goes on with Tab until what is called name has the focus, and holds that every stop on the way shows the focus. */
export async function tab(p, name, most = 80) {
  const seen = [];
  for (let i = 0; i < most; i++) {
    await p.page.keyboard.press("Tab");
    const now = await focused(p);
    if (now.tag === "body") continue; // past the last control, the browser's own
    assert.ok(now.outlined, `${now.tag} “${now.label}” does not show the focus`);
    if (now.label.replaceAll(" ", "") === name.replaceAll(" ", "")) return now;
    seen.push(now.label);
  }
  throw new Error(`“${name}” is not reached: ${JSON.stringify([...new Set(seen)])}`);
}

/** focused is what has the focus, and whether it can be seen. */
export function focused(p) {
  return p.page.evaluate(() => {
    const e = document.activeElement;
    const style = getComputedStyle(e);
    const label = (e.labels?.[0]?.textContent || e.getAttribute("aria-label") || e.textContent || "").replace(/\s+/g, " ").trim();
    return { tag: e.tagName.toLowerCase(), label, outlined: style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2 };
  });
}

/** speak changes the page's language. The room has no choice of language: it is made on the page beside it. */
export async function speak(p, language) {
  if ((await p.page.evaluate(() => document.documentElement.lang)) === language) return;
  const choice = p.page.locator("header select").filter({ has: p.page.locator("option[value=ar]") });
  const hash = await p.page.evaluate(() => location.hash);
  const away = (await choice.count()) === 0;
  if (away) await p.page.evaluate(() => (location.hash = "#/link"));
  await choice.selectOption(language);
  if (away) await p.page.evaluate((h) => (location.hash = h), hash);
  await until("the language", () => p.page.evaluate((l) => document.documentElement.lang === l, language), 10_000);
}

/** look finds what is wrong with the page as it stands: by axe, by its width at 200 % of a 1366-pixel screen, by its language. */
export async function look(p, name, language) {
  await p.page.evaluate(axe); // through the debugger, which no policy binds
  const faults = await p.page.evaluate(async (values) => {
    const { violations } = await window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary?.split("\n").slice(1).join("; ")}`));
  }, tags);
  if (language === "ar") faults.push(...(await foreign(p)));
  await p.page.setViewportSize({ width: 683, height: 384 });
  const wide = await until("the page is laid out", () => p.page.evaluate(() => innerWidth === 683 && { by: document.documentElement.scrollWidth - document.documentElement.clientWidth }), 10_000);
  await p.page.setViewportSize({ width: 1366, height: 768 });
  if (wide.by > 0) faults.push(`${wide.by} px wider than the window at 200 %`);
  return faults.map((f) => `${name} ${language}: ${f}`);
}

/**
 * foreign finds words in Latin letters on a page in Arabic that are nowhere marked as another language's or as nobody's (short names,
 * keys, words to be compared), and a page that does not run from the right.
 */
function foreign(p) {
  return p.page.evaluate(() => {
    const faults = [];
    if (document.documentElement.dir !== "rtl") faults.push("the page does not run from the right");
    const marked = "[lang]:not([lang=ar]):not(html), .latin, code, [translate=no], select, script, noscript, style, input, textarea";
    // What is filled into a sentence stands between marks of direction; a time, a cipher suite and a command are called what they are.
    const known = /\u2068[^\u2069]*\u2069|«parley [a-z -]+»|\b(UTC|X-Wing)\b/g;
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = walk.nextNode(); n !== null; n = walk.nextNode()) {
      if (n.parentElement.closest(marked) === null && /[A-Za-z]{2,}/.test(n.data.replace(known, ""))) faults.push(`not Arabic: “${n.data.trim()}”`);
    }
    for (const e of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
      for (const a of ["aria-label", "title", "placeholder", "alt"]) {
        const text = e.getAttribute(a) ?? "";
        if (/[A-Za-z]{2,}/.test(text.replace(known, ""))) faults.push(`not Arabic: ${a} “${text}”`);
      }
    }
    for (const o of document.querySelectorAll("option:not([lang])")) {
      if (/[A-Za-z]{3,}/.test(o.textContent) && !/fake|default/i.test(o.textContent)) faults.push(`not Arabic: option “${o.textContent}”`); // a device is called what its maker calls it
    }
    if (/[A-Za-z]{2,}/.test(document.title)) faults.push(`not Arabic: title “${document.title}”`);
    return faults;
  });
}
