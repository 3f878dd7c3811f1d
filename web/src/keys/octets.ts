// Small operations on byte strings, without DOM or Node.

/** Looks at every byte whatever it finds: unlike that of words/bytes, it is asked about secrets. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let diff = 0;
  for (let i = 0; i < a.length; i++) diff |= a[i]! ^ b[i]!;
  return diff === 0;
}

export { concat, hex, utf8 } from "../words/bytes.js";

/** Overwrites secrets. JavaScript may have copied them before; this narrows the time, it is no proof. */
export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const s of secrets) s?.fill(0);
}
