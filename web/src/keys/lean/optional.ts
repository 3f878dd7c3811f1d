// ts-mls/codec/optional.js for goja (tlsEncoder.ts tells why).
import { encVoid, sequence, type Encoder } from "./tlsEncoder";
import { decodeUint8, uint8Encoder } from "./number";

type Decoder<T> = (b: Uint8Array, at: number) => [T, number] | undefined;

const absent = uint8Encoder(0);
const present = uint8Encoder(1);

export function optionalEncoder<T>(enc: Encoder<T>): Encoder<T | undefined> {
  return (t) => (t ? sequence([present, enc(t)]) : sequence([absent, encVoid]));
}

export function decodeOptional<T>(dec: Decoder<T>): Decoder<T | undefined> {
  return (b, at) => {
    if (decodeUint8(b, at)?.[0] !== 1) return [undefined, 1];
    const r = dec(b, at + 1);
    return r === undefined ? undefined : [r[0], r[1] + 1];
  };
}
