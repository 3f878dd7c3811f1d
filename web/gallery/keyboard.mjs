// node gallery/keyboard.mjs: by keyboard alone. Every control of a screen is reached by Tab and shows that it has the focus; a dialog
// opened by Enter is left by Escape and gives the focus back; a principal meets nothing to press but the technician's drawer.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { browserArgs, serveGallery } from './serve.mjs';

const gallery = await serveGallery();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: browserArgs });
try {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  const open = async (screen, language = 'en') => {
    await page.goto('about:blank');
    await page.goto(gallery.url(screen, language));
    await page.waitForSelector('main');
  };
  const focused = () =>
    page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const label = (e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent || '').trim();
      return { tag: e.tagName.toLowerCase(), label, outlined: style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2 };
    });
  const walk = async (most) => {
    const seen = [];
    for (let i = 0; i < most; i++) {
      await page.keyboard.press('Tab');
      const now = await focused();
      if (now.tag === 'body') break;
      assert.ok(now.outlined, `${now.tag} "${now.label}" does not show the focus`);
      seen.push(now.label);
    }
    return seen;
  };

  await open('room-stage');
  const room = await walk(40);
  for (const control of ['Mute', 'Camera off', 'Show screen', 'View', 'Devices', 'Roster', 'Leave']) assert.ok(room.includes(control), `${control} is not reached: ${room}`);

  await open('room-principal');
  assert.deepEqual(await walk(20), ['Skip to the content', 'For the technician']);

  await open('room-stage');
  await page.getByRole('button', { name: 'Leave' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal((await focused()).label, 'Stay');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal((await focused()).label, 'Leave');

  await page.getByRole('link', { name: 'Roster' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Roster' }).waitFor();
  assert.equal((await focused()).label, 'Roster');
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Roster' }).waitFor({ state: 'hidden' });
  assert.ok(['main', 'a'].includes((await focused()).tag));

  // The accreditation form: what is missing is named, and the focus goes to the first of it.
  await open('officer-accredit');
  await page.getByRole('button', { name: 'Sign the accreditation' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Compare the words in person first.').waitFor();
  assert.match((await focused()).label, /^I compared all six words/);

  for (const screen of ['holding', 'lobby', 'officer-links', 'officer-plan', 'enrol-ask']) {
    await open(screen, 'ar');
    assert.ok((await walk(60)).length > 2, screen);
  }
  console.log('keyboard: every screen can be worked without a mouse');
} finally {
  await browser.close();
  await gallery.close();
}
