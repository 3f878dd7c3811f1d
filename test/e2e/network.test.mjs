// The network under a person changes in mid-call: the socket is cut, UDP is, the machine gets another address, or nothing but the
// relay is left. Media go on by themselves, and nobody joins anew. Nodes and browser are on one host of a laboratory, so that nothing of this
// machine's own network is touched.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { why } from "../net/lib/lab.mjs";
import { paths } from "../net/lib/people.mjs";
import { closeBrowsers, openBrowser } from "./lib/browser.mjs";
import { CutHost } from "./lib/cut.mjs";
import * as eyes from "./lib/eyes.mjs";
import { hears, inbound, media, tones, unsealed, until } from "./lib/eyes.mjs";
import { admit, enter, facts, raise } from "./lib/summit.mjs";

const skip = why() || false;
const measured = (what, value) => console.log(`  measured: ${what}: ${value}`);
let net, host, summit, browser, tomas, layla, ingrid;
const all = async () => (await Promise.all([tomas, layla, ingrid].filter(Boolean).map(async (p) => `\n ${await media(p.page)} ${JSON.stringify(await paths(p))}`))).join("");

before(async () => {
  if (skip) return;
  net = new CutHost();
  host = net.host;
  [summit, browser] = await Promise.all([raise({ at: host }), openBrowser("red", [], { at: host })]);
  tomas = await admit(summit, browser, 0, "v-fm");
  layla = await admit(summit, browser, 1, "q-fm");
  await enter(tomas);
  await enter(layla);
  await both();
}, { timeout: 120_000 });

after(async () => {
  await closeBrowsers();
  await summit?.end();
  net?.close();
}, { timeout: 60_000 });

const cut = (...rules) => net.cut(...rules);
const udp = (port) => [`udp dport ${port} drop`, `udp sport ${port} drop`];

/** flows tells that pictures and sound go on arriving at a page, on every connection that receives. */
function flows({ page }) {
  let last;
  return async () => {
    const now = (await inbound(page)).map((s) => (s.kind === "video" ? s.frames : Math.floor(s.packets / 10)));
    const before = last;
    last = now;
    return now.length > 1 && before?.length === now.length && now.every((n, i) => n > before[i]);
  };
}
const both = async (limit = 30_000) => {
  for (const p of [tomas, layla]) await until("media flow", flows(p), limit, all);
};
/** byTcp tells that all media of a page go by TCP. */
const byTcp = (p) => async () => {
  const now = await paths(p);
  return now.length === 2 && now.every((x) => (x.protocol === "tcp" || x.relay === "tcp") && x.state === "connected");
};
const sees = (p, person) => eyes.sees(p, person, "red", 30_000, all);
const listens = (p) => until("the red tone", async () => hears(await tones(p.page), "red"), 30_000, all);
const joined = async () => JSON.stringify(await Promise.all([tomas, layla].map(async (p) => (await facts(p.page)).epoch)));

test("a socket that is lost and found again brings the media with it", { skip, timeout: 90_000 }, async () => {
  const before = await joined();
  net.reset(summit.ports[0].Web);
  await until("the loss", async () => (await facts(tomas.page)).socket !== "open", 10_000, all);
  const from = performance.now();
  cut();
  await until("the socket", async () => (await facts(tomas.page)).socket === "open", 10_000, all);
  const away = performance.now() - from;
  await both();
  measured("socket back, media on both sides after", `${Math.round(away)} ms, ${Math.round(performance.now() - from)} ms`);
  if (away < 1_500) assert.equal(await joined(), before, "nobody joined anew");
});

test("a socket hangs while media flow: another takes its place", { skip, timeout: 90_000 }, async () => {
  const before = await joined();
  const own = () => net.sockets(summit.ports[0].Web);
  const hanging = own();
  assert.ok(hanging.length > 0);
  const from = performance.now();
  net.hang(hanging);
  await until("another socket", async () => own().some((port) => !hanging.includes(port)) && (await facts(tomas.page)).socket === "open", 40_000, all);
  const replaced = performance.now() - from;
  await both();
  measured("another socket, media on both sides after", `${Math.round(replaced)} ms, ${Math.round(performance.now() - from)} ms`);
  assert.equal(await joined(), before, "nobody joined anew");
  cut();
});

test("nothing reaches the node by UDP any more, though it is heard: media go on by TCP", { skip, timeout: 90_000 }, async () => {
  const before = await joined();
  for (const x of await paths(layla)) assert.equal(x.protocol, "udp", JSON.stringify(x));
  const from = performance.now();
  cut(`udp dport ${summit.ports[1].Media} drop`, `udp dport ${summit.ports[1].Turn} drop`);
  await until("by TCP", byTcp(layla), 40_000, all);
  await both();
  measured("media on both sides after the cut in one direction", `${Math.round(performance.now() - from)} ms`);
  assert.equal(await joined(), before, "nobody joined anew");
  cut();
});

test("UDP is cut in mid-call: media go on by TCP", { skip, timeout: 90_000 }, async () => {
  const before = await joined();
  for (const x of await paths(tomas)) assert.equal(x.protocol, "udp", JSON.stringify(x));
  const from = performance.now();
  cut(...udp(summit.ports[0].Media), ...udp(summit.ports[0].Turn));
  await until("by TCP", byTcp(tomas), 40_000, all);
  await both();
  measured("media on both sides after the cut", `${Math.round(performance.now() - from)} ms`);
  assert.equal(await joined(), before, "nobody joined anew");
  assert.deepEqual(await unsealed(tomas.page), []);
  cut();
});

test("the machine gets another address, and what is open hangs: socket and media go on by it", { skip, timeout: 90_000 }, async () => {
  const before = await joined();
  // The socket goes over loopback here and would not notice: its packets are lost, as those from an address that is gone are.
  const hanging = net.sockets(summit.ports[0].Web);
  assert.ok(hanging.length > 0);
  net.hang(hanging);
  const from = performance.now();
  host.ip("addr", "del", "10.204.9.2/24", "dev", "eth0");
  host.ip("addr", "add", "10.204.9.7/24", "dev", "eth0");
  host.ip("route", "add", "default", "via", "10.204.9.1");
  await until("other connections", async () => (await tomas.page.evaluate(() => window.__peers.filter((p) => p.connectionState === "connected").length)) === 2 && (await paths(tomas)).every((x) => x.state === "connected"), 40_000, all);
  await both();
  assert.equal((await facts(tomas.page)).socket, "open");
  cut();
  measured("media on both sides after", `${Math.round(performance.now() - from)} ms`);
  measured("paths", JSON.stringify(await paths(tomas)));
  assert.equal(await joined(), before, "nobody joined anew");
});

test("through the relay alone, pictures and tones arrive both ways", { skip, timeout: 90_000 }, async () => {
  ingrid = await admit(summit, browser, 0, "v-adv", { before: onlyRelay });
  await enter(ingrid);
  await sees(ingrid, "q-fm");
  await listens(ingrid);
  await sees(layla, "v-adv");
  const now = await until("both by the relay", async () => {
    const x = await paths(ingrid);
    return x.length === 2 && x;
  }, 20_000, all);
  measured("paths", JSON.stringify(now));
  assert.ok(now.every((x) => x.local === "relay"), JSON.stringify(now));
  assert.deepEqual(await unsealed(ingrid.page), []);
  // A tone of one's own shows that the far side hears this person: the other of the side is silent.
  await tomas.page.getByRole("button", { name: "Mute", exact: true }).click();
  await until("one voice", async () => (await tones(layla.page)).filter((t) => hears([t], "red")).length === 1, 30_000, all);
});

function onlyRelay() {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: "relay" });
    }
  };
}
