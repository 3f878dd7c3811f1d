// The two workers as they are, without a browser: the seal worker's script runs against a scope object, streams and
// message ports are Node's own. What Chromium adds (packetizers, decoders) is for the browser tests.

import { afterEach, describe, expect, it, vi } from "vitest";
import { KeysClient, type KeysEndpoint } from "../keys/client.js";
import { Desk } from "../keys/desk.js";
import type { KeysRequest, KeysResponse } from "../keys/messages.js";
import { hex } from "../words/bytes.js";
import { utf8 } from "../keys/octets.js";
import { webSuite } from "../keys/suite-web.js";
import type { SealOptions, SealReport, SealRequest } from "./messages.js";
import { importBaseKey } from "./sframe.js";

interface Frame {
  data: ArrayBuffer;
  type?: "key" | "delta";
  getMetadata(): { mimeType?: string };
}

/** What the worker's script finds as self. */
interface Scope {
  onmessage: ((e: { data: SealRequest }) => void) | null;
  onrtctransform: ((e: { transformer: unknown }) => void) | null;
  postMessage(m: SealReport): void;
}

/** One seal worker: its scope, what it reported, and transforms through it. */
class Sealer {
  readonly reports: SealReport[] = [];
  readonly #scope: Scope;

  private constructor(scope: Scope) {
    this.#scope = scope;
  }

  static async start(): Promise<Sealer> {
    const scope: Scope = { onmessage: null, onrtctransform: null, postMessage: () => undefined };
    const s = new Sealer(scope);
    scope.postMessage = (m) => void s.reports.push(m);
    vi.resetModules();
    vi.stubGlobal("self", scope);
    await import("./seal.worker.js");
    return s;
  }

  tell(m: SealRequest): void {
    this.#scope.onmessage!({ data: m });
  }

  transform(options: SealOptions) {
    const input = new TransformStream<Frame, Frame>();
    const output = new TransformStream<Frame, Frame>();
    const asked = { keyFrames: 0 };
    const sendKeyFrameRequest = async () => void asked.keyFrames++;
    this.#scope.onrtctransform!({ transformer: { readable: input.readable, writable: output.writable, options, sendKeyFrameRequest } });
    return { writer: input.writable.getWriter(), reader: output.readable.getReader(), asked };
  }

  async reported(kind: SealReport["kind"]): Promise<SealReport> {
    return vi.waitFor(() => {
      const r = this.reports.find((x) => x.kind === kind);
      if (r === undefined) throw new Error(`no ${kind}`);
      return r;
    });
  }
}

/** An MLS worker's desk behind a message port, as the main thread sees it. */
async function keysOf(sealer: Sealer): Promise<KeysClient> {
  const desk = new Desk(await webSuite(), importBaseKey);
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = async ({ data }: MessageEvent<KeysRequest>) => {
    if (data.op === "seal-port") {
      await desk.attach((key) => data.port.postMessage(key));
      port2.postMessage({ id: data.id, ok: true, value: null } satisfies KeysResponse);
    } else port2.postMessage(await desk.answer(data));
  };
  ports.push(port1, port2);
  const client = new KeysClient(port1 as unknown as KeysEndpoint);
  const between = new MessageChannel();
  ports.push(between.port1, between.port2);
  sealer.tell({ kind: "keys-port", port: between.port2 });
  await client.connect(between.port1);
  return client;
}

const ports: MessagePort[] = [];
afterEach(() => {
  for (const p of ports.splice(0)) p.close();
  vi.unstubAllGlobals();
});

const frame = (text: string, type?: "key" | "delta"): Frame => ({
  data: utf8(text).buffer as ArrayBuffer,
  ...(type === undefined ? {} : { type }),
  getMetadata: () => ({}),
});
const text = (f: Frame | undefined) => new TextDecoder().decode(f!.data);

describe("keys worker and seal worker", () => {
  it("carry a frame from one member to another, and refuse a third one's name", async () => {
    const scope = "5c09e0";
    const [sealA, sealB] = [await Sealer.start(), await Sealer.start()];
    const [a, b] = [await keysOf(sealA), await keysOf(sealB)];
    const now = Date.now();
    const [ma, mb] = [await a.ask("make-member", { identity: utf8("a"), now }), await b.ask("make-member", { identity: utf8("b"), now })];
    const roster = [
      { identity: utf8("a"), signatureKey: ma.signaturePublicKey },
      { identity: utf8("b"), signatureKey: mb.signaturePublicKey },
    ];
    const groupId = utf8("group");
    const ga = await a.ask("create", { member: ma.member, scope, groupId });
    const staged = await a.ask("commit", { group: ga.group, adds: [mb.keyPackage], removes: [], roster, now });
    const confirmed = await a.ask("confirm", { group: ga.group, pending: staged.pending });
    const gb = await b.ask("join", { member: mb.member, scope, welcome: staged.welcome!, groupId, roster, epoch: 1n });
    expect(gb.context).toEqual(confirmed.context);
    expect((await a.ask("fingerprint", { group: ga.group })).words).toEqual((await b.ask("fingerprint", { group: gb.group })).words);
    const scopeBytes = utf8(scope);
    const signature = await b.ask("attest", { group: gb.group, scope: scopeBytes });
    const attested = { scope: scopeBytes, ...gb.context };
    expect(await a.ask("verify-attestation", { publicKey: mb.signaturePublicKey, attested, signature })).toBe(true);
    expect(await a.ask("verify-attestation", { publicKey: ma.signaturePublicKey, attested, signature })).toBe(false);
    await expect(a.ask("confirm", { group: ga.group, pending: staged.pending })).rejects.toMatchObject({ code: "stale" });

    const common = { scope, trackId: "AAAAAAAAAAAAAAAAAAAAAA", kind: "video", codec: "vp9" } as const;
    const out = sealA.transform({ ...common, direction: "send", leaf: null });
    const into = sealB.transform({ ...common, direction: "receive", leaf: null });
    await vi.waitFor(() => {
      for (const s of [sealA, sealB]) if (!s.reports.some((r) => r.kind === "installed" && r.epoch === 1n)) throw new Error("waiting");
    });
    sealA.tell({ kind: "send-epoch", scope, group: hex(groupId), epoch: 1n });
    expect(await sealA.reported("sending")).toEqual({ kind: "sending", scope, epoch: 1n });

    const through = async (s: string, type: "key" | "delta") => {
      await out.writer.write(frame(s, type));
      const sealed = (await out.reader.read()).value!;
      expect(text(sealed)).not.toContain(s);
      void into.writer.write({ ...sealed, data: sealed.data });
    };
    // Not announced, then announced by another leaf, then rightly: only the last comes through.
    await through("CANARY one", "key");
    sealB.tell({ kind: "allow-leaf", trackId: common.trackId, leaf: { leaf: 7, since: 0n } });
    await through("CANARY two", "delta");
    await vi.waitFor(() => {
      const last = sealB.reports.filter((r) => r.kind === "counters").at(-1);
      if (last?.kind !== "counters" || last.tracks[0]!.counters["not-allowed"] + last.tracks[0]!.counters["wrong-leaf"] < 2) throw new Error("waiting");
    }, 4_000);
    sealB.tell({ kind: "allow-leaf", trackId: common.trackId, leaf: { leaf: 0, since: 0n } });
    await through("CANARY three", "delta");
    expect(text((await into.reader.read()).value)).toBe("CANARY three");
    expect(into.asked.keyFrames).toBe(1);

    sealA.tell({ kind: "stop", scope });
    await out.writer.write(frame("CANARY four", "delta"));
    await out.writer.write(frame("", "delta"));
    expect((await out.reader.read()).value!.data.byteLength).toBe(0);
  });

  it("gives a second seal worker the keys for receiving only", async () => {
    const [first, second] = [await Sealer.start(), await Sealer.start()];
    const client = await keysOf(first);
    const m = await client.ask("make-member", { identity: utf8("a"), now: Date.now() });
    const g = await client.ask("create", { member: m.member, scope: "s", groupId: utf8("g") });
    await first.reported("installed");
    const again = new MessageChannel();
    ports.push(again.port1, again.port2);
    second.tell({ kind: "keys-port", port: again.port2 });
    await client.connect(again.port1);
    await second.reported("installed");
    second.tell({ kind: "send-epoch", scope: "s", group: hex(utf8("g")), epoch: 0n });
    expect(await second.reported("alarm")).toMatchObject({ code: "no-such-epoch" });
    // The next epoch is its own.
    const roster = [{ identity: utf8("a"), signatureKey: m.signaturePublicKey }];
    const staged = await client.ask("commit", { group: g.group, adds: [], removes: [], roster, now: Date.now() });
    await client.ask("confirm", { group: g.group, pending: staged.pending });
    await vi.waitFor(() => {
      if (!second.reports.some((r) => r.kind === "installed" && r.epoch === 1n)) throw new Error("waiting");
    });
    second.tell({ kind: "send-epoch", scope: "s", group: hex(utf8("g")), epoch: 1n });
    expect(await second.reported("sending")).toMatchObject({ epoch: 1n });
  });
});
