// Chromium for the tests: one browser per look (fake devices are a browser's, not a page's), a context per participant.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { fakeMedia } from "./media.mjs";

const require = createRequire(fileURLToPath(new URL("../../../web/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

const flags = [
  "--no-sandbox",
  "--use-fake-device-for-media-stream",
  "--disable-background-networking",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  "--mute-audio",
];

/** Says yes to every question for a device. */
const yes = "--use-fake-ui-for-media-stream";

/** openBrowser starts Chromium whose camera and microphone are a look's. asks: what may be used is what the test permits (permit). at: a host. */
export async function openBrowser(look, more = [], { asks = false, at } = {}) {
  const chromiumAt = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath: at === undefined ? chromiumAt : at.launcher(chromiumAt), args: [...flags, ...(asks ? [] : [yes]), ...fakeMedia(look), ...more] });
  open.add(browser);
  return browser;
}

const open = new Set();

/** closeBrowsers ends every browser of this test file, those of a set-up that failed half-way included. */
export async function closeBrowsers() {
  await Promise.all([...open].map((b) => b.close().catch(() => undefined)));
  open.clear();
}

/**
 * openPerson opens a page for one participant in a context of its own. What the page writes to its console is collected; a page
 * error fails the test that looks at `person.errors`.
 */
export async function openPerson(browser, url, { language = "en", before } = {}) {
  const context = await browser.newContext({ locale: language, viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true });
  await context.addInitScript(keepPeers);
  if (before !== undefined) await context.addInitScript(before);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (e) => errors.push(String(e)));
  page.on("console", (m) => (m.type() === "error" || m.type() === "warning") && errors.push(m.text()));
  await page.goto(url);
  return { page, context, errors, close: () => context.close() };
}

/** permit sets what the browser's own bar says of a device ("camera", "microphone"): "granted" or "denied". It holds as long as the browser. */
export async function permit(browser, { page, context }, name, setting) {
  if (!permits.has(browser)) permits.set(browser, await browser.newBrowserCDPSession());
  const one = await context.newCDPSession(page);
  const { targetInfo } = await one.send("Target.getTargetInfo");
  await permits.get(browser).send("Browser.setPermission", { permission: { name }, setting, origin: new URL(page.url()).origin, browserContextId: targetInfo.browserContextId });
}

// What a session has set is forgotten when it ends.
const permits = new Map();

/** keepPeers runs in the page before the client: it keeps the peer connections, so that the test can ask the browser itself what was decoded. */
export function keepPeers() {
  const Native = window.RTCPeerConnection;
  const all = [];
  Object.defineProperty(window, "__peers", { value: all });
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      all.push(this);
    }
  };
}
