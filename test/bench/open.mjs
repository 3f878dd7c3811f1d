// Opens the page of one persona again and again and says when the first remote pictures were decoded. bench/chromium.go drives it: one
// JSON order a line on standard input ("open", "leave", "end"), one JSON answer a line on standard output.
import { createInterface } from "node:readline";
import { openBrowser } from "../e2e/lib/browser.mjs";

const [, , url] = process.argv;
const browser = await openBrowser("red");
// One profile for all visits: the device stays accredited, the browser's cache is warm after the first.
const context = await browser.newContext({ locale: "en", viewport: { width: 1280, height: 800 } });
await context.addInitScript(watch);
let page;
let errors = [];

const orders = {
  /** open: a blank tab goes to the address; done when `pictures` remote cameras have shown a frame. */
  async open({ pictures, timeout }) {
    errors = [];
    page = await context.newPage();
    page.on("pageerror", (e) => errors.push(String(e)));
    await page.goto(url, { waitUntil: "commit" });
    const end = Date.now() + timeout;
    for (;;) {
      const seen = await page.evaluate(() => window.__bench.report());
      if (seen.frames.length >= pictures && seen.marks.sending !== undefined) return seen;
      if (Date.now() > end) throw new Error(`not in ${timeout} ms: ${JSON.stringify({ seen, errors, text: await page.evaluate(() => document.body.innerText.slice(0, 400)) })}`);
      await new Promise((r) => setTimeout(r, 50));
    }
  },
  /** leave: as a person does, by the button and its question. */
  async leave() {
    // DOM clicks: under load the pointer's way (visible, stable, hit) takes seconds, and nothing of this is measured.
    await page.locator("button.danger:not(.primary)").last().evaluate((b) => b.click(), undefined, { timeout: 15_000 });
    await page.locator("dialog[open] button.danger.primary").evaluate((b) => b.click(), undefined, { timeout: 15_000 });
    await page.waitForFunction(() => window.parley.facts().hold === "lobby", undefined, { timeout: 15_000 });
    await page.close();
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.do === "end") break;
  let answer;
  try {
    answer = { ok: true, ...(await orders[order.do](order)) };
  } catch (e) {
    answer = { ok: false, error: String(e?.message ?? e), errors };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();

// Runs in the page before the client. All times are milliseconds since the navigation began (performance.timeOrigin).
function watch() {
  const marks = {};
  const frames = [];
  const mark = (name) => (marks[name] ??= performance.now());
  mark("script");

  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      mark("socket-made");
      this.addEventListener("open", () => mark("socket-open"), { once: true });
      let n = 0; // the node's first words: challenge, welcome, the log
      this.addEventListener("message", () => ++n <= 3 && mark(`message-${n}`));
    }
  };

  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...args) {
      super(...args);
      mark("peer-made");
      const which = () => (this.remoteDescription?.type === "offer" || this.pendingRemoteDescription?.type === "offer" ? "down" : "up");
      this.addEventListener("connectionstatechange", () => this.connectionState === "connected" && mark(`${which()}-connected`));
      this.addEventListener("track", (e) => e.track.kind === "video" && look(e.track));
    }
    setRemoteDescription(d) {
      mark(d.type === "offer" ? "down-offer" : "up-answer");
      return super.setRemoteDescription(d);
    }
  };

  // An element of our own shows each remote picture; requestVideoFrameCallback runs when a decoded frame is presented.
  function look(track) {
    mark("track");
    const v = document.createElement("video");
    v.muted = true;
    v.srcObject = new MediaStream([track]);
    void v.play().catch(() => undefined);
    v.requestVideoFrameCallback((now, meta) => {
      const at = performance.now();
      const c = document.createElement("canvas");
      c.width = c.height = 1;
      const g = c.getContext("2d");
      const { videoWidth: w, videoHeight: h } = v;
      g.drawImage(v, w / 40, (h * 2) / 5, w / 10, h / 5, 0, 0, 1, 1);
      const [r, gr, b] = g.getImageData(0, 0, 1, 1).data;
      frames.push({ at, received: meta.receiveTime ?? null, rgb: [r, gr, b] });
      v.srcObject = null;
    });
  }

  // The client's own books: in the room, log read, keys of an epoch held, sending.
  const poll = setInterval(() => {
    const f = window.parley?.facts();
    if (f === undefined) return;
    mark("client");
    if (f.hold === "room") mark("room");
    if (f.phase === "agreed") mark("log");
    if (f.epoch !== null) mark("keys");
    if (f.sending !== null) {
      mark("sending");
      clearInterval(poll);
    }
  }, 4);

  window.__bench = {
    report() {
      const [nav] = performance.getEntriesByType("navigation");
      const [paint] = performance.getEntriesByName("first-contentful-paint");
      return { marks: { ...marks, html: nav?.responseEnd, loaded: nav?.domContentLoadedEventEnd, ...(paint ? { paint: paint.startTime } : {}) }, frames, facts: window.parley?.facts() ?? null };
    },
  };
}
