// The device key: an Ed25519 key pair made by the browser, whose private half cannot be read by this page, by the node that
// serves it, or by anybody who copies the profile's files into another machine's hands as text. It signs; it is never shown.
import { message } from "../words/act";
import type { Cabinet } from "./cabinet";

interface KeptKey {
  privateKey: CryptoKey;
  publicKey: Uint8Array<ArrayBuffer>;
}

const place = "device";

/** Device signs for one person on one browser profile. */
export interface Device {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** sign covers context, a zero byte and the bytes (act.Message): no signature of one purpose fits another. 64 bytes. */
  sign(context: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** openDevice finds this browser's device key, or makes it. Two tabs that start together end with one key. */
export async function openDevice(cabinet: Cabinet): Promise<Device> {
  const kept = (await cabinet.get<KeptKey>(place)) ?? (await cabinet.putIfAbsent(place, await makeKey()));
  const { privateKey, publicKey } = kept;
  return Object.freeze({
    publicKey,
    async sign(context: string, bytes: Uint8Array) {
      const covered = message(context, bytes) as Uint8Array<ArrayBuffer>;
      return new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, covered));
    },
  });
}

async function makeKey(): Promise<KeptKey> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, publicKey };
}
