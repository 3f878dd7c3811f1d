// Small operations on byte strings, without DOM or Node.

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let diff = 0;
  for (let i = 0; i < a.length; i++) diff |= a[i]! ^ b[i]!;
  return diff === 0;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

const digits = "0123456789abcdef";

/** Lower-case hex, for map keys. */
export function hex(b: Uint8Array): string {
  let s = "";
  for (let i = 0; i < b.length; i++) s += digits[b[i]! >> 4]! + digits[b[i]! & 15]!;
  return s;
}

export function utf8(s: string): Uint8Array {
  return new TextEncoder().encode(s);
}

/** Overwrites secrets. JavaScript may have copied them before; this narrows the time, it is no proof. */
export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const s of secrets) s?.fill(0);
}
