import { beforeEach, describe, expect, it } from "vitest";
import { type Codec, codecOf, unwrap } from "./frames.js";
import { Keyring } from "./keyring.js";
import { importBaseKey } from "./sframe.js";
import { KeyFrameThrottle, Tally } from "./tally.js";
import { openFrame, sealFrame } from "./transform.js";

const allowed = { leaf: 0, since: 0n, context: 1 };
let ring: Keyring;
beforeEach(async () => {
  ring = new Keyring();
  ring.install("g", 1n, 0, await importBaseKey(new Uint8Array(32)), true, 0);
  ring.sendWith("g", 1n, 0);
});

const frame = (first: number, n: number) => Uint8Array.from({ length: n }, (_, i) => (i === 0 ? first : (i * 7) & 255));

async function through(codec: Codec, key: boolean, f: Uint8Array, network: (b: Uint8Array) => Uint8Array = (b) => b) {
  const s = await sealFrame(ring, codec, 1, key, f);
  if (s.verdict !== "sealed") return s.verdict;
  const o = await openFrame(ring, codec, allowed, network(s.data), 0);
  return o.verdict === "opened" ? Buffer.from(o.data).toString("hex") : o.verdict;
}
const hex = (b: Uint8Array) => Buffer.from(b).toString("hex");

describe("frames of each codec", () => {
  it.each(["opus", "vp9", "av1"] as const)("%s: nothing of the frame is clear", async (codec) => {
    const f = new TextEncoder().encode("CANARY".repeat(20));
    expect(await through(codec, true, f)).toBe(hex(f));
    const s = await sealFrame(ring, codec, 1, true, f);
    expect(s.verdict === "sealed" && new TextDecoder("latin1").decode(s.data)).not.toContain("CANARY");
  });
  it("passes 0-byte frames untouched (Opus DTX)", async () => {
    expect(await sealFrame(ring, "opus", 1, false, new Uint8Array())).toEqual({ verdict: "empty" });
    expect((await openFrame(ring, "opus", allowed, new Uint8Array(), 0)).verdict).toBe("empty");
  });
  it.each([[true, 0x10, 10], [false, 0x11, 3]] as const)("vp8, key frame %s: header clear and authenticated", async (key, first, n) => {
    const f = frame(first, 100);
    expect(await through("vp8", key, f)).toBe(hex(f));
    const s = await sealFrame(ring, "vp8", 1, key, f);
    if (s.verdict !== "sealed") throw new Error();
    expect(hex(s.data.subarray(0, n))).toBe(hex(f.subarray(0, n)));
    expect(hex(s.data)).not.toContain(hex(f.subarray(n, n + 8)));
    for (let i = 1; i < n; i++) {
      const changed = s.data.slice();
      changed[i]! ^= 0x80;
      expect((await openFrame(ring, "vp8", allowed, changed, 0)).verdict).toBe("forged");
    }
  });
  it("vp8: a frame shorter than its header is malformed", async () => {
    expect(await through("vp8", true, frame(0, 9))).toBe("malformed");
    expect(await through("vp8", true, frame(0, 10))).toBe(hex(frame(0, 10)));
    expect((await openFrame(ring, "vp8", allowed, frame(1, 2), 0)).verdict).toBe("malformed");
  });
  it("av1: one OBU, with the size field that Chromium's depacketizer adds", async () => {
    const f = frame(0x12, 300);
    for (const key of [true, false]) {
      const s = await sealFrame(ring, "av1", 1, key, f);
      expect(s.verdict === "sealed" && s.data[0]).toBe(key ? 0x08 : 0x30);
    }
    const sized = (b: Uint8Array) => Uint8Array.of(b[0]! | 2, ((b.length - 1) & 127) | 128, (b.length - 1) >> 7, ...b.subarray(1));
    expect(await through("av1", false, f, sized)).toBe(hex(f));
    expect(await through("av1", true, f, (b) => Uint8Array.of(0x12, 0, ...sized(b)))).toBe(hex(f));
    expect(await through("av1", true, f, (b) => sized(b).subarray(0, 50))).toBe("malformed");
  });
  it("av1: unwrap never throws", () => {
    let x = 3;
    for (let i = 0; i < 5_000; i++) {
      const b = Uint8Array.from({ length: i % 12 }, () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) >>> 24);
      unwrap("av1", b);
    }
  });
  it("refuses H.264 and what it does not know", async () => {
    expect(await through("h264", true, frame(0, 50))).toBe("codec");
    expect((await sealFrame(ring, codecOf("video/H265"), 1, true, frame(0, 5))).verdict).toBe("codec");
    expect(codecOf("audio/red")).toBe("opus");
    expect(codecOf("video/VP9")).toBe("vp9");
  });
});

describe("tally", () => {
  it("alarms once above 2 % over 3 s", () => {
    const t = new Tally();
    for (let i = 0; i < 200; i++) t.count("opened", i * 5);
    for (let i = 0; i < 3; i++) t.count("forged", 1_000);
    expect(t.alarm(1_000)).toBe(false);
    for (let i = 0; i < 3; i++) t.count("forged", 1_100);
    expect(t.alarm(1_100)).toBe(true);
    expect(t.alarm(1_200)).toBe(false);
    expect(t.alarm(10_000)).toBe(false);
    for (let i = 0; i < 3; i++) t.count("forged", 10_000);
    expect(t.alarm(10_001)).toBe(true);
    expect(t.total.forged).toBe(9);
  });
  it("asks for key frames at most once a second", () => {
    const k = new KeyFrameThrottle();
    expect([0, 10, 900, 1_000, 1_500].map((t) => k.due(t))).toEqual([true, false, false, true, false]);
    k.got();
    expect(k.due(9_000)).toBe(false);
    k.want();
    expect(k.due(9_001)).toBe(true);
  });
});
