// One frame through one track: framing and keys. Knows no worker and no WebRTC object, so it runs in tests.

import { canSeal, type Codec, reunite, split, unwrap, wrap } from "./frames.js";
import type { Allowed, Keyring, Opened, Sealed } from "./keyring.js";

const empty = new Uint8Array();

/** Seals one encoded frame. 0-byte frames pass untouched: Chromium hands DTX gaps over as such, and sealing makes packets. */
export async function sealFrame(ring: Keyring, codec: Codec | undefined, context: number, keyFrame: boolean, frame: Uint8Array): Promise<Sealed | { verdict: "empty" }> {
  if (frame.length === 0) return { verdict: "empty" };
  if (codec === undefined || !canSeal(codec)) return { verdict: "codec" };
  const parts = split(codec, frame);
  if (parts === undefined) return { verdict: "malformed" };
  const s = await ring.seal(context, parts.clear, parts.secret);
  if (s.verdict !== "sealed") return s;
  return { verdict: "sealed", data: wrap(codec, keyFrame, { clear: parts.clear, sealed: s.data }) };
}

/** Opens one received frame. */
export async function openFrame(ring: Keyring, codec: Codec | undefined, allowed: Allowed | undefined, frame: Uint8Array, now: number): Promise<Opened> {
  if (frame.length === 0) return { verdict: "empty" };
  if (codec === undefined || !canSeal(codec)) return { verdict: "codec" };
  const f = unwrap(codec, frame);
  if (f === undefined || f.sealed.length === 0) return { verdict: "malformed" };
  const o = await ring.open(allowed, f.clear, f.sealed, now);
  if (o.verdict !== "opened") return o;
  return { ...o, data: reunite({ clear: f.clear.length === 0 ? empty : f.clear, secret: o.data }) };
}
