// ts-mls/codec/variableLength.js for goja (tlsEncoder.ts tells why). Vectors of RFC 9420 §2.1.2: lengths in one, two or four bytes, the shortest that holds them.
import { sequence, type Encoded, type Encoder } from "./tlsEncoder";

type Decoder<T> = (b: Uint8Array, at: number) => [T, number] | undefined;

/** A refusal; profile.ts makes a KeysError of whatever a codec throws. */
class CodecError extends Error {}

const mostLength = 0x40000000;

/** Lengths below 64 are most of all: what writes them is made once. */
const short = Array.from({ length: 64 }, (_, n): Encoded => [1, (at, out) => void (out[at] = n)]);

export function lengthEncoder(n: number): Encoded {
  if (n < 64) return short[n]!;
  if (n >= mostLength) throw new CodecError("length too large");
  if (n < 16384)
    return [
      2,
      (at, out) => {
        out[at] = (n >> 8) | 0x40;
        out[at + 1] = n;
      },
    ];
  return [
    4,
    (at, out) => {
      out[at] = (n >> 24) | 0x80;
      out[at + 1] = n >> 16;
      out[at + 2] = n >> 8;
      out[at + 3] = n;
    },
  ];
}

export const varLenDataEncoder: Encoder<Uint8Array> = (data) => {
  const n = data.length;
  const [head, writeHead] = lengthEncoder(n);
  return [
    head + n,
    (at, out) => {
      writeHead(at, out);
      out.set(data, at + head);
    },
  ];
};

export function varLenTypeEncoder<T>(enc: Encoder<T>): Encoder<readonly T[]> {
  return (list) => {
    const parts: Encoded[] = [];
    for (let i = 0; i < list.length; i++) parts.push(enc(list[i]!));
    const body = sequence(parts);
    return sequence([lengthEncoder(body[0]), body]);
  };
}

export function determineLength(b: Uint8Array, at = 0): { length: number; lengthFieldSize: number } {
  const first = b[at];
  if (first === undefined) throw new CodecError("offset beyond buffer");
  const prefix = first >> 6;
  if (prefix === 0) return { length: first, lengthFieldSize: 1 };
  const size = prefix === 1 ? 2 : 4;
  if (prefix === 3 || at + size > b.length) throw new CodecError("incomplete length");
  if (prefix === 1) return { length: ((first & 0x3f) << 8) | b[at + 1]!, lengthFieldSize: 2 };
  return { length: ((first & 0x3f) << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!, lengthFieldSize: 4 };
}

export const decodeVarLenData: Decoder<Uint8Array> = (b, at) => {
  const { length, lengthFieldSize } = determineLength(b, at);
  const end = at + lengthFieldSize + length;
  if (end > b.length) throw new CodecError("data length exceeds buffer");
  return [b.subarray(at + lengthFieldSize, end), lengthFieldSize + length];
};

export function decodeVarLenType<T>(dec: Decoder<T>): Decoder<T[]> {
  return (b, at) => {
    const [body, total] = decodeVarLenData(b, at)!;
    const out: T[] = [];
    const end = body.length;
    for (let cursor = 0; cursor < end; ) {
      const item = dec(body, cursor);
      if (item === undefined) return undefined;
      out.push(item[0]);
      cursor += item[1];
    }
    return [out, total];
  };
}

/** A client's state is never written out: what ts-mls would do that with is not here. */
const outside = () => () => {
  throw new CodecError("outside the profile");
};
export { outside as base64RecordEncoder, outside as bigintMapEncoder, outside as decodeBase64Record, outside as decodeBigintMap };
export { outside as decodeNumberRecord, outside as numberRecordEncoder };
