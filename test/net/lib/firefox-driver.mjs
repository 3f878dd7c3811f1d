// Runs beside Firefox, in its namespace: one browser, one page, JSON orders line by line. Started by firefox.mjs.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../../web/package.json", import.meta.url)));
const puppeteer = require("puppeteer-core");

const say = (o) => process.stdout.write(`${JSON.stringify(o)}\n`);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
  headless: true,
  userDataDir: process.argv[2],
  extraPrefsFirefox: {
    "media.navigator.streams.fake": true,
    "media.navigator.permission.disabled": true,
    "media.autoplay.default": 0,
    "media.autoplay.block-webaudio": false,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": false, // it would look for codecs on the net
    "intl.accept_languages": "en",
    "app.update.enabled": false,
    "network.captive-portal-service.enabled": false,
  },
});
const errors = [];
let page;

const does = {
  async open({ url, before }) {
    page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    page.on("pageerror", (e) => errors.push(String(e)));
    page.on("console", (m) => (m.type() === "error" || m.type() === "warn") && errors.push(m.text()));
    await page.evaluateOnNewDocument(`(${before})()`);
    await page.goto(url, { timeout: 30_000 });
  },
  // By text, so that the policy of the page (no eval) does not matter: BiDi runs it as a script of the debugger.
  evaluate: ({ f, arg }) => page.evaluate(`(${f})(${JSON.stringify(arg)})`),
  reload: () => page.reload(),
  screenshot: () => page.screenshot({ encoding: "base64" }),
  errors: () => errors,
};

say({ ok: true, value: await browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const o = JSON.parse(line);
  try {
    say({ ok: true, value: (await does[o.do](o)) ?? null });
  } catch (e) {
    say({ ok: false, error: e instanceof Error ? e.message : String(e) });
  }
}
await browser.close();
process.exit(0);
