// What goja.ts gives Go's own functions for (build-goja.mjs puts this file in the place of four): comparing, hexadecimal, and
// the one derivation that every secret of the key schedule goes through.

interface Host {
  equal(a: Uint8Array, b: Uint8Array): boolean;
  hex(b: Uint8Array): string;
  expandWithLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): ArrayBuffer;
}
const host = (globalThis as unknown as { host: Host }).host;

/** kdf.js: RFC 9420 §8, ExpandWithLabel(Secret, Label, Context, Length). There is one suite, so one KDF. */
interface Kdf {
  readonly size: number;
}

export const equal = (a: Uint8Array, b: Uint8Array): boolean => host.equal(a, b);
export const constantTimeEqual = equal;
export const hex = (b: Uint8Array): string => host.hex(b);

const none = new Uint8Array(0);

export async function expandWithLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number, _kdf: Kdf): Promise<Uint8Array> {
  return new Uint8Array(host.expandWithLabel(secret, label, context, length));
}

export const deriveSecret = (secret: Uint8Array, label: string, kdf: Kdf): Promise<Uint8Array> => expandWithLabel(secret, label, none, kdf.size, kdf);

/** RFC 9420 §9.1: the context is the generation, four bytes. */
export function deriveTreeSecret(secret: Uint8Array, label: string, generation: number, length: number, kdf: Kdf): Promise<Uint8Array> {
  return expandWithLabel(secret, label, Uint8Array.of(generation >>> 24, generation >>> 16, generation >>> 8, generation), length, kdf);
}
