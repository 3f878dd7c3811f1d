// A Desk over lines of JSON, so that a Go test can drive members that run in Node. Bytes are {"$b": base64}, big
// integers {"$n": decimal}. Base keys go out raw here, and only here: the test compares them.

import { createInterface } from "node:readline";
import type { EpochKey } from "../seal/messages.js";
import { Desk } from "./desk.js";
import { hex } from "./octets.js";
import { webSuite } from "./suite-web.js";

const desk = new Desk(await webSuite(), async (raw) => hex(raw) as unknown as CryptoKey);
let lastKey = "";
await desk.attach((k: EpochKey) => {
  lastKey = k.base as unknown as string;
});

function revive(_: string, v: unknown): unknown {
  if (typeof v !== "object" || v === null) return v;
  if ("$b" in v) return new Uint8Array(Buffer.from(v.$b as string, "base64"));
  if ("$n" in v) return BigInt(v.$n as string);
  return v;
}

function plain(_: string, v: unknown): unknown {
  if (v instanceof Uint8Array) return { $b: Buffer.from(v).toString("base64") };
  if (typeof v === "bigint") return { $n: v.toString() };
  return v;
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await desk.answer(JSON.parse(line, revive) as Parameters<Desk["answer"]>[0]);
  process.stdout.write(`${JSON.stringify({ ...answer, key: lastKey }, plain)}\n`);
}
