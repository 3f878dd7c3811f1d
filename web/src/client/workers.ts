// The two workers: keys (MLS) and seal (SFrame). Secrets live there and travel between them by a port of their own; this
// thread sees views and verdicts.
import { KeysClient } from "../keys/client";
import type { SealReport, SealRequest } from "../seal/messages";
import type { Early } from "./early";
import { Spare } from "./session/spare";

export interface Workers {
  readonly keys: KeysClient;
  readonly spare: Spare;
  readonly seal: Worker;
  tell(request: SealRequest): void;
  close(): void;
}

/** joinWorkers joins the two, which were started first of all (early.ts). */
export function joinWorkers({ keys: keysWorker, seal }: Pick<Early, "keys" | "seal">, report: (r: SealReport) => void, failed: (e: unknown) => void): Workers {
  const keys = new KeysClient(keysWorker as never);
  const between = new MessageChannel();
  const tell = (request: SealRequest, transfer: Transferable[] = []) => seal.postMessage(request, transfer);
  tell({ kind: "keys-port", port: between.port2 }, [between.port2]);
  keys.connect(between.port1).catch(failed);
  seal.onmessage = (m: MessageEvent<SealReport>) => report(m.data);
  keysWorker.onerror = seal.onerror = failed;
  return {
    keys,
    spare: new Spare(keys),
    seal,
    tell: (request) => tell(request),
    close() {
      keysWorker.terminate();
      seal.terminate();
    },
  };
}
