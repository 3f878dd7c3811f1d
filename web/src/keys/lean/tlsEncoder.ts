// ts-mls/codec/tlsEncoder.js for goja: the same encoders over one Uint8Array. The library makes a view of the buffer for every field
// it writes and a chain of closures for every structure; interpreted, that is most of the time of a commit. lean.test.ts compares.

/** What is written where: the length, and who writes it. */
export type Encoded = readonly [length: number, write: (at: number, out: Uint8Array) => void];
export type Encoder<T> = (t: T) => Encoded;

export function encode<T>(enc: Encoder<T>): (t: T) => Uint8Array {
  return (t) => {
    const [length, write] = enc(t);
    const out = new Uint8Array(length);
    write(0, out);
    return out;
  };
}

export function contramapBufferEncoder<T, U>(enc: Encoder<T>, f: (u: U) => T): Encoder<U> {
  return (u) => enc(f(u));
}

export function contramapBufferEncoders<U>(encoders: readonly Encoder<never>[], toTuple: (u: U) => readonly unknown[]): Encoder<U> {
  return (value) => {
    const values = toTuple(value);
    const parts: Encoded[] = [];
    for (let i = 0; i < encoders.length; i++) parts.push(encoders[i]!(values[i] as never));
    return sequence(parts);
  };
}

export function composeBufferEncoders(encoders: readonly Encoder<never>[]): Encoder<readonly unknown[]> {
  return contramapBufferEncoders(encoders, (t) => t);
}

/** sequence writes one after another. Counted loops: for-of calls an iterator, which goja makes dear. */
export function sequence(parts: readonly Encoded[]): Encoded {
  const n = parts.length;
  let length = 0;
  for (let i = 0; i < n; i++) length += parts[i]![0];
  return [
    length,
    (at, out) => {
      for (let i = 0; i < n; i++) {
        const p = parts[i]!;
        p[1](at, out);
        at += p[0];
      }
    },
  ];
}

export const encVoid: Encoded = [0, () => undefined];
