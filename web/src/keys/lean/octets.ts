// keys/octets.ts for goja: what looks at every byte is Go's.
export { equal, hex } from "./host";
export { concat, utf8 } from "../../words/bytes";

export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const s of secrets) s?.fill(0);
}
