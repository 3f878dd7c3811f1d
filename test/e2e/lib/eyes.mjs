// What a person would see and hear, asked of the browser: decoded frames, the colour of a tile, the tone in an audio element.
import { looks } from "./media.mjs";

/** until polls a condition; it never sleeps blindly. The last value is in the error. */
export async function until(what, probe, timeout = 20_000, describe = () => "") {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (e) {
      last = e;
    }
    if (Date.now() > end) throw new Error(`not in ${timeout} ms: ${what} (last: ${last instanceof Error ? last.message : JSON.stringify(last)}) ${await describe()}`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

/** inbound gives inbound-rtp statistics of every live peer connection of a page. */
export function inbound(page) {
  return page.evaluate(async () => {
    const out = [];
    for (const pc of window.__peers.filter((p) => p.connectionState !== "closed")) {
      for (const s of (await pc.getStats()).values()) {
        if (s.type === "inbound-rtp") out.push({ kind: s.kind, frames: s.framesDecoded ?? 0, packets: s.packetsReceived, energy: s.totalAudioEnergy ?? 0, width: s.frameWidth ?? 0 });
      }
    }
    return out;
  });
}

/** flows makes a probe: pictures that came to a page go on coming, from one asking to the next. */
export function flows({ page }) {
  let last = 0;
  return async () => {
    const before = last;
    last = (await inbound(page)).filter((s) => s.kind === "video").reduce((n, s) => n + s.frames, 0);
    return before > 0 && last > before;
  };
}

/** tile is where a room shows a person. */
export const tile = (person) => `[data-person="${person}"]`;

/** sees waits until a person's picture has a look's colour on a page. */
export function sees({ page }, person, look, timeout, describe) {
  return until(`${person} is ${look}`, async () => (await colours(page, `${tile(person)} video`)).includes(look), timeout, describe);
}

/** media describes every peer connection of a page in one line, for the message of a failing test. */
export function media(page) {
  return page.evaluate(async () => {
    const out = [];
    for (const pc of window.__peers) {
      const rtp = [];
      for (const s of (await pc.getStats()).values()) {
        if (s.type === "outbound-rtp") rtp.push(`sent ${s.kind} ${s.packetsSent}/${s.framesEncoded ?? "-"}`);
        if (s.type === "inbound-rtp") rtp.push(`got ${s.kind} ${s.packetsReceived}/${s.framesDecoded ?? "-"}`);
      }
      const places = pc.getTransceivers().map((t) => `${t.mid}:${t.currentDirection}`);
      out.push(`${pc.connectionState} ${pc.iceConnectionState} ${pc.signalingState} [${places}] {${rtp.join(", ")}}`);
    }
    return `${out.join(" | ")} ${JSON.stringify(window.parley?.facts())}`;
  });
}

/**
 * lips compares the sound and the picture of the one far person of a page, by the publisher's clock as its reports brought it here. ahead: how
 * much earlier sound is played than the picture that belongs to it, ms, or null before there were reports on both. held: how long sound was made
 * to wait since the last asking, ms: much more than 100 on a path that is short is a machine that has no time.
 */
export function lips(page) {
  return page.evaluate(async () => {
    const all = [];
    for (const pc of window.__peers.filter((p) => p.connectionState !== "closed")) all.push(...(await pc.getStats()).values());
    const [sound, picture] = ["audio", "video"].map((kind) => all.find((s) => s.type === "inbound-rtp" && s.kind === kind));
    const last = window.__lips ?? { delay: 0, count: 0 };
    window.__lips = { delay: sound?.jitterBufferTargetDelay ?? 0, count: sound?.jitterBufferEmittedCount ?? 0 };
    const held = (1_000 * (window.__lips.delay - last.delay)) / (window.__lips.count - last.count);
    const [a, v] = [sound?.estimatedPlayoutTimestamp, picture?.estimatedPlayoutTimestamp];
    return { ahead: a == null || v == null ? null : a - v, held };
  });
}

/** unsealed lists senders and receivers without a transform; there must never be one. */
export function unsealed(page) {
  return page.evaluate(() =>
    window.__peers
      .filter((p) => p.connectionState !== "closed")
      .flatMap((p) => p.getTransceivers())
      .flatMap((t) => [
        ...(t.sender.track !== null && t.sender.transform == null ? [`sender ${t.mid}`] : []),
        ...(t.currentDirection === "recvonly" && t.receiver.transform == null ? [`receiver ${t.mid}`] : []),
      ]),
  );
}

/** colours draws every playing video on a canvas and names the look that dominates it. */
export async function colours(page, selector = "video") {
  const rgb = await page.evaluate((s) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 8;
    const c = canvas.getContext("2d", { willReadFrequently: true });
    return [...document.querySelectorAll(s)]
      .filter((v) => v.videoWidth > 0 && v.readyState >= 2)
      .map((v) => {
        c.drawImage(v, 0, 0, 8, 8);
        const d = c.getImageData(0, 0, 8, 8).data;
        const sum = [0, 0, 0];
        for (let i = 0; i < d.length; i += 4) for (let k = 0; k < 3; k++) sum[k] += d[i + k];
        return sum.map((x) => x / (d.length / 4));
      });
  }, selector);
  return rgb.map(lookOf);
}

function lookOf(rgb) {
  const [name] = Object.entries(looks).find(([, l]) => rgb.every((v, i) => i === l.channel || rgb[l.channel] > v + 50)) ?? ["none"];
  return name;
}

/** tones listens to every remote audio element for a while and gives the strongest frequency of each, in hertz. */
export function tones(page) {
  return page.evaluate(async () => {
    window.__ears ??= new AudioContext();
    await window.__ears.resume();
    const all = [...document.querySelectorAll("[data-sound] audio")].filter((a) => a.srcObject !== null);
    return Promise.all(
      all.map(async (a) => {
        const source = window.__ears.createMediaStreamSource(a.srcObject);
        const node = window.__ears.createAnalyser();
        node.fftSize = 8192;
        source.connect(node);
        await new Promise((r) => setTimeout(r, 500));
        const bins = new Float32Array(node.frequencyBinCount);
        node.getFloatFrequencyData(bins);
        source.disconnect();
        let top = 0;
        for (let i = 1; i < bins.length; i++) if (bins[i] > bins[top]) top = i;
        return { hertz: (top * window.__ears.sampleRate) / node.fftSize, decibels: bins[top] };
      }),
    );
  });
}

/** hears tells whether one of the tones is a look's. */
export const hears = (heard, look) => heard.some((t) => t.decibels > -70 && Math.abs(t.hertz - looks[look].tone) < 12);
