import { expect, test, vi } from "vitest";
import { Backoff } from "./backoff";
import { Clock } from "./clock";
import { decodeFrame, FrameError, maxFrame } from "./frame";
import { Pending } from "./pending";
import { fromWire, ProblemError } from "./problem";
import { share } from "./store";

test("the first retry comes at 100 ms, the last at 2 s", () => {
  const b = new Backoff(() => 0.5);
  expect(Array.from({ length: 7 }, () => b.next())).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  b.reset();
  expect(b.next()).toBe(100);
});

test("the clock trusts the shortest round trip", () => {
  const c = new Clock(() => 10_000);
  expect(c.offset).toBe(0);
  c.sample(0, 400, 5_000);
  c.sample(0, 20, 3_010);
  expect(c.offset).toBe(3_000);
  expect(c.nodeNow()).toBe(13_000);
  expect(c.off).toBe(true);
  c.sample(0, -5, 1);
  expect(c.rtt).toBe(20);
});

test.each([
  ["text", "hello"],
  ["too large", new ArrayBuffer(maxFrame + 1)],
  ["not a message", new Uint8Array([0xff, 0xff, 0xff]).buffer],
])("a frame is refused: %s", (_name, data) => {
  expect(() => decodeFrame(data)).toThrow(FrameError);
});

test("random bytes never do worse than a refusal", () => {
  let seed = 1;
  const next = () => (seed = (seed * 48271) % 0x7fffffff);
  for (let i = 0; i < 2000; i++) {
    const b = Uint8Array.from({ length: next() % 64 }, () => next() & 255);
    try {
      decodeFrame(b.buffer);
    } catch (e) {
      expect(e).toBeInstanceOf(FrameError);
    }
  }
});

test("the node does not write our sentences", () => {
  const wire = (code: string, params: Record<string, string>) => fromWire({ code, params } as never);
  expect(wire("link-lost", { side: "x".repeat(400) }).params["side"]).toHaveLength(200);
  expect(wire("<script>", {}).code).toBe("internal");
  expect(wire("gap", { "no such name!": "x" }).params).toEqual({});
});

test("a pending act is sent again, and settled once", async () => {
  let now = 0;
  const send = vi.fn();
  const p = new Pending(send, () => now);
  const done = p.add("a", "join", new Uint8Array());
  p.again();
  expect(send).toHaveBeenCalledTimes(2);
  now = 3_000;
  expect(p.heldBack().map((a) => a.id)).toEqual(["a"]);
  p.refused("a", new ProblemError("replayed"));
  await done;
  expect(p.heldBack()).toEqual([]);
  const refused = p.add("b", "mute", new Uint8Array());
  p.refused("b", new ProblemError("not-joined"));
  await expect(refused).rejects.toMatchObject({ code: "not-joined" });
  const lost = p.add("c", "leave", new Uint8Array());
  now += 30_000;
  p.tick();
  await expect(lost).rejects.toMatchObject({ code: "held-back" });
});

test("an uncertain act is told, stands until the log shows it, and is not repeated for an officer", async () => {
  let now = 0;
  const send = vi.fn();
  const p = new Pending(send, () => now);
  const consent = p.add("a", "consent", new Uint8Array());
  p.refused("a", new ProblemError("uncertain", { why: "disk-full" }));
  await expect(consent).rejects.toMatchObject({ code: "uncertain" });
  now = 60_000;
  p.tick();
  p.again();
  expect(send).toHaveBeenCalledTimes(1);
  expect(p.uncertain().map((a) => a.id)).toEqual(["a"]);
  expect(p.heldBack()).toEqual([]);
  p.seen("a");
  expect(p.uncertain()).toEqual([]);
  const close = p.add("b", "close", new Uint8Array());
  p.refused("b", new ProblemError("uncertain"));
  await expect(close).rejects.toMatchObject({ code: "uncertain" });
  p.never((act) => act.id === "b");
  expect(p.uncertain()).toEqual([]);
});

test("what the client does by itself is asked for again under the same id until its fate is known", async () => {
  let now = 0;
  const send = vi.fn();
  const p = new Pending(send, () => now);
  const commit = p.add("c", "commit", new Uint8Array());
  p.refused("c", new ProblemError("uncertain"));
  now = 2_000;
  p.tick();
  expect(send).toHaveBeenCalledTimes(2);
  p.refused("c", new ProblemError("disk-full")); // of the copy that was asked for now; the first may be ordered
  p.never(() => true);
  expect(p.uncertain().map((a) => a.id)).toEqual(["c"]);
  p.refused("c", new ProblemError("stale-epoch"));
  await expect(commit).rejects.toMatchObject({ code: "stale-epoch" });
  expect(p.uncertain()).toEqual([]);
  const join = p.add("d", "join", new Uint8Array());
  p.refused("d", new ProblemError("uncertain"));
  p.seen("d");
  await join;
  const lost = p.add("e", "publish", new Uint8Array());
  p.refused("e", new ProblemError("uncertain"));
  now += 30_000;
  p.tick();
  await expect(lost).rejects.toMatchObject({ code: "uncertain" });
});

test("sharing keeps what did not change", () => {
  const a = { x: [{ n: 1 }, { n: 2 }], y: { z: 1 } };
  const b = share(a, { x: [{ n: 1 }, { n: 3 }], y: { z: 1 } });
  expect(b).toEqual({ x: [{ n: 1 }, { n: 3 }], y: { z: 1 } });
  expect(b.y).toBe(a.y);
  expect(b.x[0]).toBe(a.x[0]);
  expect(share(a, { x: [{ n: 1 }, { n: 2 }], y: { z: 1 } })).toBe(a);
});
