// Which codecs may carry sealed media. VP9 first: a whole frame can be sealed, because its type stands in the payload
// descriptor. VP8 is the fallback, with its header bytes in clear and authenticated. H.264 and AV1 are not offered (browser.md §3).
import type { MediaKind } from "./sealing";

const videoOrder = ["video/vp9", "video/vp8"];

type Capability = RTCRtpCodec;

/** preferred orders what a browser can do into what we use: the main codecs first, then RTX. */
export function preferred(kind: MediaKind, all: readonly Capability[]): Capability[] {
  if (kind === "audio") return all.filter((c) => same(c, "audio/opus"));
  const main = videoOrder.flatMap((mime) => all.filter((c) => same(c, mime) && profileZero(c)));
  const repair = all.filter((c) => same(c, "video/rtx"));
  return [...main, ...repair];
}

/** codecName is the word of a publish act for the codec that will be used. */
export function codecName(kind: MediaKind, all: readonly Capability[]): "opus" | "vp9" | "vp8" {
  if (kind === "audio") return "opus";
  const first = preferred(kind, all)[0];
  return first !== undefined && same(first, "video/vp8") ? "vp8" : "vp9";
}

export function sendCodecs(kind: MediaKind): Capability[] {
  return preferred(kind, RTCRtpSender.getCapabilities(kind)?.codecs ?? []);
}

function same(c: Capability, mime: string): boolean {
  return c.mimeType.toLowerCase() === mime;
}

function profileZero(c: Capability): boolean {
  return !same(c, "video/vp9") || !/profile-id=[123]/.test(c.sdpFmtpLine ?? "");
}
