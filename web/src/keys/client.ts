// The main thread's side of the MLS worker: one typed promise per request.

import type { KeysErrorCode } from "./errors.js";
import { KeysError } from "./errors.js";
import type { KeysOperation, KeysOperations, KeysRequest, KeysResponse } from "./messages.js";

/** What a Worker or a MessagePort offers of itself. */
export interface KeysEndpoint {
  postMessage(m: KeysRequest, transfer: Transferable[]): void;
  onmessage: ((e: MessageEvent<KeysResponse>) => unknown) | null;
}

/**
 * const keys = new KeysClient(new Worker(new URL("./mls.worker.ts", import.meta.url), { type: "module" }));
 * const me = await keys.ask("make-member", { identity, now: Date.now() });
 */
export class KeysClient {
  readonly #endpoint: KeysEndpoint;
  #waiting = new Map<number, { resolve(v: unknown): void; reject(e: KeysError): void }>();
  #next = 1;

  constructor(endpoint: KeysEndpoint) {
    this.#endpoint = endpoint;
    endpoint.onmessage = ({ data }) => this.#settle(data);
  }

  /** Rejects with a KeysError whose code is stable. */
  ask<O extends KeysOperation>(op: O, args: KeysOperations[O]["in"]): Promise<KeysOperations[O]["out"]> {
    return this.#send({ op, ...args } as unknown as KeysRequest, []) as Promise<KeysOperations[O]["out"]>;
  }

  /** Connects the MLS worker to a seal worker: give one end here, the other to the seal worker as keys-port. */
  async connect(port: MessagePort): Promise<void> {
    await this.#send({ op: "seal-port", port } as unknown as KeysRequest, [port]);
  }

  #send(r: KeysRequest, transfer: Transferable[]): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#endpoint.postMessage({ ...r, id }, transfer);
    });
  }

  #settle(r: KeysResponse): void {
    const w = this.#waiting.get(r.id);
    this.#waiting.delete(r.id);
    if (r.ok) w?.resolve(r.value);
    else w?.reject(new KeysError(r.code satisfies KeysErrorCode, r.detail));
  }
}
