// ts-mls/transcriptHash.js for goja: the one file of the library that calls an encoder's writer by itself (RFC 9420 §8.2).
import { framedContentEncoder } from "ts-mls/framedContent.js";
import { wireformatEncoder } from "ts-mls/wireformat.js";
import { concat } from "../../words/bytes";
import { contramapBufferEncoders, encode, type Encoder } from "./tlsEncoder";
import { varLenDataEncoder } from "./variableLength";

interface Hash {
  digest(b: Uint8Array): Promise<Uint8Array>;
}
interface Input {
  readonly wireformat: unknown;
  readonly content: unknown;
  readonly signature: Uint8Array;
}

const encoders = [wireformatEncoder, framedContentEncoder, varLenDataEncoder] as unknown as Encoder<never>[];
const encodeInput = encode(contramapBufferEncoders(encoders, (i: Input) => [i.wireformat, i.content, i.signature]));
const encodeTag = encode(varLenDataEncoder);

export function createConfirmedHash(interim: Uint8Array, input: Input, hash: Hash): Promise<Uint8Array> {
  return hash.digest(concat(interim, encodeInput(input)));
}

export function createInterimHash(confirmed: Uint8Array, tag: Uint8Array, hash: Hash): Promise<Uint8Array> {
  return hash.digest(concat(confirmed, encodeTag(tag)));
}
