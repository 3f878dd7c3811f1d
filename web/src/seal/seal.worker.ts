// The seal worker: every encoded frame of every track passes here. It logs nothing and shows no frame to anyone.
//
// Frame → framing → keyring → framing → packetizer, and back. Keys come from the MLS worker through a port.
// State is owned by this worker's single thread.

import { codecOf } from "./frames.js";
import { Hold } from "./hold.js";
import { Keyring, type SendWith, type Verdict } from "./keyring.js";
import { trackContext } from "./kid.js";
import type { EpochKey, Holding, SealOptions, SealReport, SealRequest } from "./messages.js";
import { KeyFrameThrottle, Tally } from "./tally.js";
import { openFrame, sealFrame } from "./transform.js";

interface EncodedFrame {
  data: ArrayBuffer;
  readonly type?: "key" | "delta" | "empty";
  getMetadata(): { mimeType?: string };
}
interface Transformer {
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
  readonly options: SealOptions;
  sendKeyFrameRequest?(): Promise<unknown>;
}
interface WorkerScope {
  onrtctransform: ((e: { transformer: Transformer }) => void) | null;
  onmessage: ((e: MessageEvent<SealRequest>) => void) | null;
  postMessage(m: SealReport): void;
}

const worker = self as unknown as WorkerScope;

interface Track {
  readonly options: SealOptions;
  readonly context: number;
  readonly tally: Tally;
  leaf: Holding | null;
  epoch: bigint | null;
}

const rings = new Map<string, Keyring>();
const hold = new Hold();
const tracks = new Set<Track>();
/** allow-leaf may come before the transform starts. */
const leaves = new Map<string, Holding | null>();

function ring(scope: string): Keyring {
  let r = rings.get(scope);
  if (r === undefined) rings.set(scope, (r = new Keyring()));
  return r;
}

function takeKey(k: EpochKey): void {
  const sends = ring(k.scope).install(k.group, k.epoch, k.leaf, k.base, k.sendable, performance.now());
  hold.installed(k.scope);
  worker.postMessage({ kind: "installed", scope: k.scope, epoch: k.epoch });
  if (sends !== undefined) told(k.scope, sends);
}

/** told says what became of an order to seal with an epoch. */
function told(scope: string, sends: SendWith): void {
  const epoch = ring(scope).sendEpoch;
  if (sends === "sending" && epoch !== undefined) worker.postMessage({ kind: "sending", scope, epoch });
  if (sends === "refused") worker.postMessage({ kind: "alarm", code: "no-such-epoch", trackId: null, scope });
}

worker.onmessage = ({ data: m }) => {
  switch (m.kind) {
    case "keys-port":
      m.port.onmessage = (e: MessageEvent<EpochKey>) => takeKey(e.data);
      return;
    case "send-epoch":
      told(m.scope, ring(m.scope).sendWith(m.group, m.epoch, performance.now()));
      return;
    case "stop":
      ring(m.scope).stop();
      return;
    case "allow-leaf":
      leaves.set(m.trackId, m.leaf);
      for (const t of tracks) if (t.options.trackId === m.trackId) t.leaf = m.leaf;
      return;
    case "forget-scope":
      rings.delete(m.scope);
      return;
  }
};

worker.onrtctransform = ({ transformer }) => void runTransform(transformer);

/** Runs until the sender or receiver ends its stream. */
async function runTransform(t: Transformer): Promise<void> {
  const o = t.options;
  const track: Track = {
    options: o,
    context: await trackContext(o.trackId),
    tally: new Tally(),
    leaf: leaves.get(o.trackId) ?? o.leaf,
    epoch: null,
  };
  tracks.add(track);
  const step = o.direction === "send" ? sender(track) : receiver(track, t);
  try {
    await t.readable.pipeThrough(new TransformStream<EncodedFrame, EncodedFrame>({ transform: step })).pipeTo(t.writable);
  } catch {
    // The track ended; there is nobody to tell.
  } finally {
    tracks.delete(track);
  }
}

type Step = (f: EncodedFrame, out: TransformStreamDefaultController<EncodedFrame>) => Promise<void>;

function sender(track: Track): Step {
  return async (f, out) => {
    const r = await sealFrame(ring(track.options.scope), codec(track, f), track.context, f.type === "key", new Uint8Array(f.data));
    count(track, r.verdict);
    if (r.verdict === "empty") out.enqueue(f);
    if (r.verdict !== "sealed") return;
    f.data = whole(r.data);
    out.enqueue(f);
  };
}

function receiver(track: Track, t: Transformer): Step {
  const keyFrames = new KeyFrameThrottle();
  const { scope } = track.options;
  // One wait in vain is enough until another key comes: a sender whose key never comes must not hold up the track for ever.
  let patient = true;
  const open = (f: EncodedFrame) => {
    const allowed = track.leaf === null ? undefined : { ...track.leaf, context: track.context };
    return openFrame(ring(scope), codec(track, f), allowed, new Uint8Array(f.data), performance.now());
  };
  return async (f, out) => {
    let r = await open(f);
    while (r.verdict === "no-key" && r.ahead && patient) {
      patient = await hold.came(scope, (ms, then) => void setTimeout(then, ms));
      r = await open(f);
    }
    if (r.verdict === "opened") patient = true;
    const now = performance.now();
    count(track, r.verdict);
    if (r.verdict === "empty") out.enqueue(f);
    if (r.verdict === "opened") {
      if (f.type === "key") keyFrames.got();
      else if (track.epoch !== r.epoch) keyFrames.want(); // a new key opens: frames may have been lost before
      track.epoch = r.epoch;
      f.data = whole(r.data);
      out.enqueue(f);
    }
    // Only once frames open: asking while nothing can be opened draws key frames from everyone for nothing.
    if (track.options.kind === "video" && r.verdict === "opened" && keyFrames.due(now))
      t.sendKeyFrameRequest?.().catch(() => undefined);
  };
}

function codec(track: Track, f: EncodedFrame) {
  const mime = f.getMetadata().mimeType;
  return mime === undefined ? track.options.codec : codecOf(mime);
}

/** Only the first of each kind of refusal is told at once; counts follow every second. */
function count(track: Track, v: Verdict): void {
  track.tally.count(v, performance.now());
  if (v === "codec" && track.tally.total.codec === 1) alarm(track, "codec-refused");
  if (v === "exhausted" && track.tally.total.exhausted === 1) alarm(track, "counter-exhausted");
}

function alarm(track: Track, code: "codec-refused" | "counter-exhausted" | "decrypt-failures"): void {
  worker.postMessage({ kind: "alarm", code, trackId: track.options.trackId, scope: track.options.scope });
}

function whole(b: Uint8Array): ArrayBuffer {
  return b.byteLength === b.buffer.byteLength ? (b.buffer as ArrayBuffer) : (b.slice().buffer as ArrayBuffer);
}

setInterval(() => {
  const now = performance.now();
  for (const [scope, r] of rings) {
    r.expire(now);
    if (r.overdue(now)) told(scope, "refused");
  }
  for (const t of tracks) if (t.tally.alarm(now)) alarm(t, "decrypt-failures");
  if (tracks.size === 0) return;
  worker.postMessage({
    kind: "counters",
    tracks: [...tracks].map((t) => ({
      trackId: t.options.trackId,
      direction: t.options.direction,
      scope: t.options.scope,
      counters: { ...t.tally.total },
      epoch: t.epoch,
    })),
  });
}, 1_000);
