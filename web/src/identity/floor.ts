// The floor: what a browser must have before a person may enter a session. There is no weaker way in. What is missing is named
// before the session, on the first screen, and not discovered as silence in the middle of a sentence.

export type Missing =
  | "secure-context"
  | "ed25519"
  | "x25519"
  | "aes-gcm"
  | "encoded-transform"
  | "peer-connection"
  | "capture"
  | "storage"
  | "module-worker"
  | "websocket";

/** missing lists what this browser lacks; empty means the floor is met. */
export async function missing(scope: typeof globalThis = globalThis): Promise<Missing[]> {
  const lacks: Missing[] = [];
  if (scope.isSecureContext === false || scope.crypto?.subtle === undefined) lacks.push("secure-context");
  if (!("RTCPeerConnection" in scope)) lacks.push("peer-connection");
  if (!("RTCRtpScriptTransform" in scope)) lacks.push("encoded-transform");
  if (scope.navigator?.mediaDevices?.getUserMedia === undefined) lacks.push("capture");
  if (scope.indexedDB === undefined) lacks.push("storage");
  if (!("Worker" in scope)) lacks.push("module-worker");
  if (!("WebSocket" in scope)) lacks.push("websocket");
  const subtle = scope.crypto?.subtle;
  if (subtle === undefined) return lacks;
  const [ed, x, aes] = await Promise.all([
    works(() => subtle.generateKey("Ed25519", false, ["sign", "verify"])),
    works(() => subtle.generateKey("X25519", false, ["deriveBits"])),
    works(() => subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"])),
  ]);
  if (!ed) lacks.push("ed25519");
  if (!x) lacks.push("x25519");
  if (!aes) lacks.push("aes-gcm");
  return lacks;
}

async function works(f: () => PromiseLike<unknown>): Promise<boolean> {
  try {
    await f();
    return true;
  } catch {
    return false;
  }
}
