// The two workers: keys (MLS) and seal (SFrame). Secrets live there and travel between them by a port of their own; this
// thread sees views and verdicts.
import { KeysClient } from "../keys/client";
import type { SealReport, SealRequest } from "../seal/messages";
import keysUrl from "../keys/mls.worker.ts?worker&url";
import sealUrl from "../seal/seal.worker.ts?worker&url";

interface TrustedTypePolicy {
  createScriptURL(input: string): string;
}
interface TrustedTypePolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(input: string): string }): TrustedTypePolicy;
}

const factory = (globalThis as { trustedTypes?: TrustedTypePolicyFactory }).trustedTypes;
const own = new Set([keysUrl, sealUrl]);

/** The one policy of this client: it names two addresses and no other can become a script. */
const policy: TrustedTypePolicy = (factory ?? { createPolicy: (_name, rules) => rules }).createPolicy("parley-worker", {
  createScriptURL(url) {
    if (!own.has(url)) throw new TypeError("not a worker of this client");
    return url;
  },
});

export interface Workers {
  readonly keys: KeysClient;
  readonly seal: Worker;
  tell(request: SealRequest): void;
  close(): void;
}

/** startWorkers starts both and joins them; the keys worker needs some 100 ms to load, so this comes first of all. */
export function startWorkers(report: (r: SealReport) => void, failed: (e: unknown) => void): Workers {
  const keysWorker = new Worker(policy.createScriptURL(keysUrl), { type: "module", name: "keys" });
  const seal = new Worker(policy.createScriptURL(sealUrl), { type: "module", name: "seal" });
  const keys = new KeysClient(keysWorker as never);
  const between = new MessageChannel();
  const tell = (request: SealRequest, transfer: Transferable[] = []) => seal.postMessage(request, transfer);
  tell({ kind: "keys-port", port: between.port2 }, [between.port2]);
  keys.connect(between.port1).catch(failed);
  seal.onmessage = (m: MessageEvent<SealReport>) => report(m.data);
  keysWorker.onerror = seal.onerror = failed;
  return {
    keys,
    seal,
    tell: (request) => tell(request),
    close() {
      keysWorker.terminate();
      seal.terminate();
    },
  };
}
