// How a sealed frame of each codec must look so that browser packetizers and depacketizers let it through
// (measured in Chromium 156 and Firefox 153). The whole frame is sealed; what stays clear is authenticated.

export type Codec = "opus" | "vp9" | "vp8" | "av1" | "h264";

export interface Framed {
  /** Bytes that stay clear, authenticated as metadata. */
  readonly clear: Uint8Array;
  readonly sealed: Uint8Array;
}

/** The codec of a MIME type of RTCEncodedFrame metadata, undefined if it is not one of ours. */
export function codecOf(mimeType: string): Codec | undefined {
  switch (mimeType.toLowerCase()) {
    case "audio/opus":
    case "audio/red": // the payload is already RED-packed and is sealed as one
      return "opus";
    case "video/vp9":
      return "vp9";
    case "video/vp8":
      return "vp8";
    case "video/av1":
      return "av1";
    case "video/h264":
      return "h264";
    default:
      return undefined;
  }
}

/** H.264 needs Annex-B units in the clear and emulation prevention over ciphertext: refused, not half done. */
export function canSeal(codec: Codec): boolean {
  return codec !== "h264";
}

const none = new Uint8Array();

/**
 * Splits a frame before sealing; undefined if it is too short to be one. VP8's payload header must stay readable
 * (RFC 6386 §9.1: 10 bytes on key frames, 3 on others; bit 0 of the first byte is 0 on a key frame).
 */
export function split(codec: Codec, frame: Uint8Array): { clear: Uint8Array; secret: Uint8Array } | undefined {
  if (codec !== "vp8") return { clear: none, secret: frame };
  const n = vp8Header(frame);
  return n === undefined ? undefined : { clear: frame.subarray(0, n), secret: frame.subarray(n) };
}

/** The frame that goes to the packetizer. */
export function wrap(codec: Codec, keyFrame: boolean, f: Framed): Uint8Array {
  if (codec === "vp8") return join(f.clear, f.sealed);
  if (codec !== "av1") return f.sealed;
  // One OBU without a size field (AV1 §5.3.2): the packetizer parses OBUs and mangles anything else. Type 1 (sequence
  // header) on key frames sets the N bit that marks them to a receiver without the Dependency Descriptor.
  return join(Uint8Array.of((keyFrame ? obuSequenceHeader : obuFrame) << 3), f.sealed);
}

/** The inverse at the receiver; undefined for bytes that wrap does not make. */
export function unwrap(codec: Codec, frame: Uint8Array): Framed | undefined {
  if (codec === "vp8") {
    const n = vp8Header(frame);
    return n === undefined ? undefined : { clear: frame.subarray(0, n), sealed: frame.subarray(n) };
  }
  if (codec !== "av1") return { clear: none, sealed: frame };
  return unwrapObu(frame);
}

/** Puts an opened frame together again. */
export function reunite(f: { clear: Uint8Array; secret: Uint8Array }): Uint8Array {
  return f.clear.length === 0 ? f.secret : join(f.clear, f.secret);
}

const obuSequenceHeader = 1;
const obuTemporalDelimiter = 2;
const obuFrame = 6;

function vp8Header(frame: Uint8Array): number | undefined {
  if (frame.length === 0) return undefined;
  const n = (frame[0]! & 1) === 0 ? 10 : 3;
  return frame.length < n ? undefined : n;
}

/** Chromium's depacketizer adds a size field (0x32 leb128), and may put a temporal delimiter before. */
function unwrapObu(frame: Uint8Array): Framed | undefined {
  let at = 0;
  if (frame[0] === ((obuTemporalDelimiter << 3) | 2) && frame[1] === 0) at = 2;
  const header = frame[at];
  if (header === undefined || (header & 0x85) !== 0) return undefined; // forbidden, extension or reserved bit
  const type = header >> 3;
  if (type !== obuFrame && type !== obuSequenceHeader) return undefined;
  at++;
  if ((header & 2) === 0) return { clear: none, sealed: frame.subarray(at) };
  let size = 0;
  for (let i = 0; i < 4; i++) {
    const b = frame[at++];
    if (b === undefined) return undefined;
    size |= (b & 0x7f) << (7 * i);
    if ((b & 0x80) === 0) return frame.length - at === size ? { clear: none, sealed: frame.subarray(at) } : undefined;
  }
  return undefined;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
