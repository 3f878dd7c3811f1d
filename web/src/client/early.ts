// What takes its time elsewhere (the network, the disk, other threads) is asked for before this page's own script has run: main.ts imports
// this file before anything else, so that the answers are there when they are wanted. It knows nothing of what comes back.
import { openCabinet, type Cabinet } from "../identity/cabinet";
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

export interface Early {
  readonly keys: Worker;
  readonly seal: Worker;
  readonly cabinet: Promise<Cabinet>;
  /** To url; undefined where this browser has no WebSocket, which the page will say. */
  readonly socket: WebSocket | undefined;
  readonly url: string;
}

export const early: Early = begin();

function begin(): Early {
  const url = socketUrl();
  const socket = "WebSocket" in globalThis ? new WebSocket(url) : undefined;
  const cabinet = openCabinet();
  cabinet.catch(() => undefined); // told to who waits for it
  return {
    url,
    socket,
    cabinet,
    // The keys worker needs some 100 ms to load.
    keys: new Worker(policy.createScriptURL(keysUrl), { type: "module", name: "keys" }),
    seal: new Worker(policy.createScriptURL(sealUrl), { type: "module", name: "seal" }),
  };
}

function socketUrl(): string {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  return url.href;
}
