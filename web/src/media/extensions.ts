// Header extensions travel outside the seal, so they are chosen. The Dependency Descriptor is what the node forwards by, and the
// audio level would tell it who speaks.

const dependencyDescriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
const tellsWhoSpeaks = ["urn:ietf:params:rtp-hdrext:ssrc-audio-level", "urn:ietf:params:rtp-hdrext:csrc-audio-level"];

interface Extension {
  uri: string;
  direction: RTCRtpTransceiverDirection;
}
interface Negotiates {
  getHeaderExtensionsToNegotiate(): Extension[];
  setHeaderExtensionsToNegotiate(all: Extension[]): void;
}

/** chosen is the list with the descriptor on and the audio level off. */
export function chosen(all: readonly Extension[]): Extension[] {
  return all.map((e) => {
    if (e.uri === dependencyDescriptor) return { ...e, direction: "sendrecv" };
    if (tellsWhoSpeaks.includes(e.uri)) return { ...e, direction: "stopped" };
    return { ...e };
  });
}

/** chooseExtensions applies it where the browser lets us (Firefox does not: withoutLevels does it there). */
export function chooseExtensions(transceiver: RTCRtpTransceiver): boolean {
  const t = transceiver as RTCRtpTransceiver & Partial<Negotiates>;
  if (t.getHeaderExtensionsToNegotiate === undefined || t.setHeaderExtensionsToNegotiate === undefined) return false;
  t.setHeaderExtensionsToNegotiate(chosen(t.getHeaderExtensionsToNegotiate()));
  return true;
}

/** withoutLevels takes the audio level out of a description, for browsers that cannot be asked. */
export function withoutLevels(sdp: string): string {
  return sdp
    .split("\r\n")
    .filter((line) => !(line.startsWith("a=extmap:") && tellsWhoSpeaks.some((uri) => line.includes(uri))))
    .join("\r\n");
}
