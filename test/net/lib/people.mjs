// People of a side at browsers inside a namespace: they open their node's address as it is, enrol, are accredited by their words.
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { keepPeers } from "../../e2e/lib/browser.mjs";
import { fakeMedia } from "../../e2e/lib/media.mjs";
import { until } from "../../e2e/lib/eyes.mjs";
import { chromiumStore, trust } from "./authority.mjs";
import { root } from "./programs.mjs";

const require = createRequire(join(root, "web", "package.json"));
const { chromium } = require("playwright-core");

const flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-background-networking",
  "--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows", "--mute-audio"];

/** openChromium starts Chromium on a host. It trusts the authority, because the technician has put it into its store, and nothing else. */
export function openChromium(host, look, authority) {
  const home = mkdtempSync(join(host.lab.dir, "home-"));
  if (authority !== undefined) trust(chromiumStore(home), authority);
  const executablePath = host.launcher(process.env.CHROMIUM ?? "/usr/bin/chromium", { HOME: home });
  return chromium.launch({ executablePath, args: [...flags, ...fakeMedia(look)] });
}

/** openPage opens a page for one person; the peer connections are kept, so that the test can ask the browser what it decoded. */
export async function openPage(browser, url) {
  const context = await browser.newContext({ locale: "en", viewport: { width: 1280, height: 800 } });
  await context.addInitScript(keepPeers);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (e) => errors.push(String(e)));
  page.on("console", (m) => (m.type() === "error" || m.type() === "warning") && errors.push(m.text()));
  await page.goto(url);
  return { page, errors };
}

/** A machine that runs three browsers and two nodes is slow; how fast things are is measured and printed, not asserted. */
const patience = 60_000;

/** admit enrols an open page's device and has it accredited; it ends in the lobby. Works on any page with evaluate. */
export async function admit(p, side, person, role = "adviser") {
  await until("the form", () => p.page.evaluate(() => document.querySelector("form input") !== null), patience);
  await p.page.evaluate((name) => {
    const input = document.querySelector("form input");
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    document.querySelector("form button").click();
  }, person);
  const words = await until("the words", () => p.page.evaluate(() => {
    const all = [...document.querySelectorAll("ol.words li")].map((l) => l.textContent.replace(/^\d+/, "").trim());
    return all.length === 6 && all.join(" ");
  }), patience);
  await side.accredit(person, role, words);
  await until("the lobby", () => p.page.evaluate(() => document.querySelector("section.next button") !== null), patience);
  p.person = person;
  return p;
}

/** enter goes from the lobby through the holding room into the room. */
export async function enter(p) {
  await press(p, "section.next button");
  await press(p, ".enter button.primary");
  await until("the room", async () => (await facts(p)).leaves > 0, patience);
}

async function press(p, selector) {
  await until(selector, () => p.page.evaluate((s) => {
    const b = document.querySelector(s);
    if (b === null || b.disabled) return false;
    b.click();
    return true;
  }, selector), patience);
}

/** facts are what the client itself says: no secret among them. */
export const facts = (p) => p.page.evaluate(() => window.parley.facts());

/** text is what stands on the page. */
export const text = (p) => p.page.evaluate(() => document.body.textContent);

/** paths are the selected pair of each live connection: how media really goes. */
export const paths = (p) => p.page.evaluate(async () => {
  const out = [];
  for (const pc of window.__peers.filter((x) => x.connectionState !== "closed")) {
    const stats = new Map([...(await pc.getStats())]);
    const all = [...stats.values()];
    const transport = all.find((s) => s.type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId) ?? all.find((s) => s.type === "candidate-pair" && s.selected) ?? all.find((s) => s.type === "candidate-pair" && s.nominated && s.state === "succeeded");
    const local = stats.get(pair?.localCandidateId);
    const remote = stats.get(pair?.remoteCandidateId);
    if (local !== undefined && remote !== undefined)
      out.push({ state: pc.connectionState, local: local.candidateType, protocol: local.protocol, relay: local.relayProtocol ?? "", remote: remote.address ?? remote.ip, port: remote.port, rtt: pair.currentRoundTripTime });
  }
  return out;
});

/** account is what a failed test wants to know of a page. */
export async function account(p) {
  const connections = await p.page.evaluate(() => Promise.all(window.__peers.map(async (pc) => {
    const stats = new Map([...(await pc.getStats())]);
    const pairs = [...stats.values()].filter((s) => s.type === "candidate-pair").map((s) => {
      const [l, r] = [stats.get(s.localCandidateId), stats.get(s.remoteCandidateId)];
      return `${s.state} ${l?.protocol} ${l?.address}:${l?.port} ${l?.candidateType} > ${r?.address}:${r?.port} sent ${s.requestsSent} got ${s.responsesReceived}`;
    });
    const media = [...stats.values()].filter((s) => /bound-rtp$/.test(s.type) && !/^remote/.test(s.type)).map((s) => `${s.type} ${s.kind} ${stats.get(s.codecId)?.mimeType} packets ${s.packetsSent ?? s.packetsReceived} frames ${s.framesEncoded ?? s.framesDecoded} key ${s.keyFramesEncoded ?? s.keyFramesDecoded} PLI ${s.pliCount}`);
    return { state: pc.connectionState, ice: pc.iceConnectionState, gathering: pc.iceGatheringState, remote: (pc.remoteDescription?.sdp ?? "").split("\r\n").filter((l) => l.startsWith("a=candidate")), pairs, media };
  })));
  return JSON.stringify({ facts: await facts(p), connections, errors: await p.errors }, null, 1);
}
