// Shapes of canonical structures. A decoder for each: exactly the named fields, exactly their types. What Go's decoder refuses by its
// struct types is refused here by its shape.

export const maxInt = Number.MAX_SAFE_INTEGER;
const maxArray = 4096;
const maxPairs = 256;

/** ShapeError is a value out of shape. */
export class ShapeError extends Error {}

/** Shape reads a decoded CBOR value (maps as Map) as T, or throws a ShapeError. */
export type Shape<T> = (value: unknown) => T;

export type Of<S> = S extends Shape<infer T> ? T : never;

export const bytes: Shape<Uint8Array> = (v) => {
  if (v instanceof Uint8Array) return v;
  throw new ShapeError("not bytes");
};

export const text: Shape<string> = (v) => {
  if (typeof v === "string") return v;
  throw new ShapeError("not text");
};

export const bool: Shape<boolean> = (v) => {
  if (typeof v === "boolean") return v;
  throw new ShapeError("not a boolean");
};

export const int: Shape<number> = (v) => {
  if (typeof v === "number" && Number.isSafeInteger(v)) return v;
  throw new ShapeError("not an integer");
};

export const uint: Shape<number> = (v) => {
  const n = int(v);
  if (n < 0) throw new ShapeError("negative");
  return n;
};

export const uint32: Shape<number> = (v) => {
  const n = uint(v);
  if (n > 0xffffffff) throw new ShapeError("above 32 bits");
  return n;
};

export function list<T>(item: Shape<T>): Shape<T[]> {
  return (v) => {
    if (!Array.isArray(v) || v.length > maxArray) throw new ShapeError("not a list");
    return v.map(item);
  };
}

/** texts is a map from text to text. fromEntries defines own properties, so that no key reaches a prototype. */
export const texts: Shape<Record<string, string>> = (v) => {
  if (!(v instanceof Map) || v.size > maxPairs) throw new ShapeError("not a map");
  return Object.fromEntries([...v].map(([k, x]) => [text(k), text(x)]));
};

type Fields = Record<string, Shape<unknown>>;
type Optional<F extends Fields> = { [K in keyof F]?: Of<F[K]> };
type Struct<F extends Fields> = { [K in keyof F]: Of<F[K]> };

/** struct has exactly these fields; those of the second argument may be absent. */
export function struct<F extends Fields, O extends Fields = Record<never, never>>(
  fields: F,
  optional: O = {} as O,
): Shape<Struct<F> & Optional<O>> {
  return (v) => {
    if (!(v instanceof Map)) throw new ShapeError("not a map");
    const out: Record<string, unknown> = {};
    for (const [k, shape] of Object.entries(fields)) {
      if (!v.has(k)) throw new ShapeError(`no ${k}`);
      out[k] = shape(v.get(k));
    }
    let known = Object.keys(fields).length;
    for (const [k, shape] of Object.entries(optional)) {
      if (!v.has(k)) continue;
      out[k] = shape(v.get(k));
      known++;
    }
    if (v.size !== known) throw new ShapeError("unknown field");
    return out as Struct<F> & Optional<O>;
  };
}
