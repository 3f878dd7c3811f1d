// Firefox beside Chromium and a native participant, two nodes, sealed both ways. Firefox pairs with no loopback address and wants a default
// route, so nodes and browsers are hosts of a small laboratory of their own; HTTPS by authorities that the sides made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { holds, recorded } from "../net/lib/ears.mjs";
import { openFirefox } from "../net/lib/firefox.mjs";
import { Lab, why } from "../net/lib/lab.mjs";
import { account, admit, enter, facts, openChromium, openPage, paths, text } from "../net/lib/people.mjs";
import { convene, Side } from "../net/lib/side.mjs";
import { colours, inbound, tones, unsealed, until } from "./lib/eyes.mjs";
import { looks } from "./lib/media.mjs";

const skip = why() || false;
/** The tone of Firefox's fake microphone, hertz. */
const fakeTone = 1000;
const measured = (what, value) => console.log(`  measured: ${what}: ${value}`);
let lab, velmark, qasran, chromium, firefox, tomas, layla, scope;

before(async () => {
  if (skip) return;
  lab = new Lab();
  const net = lab.host("net");
  net.forwards();
  const names = { "node.velmark.example": "10.204.1.2", "node.qasran.example": "10.204.2.2" };
  const at = (name, subnet) => {
    const host = lab.host(name, names);
    lab.cable([net, name, `10.204.${subnet}.1/24`], [host, "eth0", `10.204.${subnet}.2/24`]);
    host.ip("route", "add", "default", "via", `10.204.${subnet}.1`);
    return host;
  };
  const hosts = { v: at("v-node", 1), q: at("q-node", 2), chromium: at("chromium", 3), firefox: at("firefox", 4) };
  velmark = new Side({ lab, id: "velmark", name: "Velmark", at: hosts.v, own: "10.204.1.2", desk: hosts.chromium }).found();
  qasran = new Side({ lab, id: "qasran", name: "Qasran", at: hosts.q, own: "10.204.2.2", desk: hosts.firefox }).found();
  await Promise.all([velmark.serve(), qasran.serve()]);
  velmark.meet(qasran);
  qasran.meet(velmark);
  await Promise.all([velmark.open(), qasran.open()]);
  scope = await convene(velmark, qasran, [[["v-fm", "adviser"], ["v-native", "adviser"]], [["q-fm", "adviser"]]]);
  firefox = await openFirefox(hosts.firefox, qasran.authority);
  chromium = await openChromium(hosts.chromium, "red", velmark.authority);
  measured("browsers", `${firefox.version}, Chromium ${chromium.version()}`);
}, { timeout: 180_000 });

after(async () => {
  await Promise.allSettled([chromium?.close(), firefox?.close()]);
  await Promise.allSettled([velmark?.end(), qasran?.end()]);
  lab?.close();
}, { timeout: 60_000 });

/** step is a test that stands on those before it. */
let broken = "";
function step(name, seconds, f) {
  test(name, { skip, timeout: seconds * 1000 }, async () => {
    assert.equal(broken, "", "an earlier step failed");
    try {
      await f();
    } catch (e) {
      broken = name;
      for (const s of [velmark, qasran]) console.error(`--- ${s.name}\n${s.tail()}\n${await s.metrics().catch(String)}`);
      for (const p of [tomas, layla].filter(Boolean)) console.error(`--- ${p.person}`, await account(p).catch(String), (await text(p).catch(String)).slice(0, 800));
      throw e;
    }
  });
}

step("Firefox meets the floor, enrols, and is admitted by its words", 240, async () => {
  layla = await admit(await firefox.open(qasran.web), qasran, "q-fm");
  tomas = await admit(await openPage(chromium, velmark.web), velmark, "v-fm");
});

step("Firefox and Chromium see and hear each other, sealed both ways", 240, async () => {
  const from = performance.now();
  await enter(tomas);
  await enter(layla);
  for (const p of [tomas, layla]) await until(`${p.person}: frames decode`, async () => (await inbound(p.page)).some((s) => s.kind === "video" && s.frames > 15), 60_000);
  measured("both entered and decode each other's pictures after", `${Math.round(performance.now() - from)} ms`);
  await until("Firefox sees red", async () => (await colours(layla.page, ".tile video")).includes("red"), 60_000);
  const own = await until("Firefox hears Chromium's tone", async () => {
    const all = await recorded(layla.page);
    return holds(all, looks.red.tone) && all;
  }, 60_000);
  measured("Firefox hears", JSON.stringify(own));
  const heard = await until("Chromium hears Firefox's tone", async () => (await tones(tomas.page)).find((t) => t.decibels > -70 && Math.abs(t.hertz - fakeTone) < 20));
  measured("Chromium hears Firefox at", `${Math.round(heard.hertz)} Hz, ${Math.round(heard.decibels)} dB`);
  await until("Chromium sees Firefox's picture move", moves(tomas));
});

step("no sender or receiver is without a seal, and the keys of both are confirmed", 240, async () => {
  for (const p of [tomas, layla]) {
    assert.deepEqual(await unsealed(p.page), []);
    await until(`${p.person}: protection`, async () => /all 2 keys confirmed/.test(await text(p)));
    measured(`${p.person}: codecs`, JSON.stringify(await codecs(p)));
    measured(`${p.person}: paths`, JSON.stringify((await paths(p)).map((x) => `${x.protocol} ${x.local} > ${x.remote}:${x.port}`)));
  }
});

step("a native participant and Firefox open each other's frames", 240, async () => {
  await velmark.order({ do: "native", scope, person: "v-native", number: 3 });
  const { facts: native, sees } = await until("the native participant opens Firefox's frames", async () => {
    const a = await velmark.order({ do: "senses", person: "v-native" });
    const of = (source) => a.sees?.find((s) => s.person === "q-fm" && s.source === source)?.opened ?? 0;
    return of("camera") > 15 && of("microphone") > 50 && a;
  }, 60_000);
  measured("native", JSON.stringify({ native, sees }));
  await until("Firefox decodes VP8 of the native participant", async () => (await facts(layla)).leaves === 3 && (await inbound(layla.page)).filter((s) => s.kind === "video" && s.frames > 10).length === 2, 60_000);
  await until("Firefox hears both", async () => {
    const all = await recorded(layla.page);
    return holds(all, 1111) && holds(all, looks.red.tone);
  }, 60_000);
  await until("Chromium hears both", async () => {
    const all = await tones(tomas.page);
    return [fakeTone, 1111].every((hz) => all.some((t) => t.decibels > -70 && Math.abs(t.hertz - hz) < 20));
  }, 60_000);
});

step("Firefox comes back by itself after a reload", 240, async () => {
  const from = performance.now();
  await layla.page.reload();
  await until("the room", async () => (await facts(layla)).leaves === 3, 60_000);
  await until("frames decode", async () => (await inbound(layla.page)).filter((s) => s.kind === "video" && s.frames > 10).length === 2, 60_000);
  await until("Chromium sees it move", moves(tomas), 60_000);
  measured("Firefox reloaded: in the room and decoding again after", `${Math.round(performance.now() - from)} ms`);
  assert.deepEqual(await unsealed(layla.page), []);
});

/** moves tells that the decoded frames of every remote picture go on. */
function moves(p) {
  let last;
  return async () => {
    const now = (await inbound(p.page)).filter((s) => s.kind === "video" && s.frames > 0).map((s) => s.frames);
    const before = last;
    last = now;
    return now.length > 0 && before?.length === now.length && now.every((n, i) => n > before[i]);
  };
}

const codecs = (p) => p.page.evaluate(async () => {
  const out = new Set();
  for (const pc of window.__peers.filter((x) => x.connectionState !== "closed")) {
    const all = new Map([...(await pc.getStats())]);
    for (const s of all.values()) if (/^(in|out)bound-rtp$/.test(s.type)) out.add(`${s.type.split("-")[0]} ${all.get(s.codecId)?.mimeType ?? "?"}`);
  }
  return [...out];
});
