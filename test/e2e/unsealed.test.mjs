// A node that sends sound in clear to its own person: nothing of it may be decoded. The page's own receiving side (web/src/media/down.ts)
// runs in Chromium; the node is a second peer connection of the page, whose descriptions lie.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openBrowser } from "./lib/browser.mjs";

const web = new URL("../../web/", import.meta.url);
const { build } = createRequire(fileURLToPath(new URL("package.json", web)))("esbuild");
let server, browser, page;

before(async () => {
  const bundle = await build({
    stdin: { contents: `export { Down } from "./src/media/down.ts"`, resolveDir: fileURLToPath(web), loader: "ts" },
    bundle: true, format: "iife", globalName: "media", write: false, target: "es2023",
  });
  server = createServer((_q, r) => r.setHeader("content-type", "text/html").end("<!doctype html><title>-</title>")).listen(0, "127.0.0.1");
  await new Promise((r) => server.once("listening", r));
  browser = await openBrowser("red");
  page = await browser.newPage();
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.addScriptTag({ content: bundle.outputFiles[0].text });
  await page.evaluate(harness);
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  server?.close();
});

/** run plays a script of offers against one Down and tells what was decoded, and what went through the seal. */
const run = (script) => page.evaluate((s) => window.play(s), script);

test("an honest node is heard and seen, also when a section goes on with another source", { timeout: 40_000 }, async () => {
  const one = await run({ kinds: ["audio", "video"], offers: [{ lie: "source", tagged: false }, {}], opens: true });
  assert.deepEqual(one.failed, []);
  assert.ok(one.energy > 0.01, `sound: ${JSON.stringify(one)}`);
  assert.ok(one.frames > 5, `pictures: ${JSON.stringify(one)}`);
  assert.ok(one.through.audio > 50 && one.through.video > 5, `through the seal: ${JSON.stringify(one)}`);
});

for (const [name, offers, refused] of [
  ["another source than the one it names", [{ lie: "source" }], false],
  ["another source, found by the payload type", [{ lie: "source", tagged: false }], false],
  ["another source, in a description without section names in packets", [{ lie: "source", extension: false }], false],
  ["the same, found by the payload type", [{ lie: "source", extension: false, tagged: false }], false],
  ["another source, outside a bundle", [{ lie: "source", bundle: false }], true],
  ["a section that carried no track when it came", [{ named: false }, { wait: 1_500 }], false],
  ["a section that never carries a track", [{ named: false }], false],
])
  test(`nothing in clear is decoded: ${name}`, { timeout: 40_000 }, async () => {
    const got = await run({ kinds: ["audio"], offers, opens: false });
    assert.equal(got.failed.length > 0, refused, `refused: ${got.failed}`);
    assert.equal(got.energy, 0, JSON.stringify(got));
  });

// Runs in the page. The seal is stood in for by a worker that lets everything through (opens) or nothing: whether a frame passes it at all
// is the question here.
function harness() {
  const code = `
    const n = { audio: 0, video: 0 };
    onrtctransform = ({ transformer: t }) => void t.readable.pipeThrough(new TransformStream({ transform(f, c) {
      n[t.options.kind]++;
      if (t.options.opens) c.enqueue(f);
    } })).pipeTo(t.writable).catch(() => undefined);
    onmessage = () => postMessage(n);`;
  window.play = async ({ kinds, offers, opens }) => {
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const failed = [];
    const node = new RTCPeerConnection();
    const audio = new AudioContext();
    const camera = kinds.includes("video") ? await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } }) : undefined;
    const source = (kind) => {
      if (kind === "video") return camera.getVideoTracks()[0].clone();
      const tone = audio.createOscillator();
      const out = audio.createMediaStreamDestination();
      tone.connect(out);
      tone.start();
      return out.stream.getAudioTracks()[0];
    };
    for (const kind of kinds) node.addTransceiver(source(kind), { direction: "sendonly" });
    let answered;
    let arrived = new Map();
    const down = new window.media.Down({
      path: { iceServers: [] },
      sealing: {
        open: (receiver, _track, kind) => (receiver.transform = new RTCRtpScriptTransform(worker, { kind, opens })),
        seal: () => undefined,
        forget: () => undefined,
      },
      answer: (d) => answered(d),
      changed: () => undefined,
      tracks: (t) => (arrived = t),
      failed: (e) => answered(undefined, failed.push(String(e))),
    });
    const lie = (sdp, o) => {
      if (o.lie === "source") sdp = sdp.replace(/a=ssrc:(\d+)/g, (_, s) => `a=ssrc:${(Number(s) + 1) >>> 0}`).replace(/a=ssrc-group:.*\r\n/g, "");
      if (o.extension === false) sdp = sdp.replace(/a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:mid\r\n/g, "");
      if (o.bundle === false) sdp = sdp.replace(/a=group:BUNDLE.*\r\n/g, "");
      return sdp;
    };
    let tag = "";
    for (const [i, o] of offers.entries()) {
      await new Promise((r) => setTimeout(r, o.wait ?? 0));
      await node.setLocalDescription(await node.createOffer());
      if (node.iceGatheringState !== "complete") await new Promise((r) => node.addEventListener("icegatheringstatechange", () => node.iceGatheringState === "complete" && r()));
      const sdp = node.localDescription.sdp;
      tag = /a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:mid/.exec(sdp)?.[0] ?? tag;
      const tracks = o.named === false ? [] : node.getTransceivers().map((t) => ({ mid: t.mid, track: `track-${t.mid}` }));
      const answer = await new Promise((resolve) => {
        answered = resolve;
        down.offered({ sdp: lie(sdp, o), generation: BigInt(i + 1), tracks, iceRestart: false });
      });
      if (answer === undefined) break;
      // The liar tags its packets with the section's name, whatever was agreed.
      const tagged = o.lie && o.tagged !== false ? answer.sdp.replace(/(a=mid:\S+\r\n)/g, `$1${tag}\r\n`) : answer.sdp;
      await node.setRemoteDescription({ type: "answer", sdp: o.named === false ? tagged.replaceAll("a=inactive", "a=recvonly") : tagged });
    }
    const heard = [...arrived.values()].map((t) => {
      const e = document.createElement(t.kind);
      e.muted = t.kind === "video";
      e.autoplay = true;
      e.srcObject = new MediaStream([t]);
      document.body.append(e);
      void e.play().catch(() => undefined);
      return e;
    });
    await new Promise((r) => setTimeout(r, 3_000));
    let energy = 0;
    let frames = 0;
    for (const pc of window.__all)
      for (const s of pc.connectionState === "closed" ? [] : (await pc.getStats()).values())
        if (s.type === "inbound-rtp") {
          energy += s.totalAudioEnergy ?? 0;
          frames += s.framesDecoded ?? 0;
        }
    const through = await new Promise((r) => {
      worker.onmessage = (m) => r(m.data);
      worker.postMessage(null);
    });
    for (const e of heard) e.remove();
    down.close();
    node.close();
    worker.terminate();
    await audio.close();
    for (const t of camera?.getTracks() ?? []) t.stop();
    return { energy, frames, through, failed };
  };
  const Native = window.RTCPeerConnection;
  window.__all = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...a) {
      super(...a);
      window.__all.push(this);
    }
  };
}
