// Frames: one binary WebSocket message is one ToNode or ToClient. Every byte that arrives is the node's, and the node is not
// trusted with the meaning of anything: sizes and counts are bounded before a field is looked at.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { decodeMessage, encodeMessage } from "../wire/codec";
import type { ToClient, ToNodeSchema } from "../wire/parley/v1/signal_pb";

/** Largest frame accepted from the node, bytes: the largest act, with room for a batch of entries. */
export const maxFrame = 8 << 20;
/** Longest list accepted in one frame. */
export const maxList = 4096;

export type ToNodeBody = NonNullable<MessageInitShape<typeof ToNodeSchema>["body"]>;
export type FromNode = ToClient["body"];
export type FromNodeCase = NonNullable<FromNode["case"]>;
export type FromNodeOf<C extends FromNodeCase> = Extract<FromNode, { case: C }>["value"];

/** FrameError is a frame that is not what the schema and the bounds allow; the socket closes after it. */
export class FrameError extends Error {}

export function encodeFrame(id: bigint, body: ToNodeBody): Uint8Array<ArrayBuffer> {
  return encodeMessage("ToNode", { id, body }) as Uint8Array<ArrayBuffer>;
}

export function decodeFrame(data: unknown): ToClient {
  if (!(data instanceof ArrayBuffer)) throw new FrameError("a frame is binary");
  if (data.byteLength > maxFrame) throw new FrameError("frame too large");
  let frame: ToClient;
  try {
    frame = decodeMessage("ToClient", new Uint8Array(data)) as ToClient;
  } catch {
    throw new FrameError("frame does not decode");
  }
  if (listLengths(frame).some((n) => n > maxList)) throw new FrameError("list too long");
  return frame;
}

function listLengths(frame: ToClient): number[] {
  const b = frame.body;
  switch (b.case) {
    case "entries":
      return [b.value.entries.length, ...b.value.entries.map((e) => e.signatures.length)];
    case "outbox":
      return [b.value.items.length];
    case "heads":
      return [b.value.heads.length];
    case "link":
      return [b.value.links.length];
    case "sessions":
      return [b.value.sessions.length];
    case "media":
      return [b.value.tracks.length];
    case "downOffer":
    case "upAnswer":
      return [b.value.tracks.length];
    case "welcome":
      return [b.value.sessions.length, b.value.ice.length, b.value.side?.officerCerts.length ?? 0];
    case "officer":
      return [b.value.pending.length, b.value.people.length, b.value.links.length];
    default:
      return [];
  }
}
