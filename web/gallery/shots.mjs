// node gallery/shots.mjs OUT [screen,screen] [language,language] [1366x768,834x1112]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { screens } from './screens.mjs';
import { browserArgs, serveGallery } from './serve.mjs';

const [out = 'shots', which, languages = 'en,ar', sizes = '1366x768'] = process.argv.slice(2);
await mkdir(out, { recursive: true });
const gallery = await serveGallery();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: browserArgs });
let refused = 0;
try {
  for (const size of sizes.split(',')) {
    const [width, height] = size.split('x').map(Number);
    const page = await browser.newPage({ viewport: { width, height } });
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(page.url(), message.text(), ++refused);
    });
    page.on('pageerror', (error) => console.error(page.url(), String(error), ++refused));
    for (const screen of which ? which.split(',') : await screens()) {
      for (const language of languages.split(',')) {
        await page.goto(gallery.url(screen, language));
        await page.waitForSelector('main');
        await page.evaluate(() => document.fonts.ready);
        await page.waitForTimeout(350);
        const room = screen.startsWith('room');
        await page.screenshot({ path: join(out, `${screen}.${language}.${size}.png`), fullPage: !room });
      }
    }
    await page.close();
  }
} finally {
  await browser.close();
  await gallery.close();
}
process.exitCode = refused === 0 ? 0 : 1;
