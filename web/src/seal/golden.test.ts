// The same frames as internal/sframe's golden file, byte for byte: Go and TypeScript seal alike.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Codec } from "./frames.js";
import { Keyring } from "./keyring.js";
import { trackContext } from "./kid.js";
import { importBaseKey } from "./sframe.js";
import { openFrame, sealFrame } from "./transform.js";

interface Golden {
  codec: Codec;
  keyFrame: boolean;
  track: string;
  leaf: number;
  epoch: number;
  baseKey: string;
  frame: string;
  wire: string;
}
const un = (h: string) => new Uint8Array(Buffer.from(h, "hex"));
const all = JSON.parse(readFileSync(new URL("../../../internal/sframe/testdata/frames.json", import.meta.url), "utf8")) as Golden[];

describe("golden frames", () => {
  it.each(all.map((g) => [g.codec, g.keyFrame, g.epoch, g] as const))("%s, key frame %s, epoch %i", async (_, __, ___, g) => {
    const ring = new Keyring();
    ring.install("g", BigInt(g.epoch), g.leaf, await importBaseKey(un(g.baseKey)), true, 0);
    expect(ring.sendWith("g", BigInt(g.epoch), 0)).toBe("sending");
    const context = await trackContext(g.track);
    const s = await sealFrame(ring, g.codec, context, g.keyFrame, un(g.frame));
    expect(s.verdict === "sealed" && Buffer.from(s.data).toString("hex")).toBe(g.wire);
    const o = await openFrame(ring, g.codec, { leaf: g.leaf, since: 0n, context }, un(g.wire), 0);
    expect(o.verdict === "opened" && Buffer.from(o.data).toString("hex")).toBe(g.frame);
  });
});
