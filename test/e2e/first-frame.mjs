// Measures page open to first decoded remote frame: a person in the room loads the page again. `node first-frame.mjs [times]`
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { until } from "./lib/eyes.mjs";
import { admit, enter, facts, raise } from "./lib/summit.mjs";

const times = Number(process.argv[2] ?? 9);
const [summit, red, green] = await Promise.all([raise(), openBrowser("red"), openBrowser("green")]);
try {
  const stays = await admit(summit, red, 0, "v-fm");
  const loads = await admit(summit, green, 1, "q-fm");
  await enter(stays);
  await enter(loads);
  // In the page, from its very start: when does the first frame of a remote track reach an element?
  await loads.context.addInitScript(() => {
    window.__marks = {};
    const timer = setInterval(async () => {
      const f = window.parley?.facts();
      if (f?.socket === "open") window.__marks.socket ??= performance.now();
      if (f?.hold === "room") window.__marks.room ??= performance.now();
      if (f?.leaves > 1) window.__marks.keys ??= performance.now();
      for (const pc of window.__peers ?? []) {
        if (pc.connectionState === "connected") window.__marks.media ??= performance.now();
        for (const s of (await pc.getStats()).values()) {
          if (s.type === "inbound-rtp" && s.kind === "video" && s.framesDecoded > 0) {
            window.__marks.frame ??= performance.now();
            clearInterval(timer);
          }
        }
      }
    }, 15);
  });
  const all = [];
  for (let i = 0; i < times; i++) {
    await loads.page.reload();
    const marks = await until("the first frame", () => loads.page.evaluate(() => window.__marks.frame && window.__marks), 30_000);
    all.push(marks);
    await until("two members", async () => (await facts(stays.page)).leaves === 2);
  }
  const p = (name, q) => Math.round(all.map((m) => m[name] ?? Infinity).sort((a, b) => a - b)[Math.floor(q * (all.length - 1))]);
  for (const name of ["socket", "room", "keys", "media", "frame"]) console.log(`${name.padEnd(7)} p50 ${p(name, 0.5)} ms   p90 ${p(name, 0.9)} ms`);
} finally {
  await closeBrowsers();
  await summit.end();
}
