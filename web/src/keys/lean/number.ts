// ts-mls/codec/number.js for goja (tlsEncoder.ts tells why).
import { encode, type Encoder } from "./tlsEncoder";

type Decoded<T> = [value: T, length: number] | undefined;

/** Small numbers are most of all fields: what writes them is made once. */
const octet = Array.from({ length: 256 }, (_, n) => [1, (at: number, out: Uint8Array) => void (out[at] = n)] as const);

export const uint8Encoder: Encoder<number> = (n) => octet[n & 0xff]!;
export const encodeUint8 = encode(uint8Encoder);
export const decodeUint8 = (b: Uint8Array, at: number): Decoded<number> => {
  const n = b[at];
  return n === undefined ? undefined : [n, 1];
};

export const uint16Encoder: Encoder<number> = (n) => [
  2,
  (at, out) => {
    out[at] = n >> 8;
    out[at + 1] = n;
  },
];
export const encodeUint16 = encode(uint16Encoder);
export const decodeUint16 = (b: Uint8Array, at: number): Decoded<number> => {
  const low = b[at + 1];
  return low === undefined ? undefined : [(b[at]! << 8) | low, 2];
};

export const uint32Encoder: Encoder<number> = (n) => [
  4,
  (at, out) => {
    out[at] = n >>> 24;
    out[at + 1] = n >>> 16;
    out[at + 2] = n >>> 8;
    out[at + 3] = n;
  },
];
export const encodeUint32 = encode(uint32Encoder);
export const decodeUint32 = (b: Uint8Array, at: number): Decoded<number> => {
  const low = b[at + 3];
  return low === undefined ? undefined : [((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | low) >>> 0, 4];
};

export const uint64Encoder: Encoder<bigint> = (n) => [8, (at, out) => new DataView(out.buffer, out.byteOffset, out.byteLength).setBigUint64(at, n)];
export const encodeUint64 = encode(uint64Encoder);
export const decodeUint64 = (b: Uint8Array, at: number): Decoded<bigint> => {
  if (at + 8 > b.length) return undefined;
  return [new DataView(b.buffer, b.byteOffset, b.byteLength).getBigUint64(at), 8];
};
