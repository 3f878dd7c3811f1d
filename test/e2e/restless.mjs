// A day without rest: again and again a socket is reset or hangs, a page is reloaded, starved or blocked, a node stands still, somebody comes or goes, at
// random moments of coming in as well as in mid-call. After each round pictures and sound must flow both ways by themselves.
// Not part of `make test` (`make restless`): it prints what it did, and stops at the first round after which something does not flow.
//   node restless.mjs [rounds] [seed]
import { why } from "../net/lib/lab.mjs";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { CutHost } from "./lib/cut.mjs";
import { inbound, media, until } from "./lib/eyes.mjs";
import { admit, enter, facts, raise } from "./lib/summit.mjs";

const [rounds, seed] = [Number(process.argv[2] ?? 30), Number(process.argv[3] ?? Date.now() % 100_000)];
if (why()) throw new Error(why());

let state = seed;
/** random is an integer below a bound (mulberry32): the same seed does the same things, if not at the same moments. */
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
}
const lasts = (ms) => new Promise((r) => setTimeout(r, ms));

const net = new CutHost();
const { host } = net;
const [summit, red, green] = await Promise.all([raise({ at: host }), openBrowser("red", [], { at: host }), openBrowser("green", [], { at: host })]);
const [tomas, layla, ingrid] = [await admit(summit, red, 0, "v-fm"), await admit(summit, green, 1, "q-fm"), await admit(summit, red, 0, "v-adv")];
const all = async () => (await Promise.all([tomas, layla].map(async (p) => `\n ${await media(p.page)} ${JSON.stringify(p.errors)}`))).join("");

const nodes = summit.data.map((data) => Number(host.run("pgrep", "-f", `serve --data ${data} `).split("\n")[0]));

let inside = false;
const deeds = {
  async reset(side) {
    net.reset(summit.ports[side].Web);
    await lasts(random(2_500));
    net.cut();
  },
  async hang(side) {
    net.hang(net.sockets(summit.ports[side].Web));
    await lasts(random(6_000));
    net.cut();
  },
  async reload(_, { page }) {
    await page.reload();
  },
  async starve(_, { context, page }) {
    const cdp = await context.newCDPSession(page);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 + random(12) });
    await lasts(random(3_000));
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    await cdp.detach();
  },
  /** block keeps a page's own thread busy; sound and picture go on meanwhile. */
  async block(_, { page }) {
    void page.evaluate((end) => { while (performance.timeOrigin + performance.now() < end); }, Date.now() + random(12_000)).catch(() => undefined);
    await lasts(random(4_000));
  },
  async still(side) {
    process.kill(nodes[side], "SIGSTOP");
    await lasts(random(6_000));
    process.kill(nodes[side], "SIGCONT");
  },
  /** third lets another person come or go. */
  async third() {
    inside = !inside;
    if (inside) {
      await ingrid.page.locator("section.next button").first().click();
      await ingrid.page.locator(".enter button.primary").click();
    } else {
      await ingrid.page.getByRole("button", { name: "Leave" }).click();
      await ingrid.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    }
  },
};

/** flows tells that at least a picture and a sound grow from one asking to the next. */
function flows({ page }) {
  let last = new Map();
  return async () => {
    const now = new Map([["video", 0], ["audio", 0]]);
    for (const s of await inbound(page)) now.set(s.kind, now.get(s.kind) + (s.kind === "video" ? s.frames : Math.floor(s.packets / 10)));
    const before = last;
    last = now;
    return [...now].every(([kind, n]) => before.has(kind) && n > before.get(kind));
  };
}

async function both() {
  // A node that stood still longer than the link forgives has suspended the session; officers resume it.
  await until("in force", async () => {
    if ((await facts(tomas.page)).phase === "suspended") await summit.order({ do: "resume", side: 0 }).catch(() => undefined);
    return (await facts(tomas.page)).phase === "agreed" && (await facts(layla.page)).phase === "agreed";
  }, 40_000, all);
  for (const [name, p] of [["tomas", tomas], ["layla", layla]]) await until(`${name} has picture and sound`, flows(p), 30_000, all);
}

let done = [];
let number = 0;
try {
  await enter(tomas);
  await enter(layla);
  await both();
  for (number = 1; number <= rounds; number++) {
    done = [];
    for (let k = 1 + random(4); k > 0; k--) {
      const side = random(2);
      const name = Object.keys(deeds)[random(Object.keys(deeds).length)];
      const after = random(3) === 0 ? random(4_000) : random(600);
      done.push(`${side === 0 ? "Velmark" : "Qasran"}: ${name}, ${after} ms`);
      await deeds[name](side, [tomas, layla][side]);
      await lasts(after);
    }
    const from = performance.now();
    await both();
    console.log(`${number}. ${done.join("; ")}: flows after ${Math.round(performance.now() - from)} ms, epoch ${(await facts(tomas.page)).epoch}`);
  }
} catch (e) {
  process.exitCode = 1;
  console.error(`seed ${seed}, round ${number}: ${done.join("; ")}\n`, e);
} finally {
  for (const pid of nodes) process.kill(pid, "SIGCONT");
  await closeBrowsers();
  await summit.end();
  net.close();
}
