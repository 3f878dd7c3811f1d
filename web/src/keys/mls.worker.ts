// The MLS worker: holds every MLS secret of this client. The main thread gets views, the seal worker gets base keys.

import type { EpochKey } from "../seal/messages.js";
import { importBaseKey } from "../seal/sframe.js";
import { Desk } from "./desk.js";
import type { KeysRequest, KeysResponse } from "./messages.js";
import { webSuite } from "./suite-web.js";

interface WorkerScope {
  onmessage: ((e: MessageEvent<KeysRequest>) => void) | null;
  postMessage(m: KeysResponse): void;
}

const worker = self as unknown as WorkerScope;
const desk = webSuite().then((suite) => new Desk(suite, importBaseKey));
desk.catch(() => undefined); // each request is told

worker.onmessage = ({ data }) => void runRequest(data);

async function runRequest(r: KeysRequest): Promise<void> {
  let d: Desk;
  try {
    d = await desk;
  } catch {
    worker.postMessage({ id: r.id, ok: false, code: "wrong-suite", detail: "this browser lacks a part of the cipher suite" });
    return;
  }
  if (r.op !== "seal-port") {
    worker.postMessage(await d.answer(r));
    return;
  }
  await d.attach((key: EpochKey) => r.port.postMessage(key));
  worker.postMessage({ id: r.id, ok: true, value: null });
}
