import { describe, expect, it } from "vitest";
import { trackContext } from "./kid.js";
import { Keyring } from "./keyring.js";
import { ReplayWindow, replayWindow } from "./replay.js";
import { importBaseKey } from "./sframe.js";

const none = new Uint8Array();
const text = (s: string) => new TextEncoder().encode(s);
const base = (n: number) => importBaseKey(new Uint8Array(32).fill(n));
const context = 5;
const allowed = { leaf: 3, since: 0n, context };

/** A sender at leaf 3 and a receiver at leaf 1 of one group, in epoch 1. */
async function pair() {
  const sender = new Keyring();
  const receiver = new Keyring();
  sender.install("g", 1n, 3, await base(1), true, 0);
  receiver.install("g", 1n, 1, await base(1), true, 0);
  expect(sender.sendWith("g", 1n, 0)).toBe("sending");
  return { sender, receiver };
}

async function sealed(ring: Keyring, s: string, c = context): Promise<Uint8Array> {
  const r = await ring.seal(c, none, text(s));
  if (r.verdict !== "sealed") throw new Error(r.verdict);
  return r.data;
}

const verdict = async (ring: Keyring, frame: Uint8Array, now = 0, a = allowed) => (await ring.open(a, none, frame, now)).verdict;

describe("keyring", () => {
  it("opens what the announced leaf sealed, once", async () => {
    const { sender, receiver } = await pair();
    const f = await sealed(sender, "hello");
    const r = await receiver.open(allowed, none, f, 0);
    expect(r.verdict === "opened" && new TextDecoder().decode(r.data)).toBe("hello");
    expect(await verdict(receiver, f)).toBe("replayed");
  });
  it("opens only one of two copies in flight", async () => {
    const { sender, receiver } = await pair();
    const f = await sealed(sender, "hello");
    const both = await Promise.all([verdict(receiver, f), verdict(receiver, f)]);
    expect(both.sort()).toEqual(["opened", "replayed"]);
  });
  it("names every refusal", async () => {
    const { sender, receiver } = await pair();
    const f = await sealed(sender, "hello");
    expect((await receiver.open(undefined, none, f, 0)).verdict).toBe("not-allowed");
    expect(await verdict(receiver, f, 0, { leaf: 2, since: 0n, context })).toBe("wrong-leaf");
    expect(await verdict(receiver, f, 0, { leaf: 3, since: 0n, context: 6 })).toBe("wrong-context");
    expect(await verdict(receiver, none)).toBe("malformed");
    expect(await verdict(receiver, Uint8Array.of(0xff))).toBe("malformed");
    const forged = f.slice();
    forged[forged.length - 1]! ^= 1;
    expect(await verdict(receiver, forged)).toBe("forged");
    expect((await receiver.open(allowed, text("x"), f, 0)).verdict).toBe("forged");
    expect(await verdict(receiver, f)).toBe("opened");
  });
  it("keeps an old epoch's receive key 10 s", async () => {
    const { sender, receiver } = await pair();
    const [a, b] = [await sealed(sender, "a"), await sealed(sender, "b")];
    receiver.install("g", 2n, 1, await base(2), true, 1_000);
    expect(await verdict(receiver, a, 10_999)).toBe("opened");
    expect(await verdict(receiver, b, 11_000)).toBe("no-key");
    sender.install("g", 2n, 3, await base(2), true, 1_000);
    const still = await sealed(sender, "c");
    expect(await verdict(receiver, still, 11_000)).toBe("no-key");
    expect(sender.sendWith("g", 2n, 0)).toBe("sending");
    expect(await verdict(receiver, await sealed(sender, "d"), 11_000)).toBe("opened");
    expect(sender.sendWith("g", 1n, 0)).toBe("refused");
  });
  it("opens nothing of an epoch in which the leaf was another's", async () => {
    // Leaf 3 is given anew in the commit that follows its holder's removal. The one who was removed still has the key of epoch 1, and its node sends
    // on what it seals for the newcomer's track.
    const { sender, receiver } = await pair();
    receiver.install("g", 2n, 1, await base(2), true, 0);
    receiver.install("g", 3n, 1, await base(3), true, 0);
    const newcomer = { leaf: 3, since: 3n, context };
    expect(await verdict(receiver, await sealed(sender, "as the newcomer"), 100, newcomer)).toBe("wrong-leaf");
    const own = new Keyring();
    own.install("g", 3n, 3, await base(3), true, 0);
    own.sendWith("g", 3n, 0);
    expect(await verdict(receiver, await sealed(own, "hello"), 100, newcomer)).toBe("opened");
    // Who held the leaf all along loses nothing of what was under way when the epoch changed.
    expect(await verdict(receiver, await sealed(sender, "old"), 100, { leaf: 3, since: 1n, context })).toBe("opened");
  });
  it("counts from 0 per context and epoch and never goes back", async () => {
    const { sender } = await pair();
    const first = [await sealed(sender, "a"), await sealed(sender, "b"), await sealed(sender, "c", 6)];
    expect(first.map((f) => f[0]! & 15)).toEqual([0, 1, 0]);
    sender.sendWith("g", 1n, 0);
    expect((await sealed(sender, "d"))[0]! & 15).toBe(2);
    sender.install("g", 1n, 3, await base(1), true, 0); // the same epoch again
    expect((await sealed(sender, "e"))[0]! & 15).toBe(3);
    const many = await Promise.all(Array.from({ length: 50 }, () => sealed(sender, "x")));
    expect(new Set(many.map((f) => Buffer.from(f).toString("hex"))).size).toBe(50);
  });
  it("stops when suspended, even a frame already on its way", async () => {
    const { sender } = await pair();
    const flying = sender.seal(context, none, text("late"));
    sender.stop();
    expect((await flying).verdict).toBe("stopped");
    expect((await sender.seal(context, none, text("x"))).verdict).toBe("stopped");
    expect(sender.sendWith("g", 1n, 0)).toBe("sending");
    expect((await sender.seal(context, none, text("x"))).verdict).toBe("sealed");
  });
  it("never seals in an epoch whose counters may have run elsewhere", async () => {
    const ring = new Keyring();
    ring.install("g", 1n, 3, await base(1), false, 0);
    expect(ring.sendWith("g", 1n, 0)).toBe("refused");
    expect((await ring.seal(context, none, text("x"))).verdict).toBe("no-send-key");
  });
  it("seals with an epoch whose key comes after the order to", async () => {
    // The order comes from the page, the key from the MLS worker: two ports, and no order between them (Firefox did this in one of four calls).
    const { sender, receiver } = await pair();
    expect(sender.sendWith("g", 2n, 0)).toBe("awaited");
    expect(await verdict(receiver, await sealed(sender, "old"))).toBe("opened");
    for (const [r, leaf] of [[sender, 3], [receiver, 1]] as const) {
      expect(r.install("g", 2n, leaf, await base(2), true, 500)).toBe(r === sender ? "sending" : undefined);
    }
    expect(sender.sendEpoch).toBe(2n);
    expect(sender.overdue(5_000)).toBe(false);
    expect(sender.sendWith("g", 1n, 0)).toBe("refused");
    // A group founded anew counts its epochs from 0: what is held of the old one under that number is not meant.
    expect(sender.sendWith("h", 0n, 600)).toBe("awaited");
    expect(sender.install("h", 0n, 3, await base(4), true, 700)).toBe("sending");
    expect(sender.install("h", 1n, 3, await base(5), true, 700)).toBe(undefined);
    expect(sender.sendEpoch).toBe(0n);
  });
  it("falls silent when the key it was told to seal with does not come", async () => {
    const { sender } = await pair();
    sender.sendWith("g", 2n, 0);
    sender.sendWith("g", 2n, 900); // asking again gives no more time
    expect(sender.overdue(999)).toBe(false);
    expect([sender.overdue(1_000), sender.overdue(1_001)]).toEqual([true, false]);
    expect((await sender.seal(context, none, text("x"))).verdict).toBe("stopped");
    expect(sender.install("g", 2n, 3, await base(2), true, 2_000)).toBe("sending");
    expect((await sender.seal(context, none, text("x"))).verdict).toBe("sealed");
    sender.sendWith("g", 3n, 0);
    sender.stop(); // suspended meanwhile: the key alone does not open the mouth again
    expect(sender.install("g", 3n, 3, await base(3), true, 10)).toBe(undefined);
    expect((await sender.seal(context, none, text("x"))).verdict).toBe("stopped");
  });
  it("starts afresh with a new group", async () => {
    const { sender, receiver } = await pair();
    const old = await sealed(sender, "a");
    for (const r of [sender, receiver]) r.install("h", 1n, r === sender ? 3 : 1, await base(9), true, 0);
    expect((await sender.seal(context, none, text("x"))).verdict).toBe("no-send-key");
    expect(await verdict(receiver, old)).toBe("forged");
    expect(sender.sendWith("h", 1n, 0)).toBe("sending");
    expect(await verdict(receiver, await sealed(sender, "b"))).toBe("opened");
  });
  it("seals an epoch under the leaf of that epoch", async () => {
    const ring = new Keyring();
    ring.install("g", 1n, 3, await base(1), true, 0);
    ring.install("g", 2n, 9, await base(2), true, 0);
    ring.sendWith("g", 1n, 0);
    const receiver = new Keyring();
    receiver.install("g", 1n, 1, await base(1), true, 0);
    expect(await verdict(receiver, await sealed(ring, "x"))).toBe("opened");
  });
  it("tells nothing", async () => {
    expect(JSON.stringify((await pair()).sender)).toBe('"Keyring(redacted)"');
  });
  it("keeps tracks apart by context", async () => {
    expect(await trackContext("a")).not.toBe(await trackContext("b"));
  });
});

describe("replay window", () => {
  it.each([0n, 1n, 1023n, 1024n, 5000n, (1n << 32n) - 10n])("from %s", (start) => {
    const w = new ReplayWindow();
    w.mark(start);
    expect(w.check(start)).toBe("replayed");
    w.mark(start + 100n);
    expect(w.check(start + 50n)).toBe("fresh");
    w.mark(start + 50n);
    expect(w.check(start + 50n)).toBe("replayed");
    w.mark(start + BigInt(replayWindow) - 1n);
    expect(w.check(start)).toBe("replayed");
    w.mark(start + BigInt(replayWindow));
    expect(w.check(start)).toBe("too-old");
    expect(w.check(start + 1n)).toBe("fresh");
    w.mark(start + 10n * BigInt(replayWindow));
    expect(w.check(start + 10n * BigInt(replayWindow) - 5n)).toBe("fresh");
  });
  it("agrees with a set over random counters", () => {
    const w = new ReplayWindow();
    const seen = new Set<bigint>();
    let highest = -1n;
    let x = 7;
    let at = 0;
    for (let i = 0; i < 20_000; i++) {
      x = (Math.imul(x, 1103515245) + 12345) >>> 0;
      at = Math.max(0, at + ((x >>> 8) % 60) - 20);
      const c = BigInt(at);
      const want = c > highest ? "fresh" : highest - c >= 1024n ? "too-old" : seen.has(c) ? "replayed" : "fresh";
      expect(w.check(c)).toBe(want);
      if (want !== "fresh") continue;
      w.mark(c);
      seen.add(c);
      if (c > highest) highest = c;
    }
  });
});
