// node gallery/axe.mjs [screen,screen] [language,language]: axe-core over every screen of the gallery, one page at a time.
// Fails on any violation, on anything that the Content-Security-Policy refused, and on a page that is wider than its window.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { screens } from './screens.mjs';
import { browserArgs, serveGallery } from './serve.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [which, languages = 'en,ar'] = process.argv.slice(2);
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const gallery = await serveGallery();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: browserArgs });
const faults = [];
let looked = 0;
try {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${page.url()} ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`${page.url()} ${error}`));
  for (const screen of which ? which.split(',') : await screens()) {
    for (const language of languages.split(',')) {
      await page.goto(gallery.url(screen, language));
      await page.waitForSelector('main');
      await page.waitForTimeout(150);
      await page.evaluate(axe); // through the debugger, which no policy binds
      const result = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] }), tags);
      for (const violation of result.violations) {
        for (const node of violation.nodes) faults.push(`${screen} ${language} ${violation.id}: ${node.target.join(' ')}: ${node.failureSummary?.split('\n').slice(1).join('; ')}`);
      }
      looked++;
    }
    // 200 % zoom of a 1366-pixel window, and 320 CSS pixels (WCAG 1.4.10): nothing is cut off sideways.
    for (const width of [683, 320]) {
      await page.setViewportSize({ width, height: 640 });
      await page.waitForTimeout(60);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) faults.push(`${screen} at ${width}: ${wide} px wider than the window`);
    }
    await page.setViewportSize({ width: 1366, height: 768 });
  }
} finally {
  await browser.close();
  await gallery.close();
}
for (const fault of faults) console.error(fault);
console.log(`${looked} pages looked at, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
