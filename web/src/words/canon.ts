// The one byte form of everything signed or hashed: deterministic CBOR (RFC 8949 §4.2.1), narrowed as in internal/canon. Decoding
// refuses whatever encoding would not have written: a signature covers bytes, not meanings.
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions } from "cborg";
import { equal, utf8 } from "./bytes";
import type { Shape } from "./schema";

export const maxBytes = 1 << 20;

export class CanonError extends Error {
  readonly tooLarge: boolean;
  constructor(reason: string, tooLarge = false) {
    super(reason);
    this.tooLarge = tooLarge;
  }
}

/** encode writes the canonical form of objects, Maps, arrays, text, Uint8Array, booleans and safe integers; else it throws. */
export function encode(v: unknown): Uint8Array<ArrayBuffer> {
  check(v, 0);
  return cborEncode(v, rfc8949EncodeOptions) as Uint8Array<ArrayBuffer>;
}

function check(v: unknown, depth: number): void {
  if (depth > 12) throw new CanonError("nested too deeply");
  switch (typeof v) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isSafeInteger(v) || Object.is(v, -0)) throw new CanonError("not an integer");
      return;
    case "object":
      break;
    default:
      throw new CanonError(`no canonical form of ${typeof v}`);
  }
  if (v === null) throw new CanonError("no canonical form of null");
  if (v instanceof Uint8Array) return;
  if (Array.isArray(v)) for (const x of v) check(x, depth + 1);
  else for (const x of v instanceof Map ? v.values() : Object.values(v)) check(x, depth + 1);
}

/** decode reads exactly one canonical value of a shape. */
export function decode<T>(shape: Shape<T>, b: Uint8Array, max = maxBytes): T {
  if (b.length > max) throw new CanonError("too large", true);
  let value: T;
  try {
    value = shape(
      cborDecode(b, {
        allowIndefinite: false,
        allowUndefined: false,
        allowInfinity: false,
        allowNaN: false,
        allowBigInt: false,
        strict: true,
        useMaps: true,
        rejectDuplicateMapKeys: true,
      }),
    );
  } catch (e) {
    throw new CanonError(e instanceof Error ? e.message : "not CBOR");
  }
  if (!equal(encode(value), b)) throw new CanonError("not the canonical form");
  return value;
}

/** message is what a signature or hash for one purpose covers: the context, a zero byte, the bytes. */
export function message(context: string, b: Uint8Array): Uint8Array {
  const c = utf8(context);
  const m = new Uint8Array(c.length + 1 + b.length);
  m.set(c, 0);
  m.set(b, c.length + 1);
  return m;
}
