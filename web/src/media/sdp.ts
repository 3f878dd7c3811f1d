// The few lines of SDP that are ours to change, as text in and text out.

const wanted = ["cbr=1", "usedtx=0", "useinbandfec=1"];

/**
 * constantRate makes our Opus encoder keep one bit rate and never fall silent (RFC 7587 §6.1): the far end's description says
 * what it wants to receive, so it is there that we write cbr=1 and usedtx=0. We do not leave it to the node to ask: with a
 * variable rate or DTX, packet sizes tell who speaks, and sometimes which words, through any encryption.
 */
export function constantRate(sdp: string): string {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => (section.startsWith("m=audio") ? constantRateIn(section) : section))
    .join("");
}

function constantRateIn(section: string): string {
  const payloadType = /^a=rtpmap:(\d+) opus\/48000/im.exec(section)?.[1];
  if (payloadType === undefined) return section;
  const format = new RegExp(`^a=fmtp:${payloadType} (.*?)\\r?$`, "m");
  const had = format.exec(section)?.[1];
  if (had !== undefined) return section.replace(format, `a=fmtp:${payloadType} ${merge(had)}\r`);
  return section.replace(/^a=rtpmap:\d+ opus\/48000.*\r?\n/im, (line) => `${line}a=fmtp:${payloadType} ${wanted.join(";")}\r\n`);
}

function merge(had: string): string {
  const fields = new Map<string, string>();
  for (const field of [...had.split(";"), ...wanted]) {
    const [name = "", value = ""] = field.trim().split("=");
    if (name !== "") fields.set(name, value);
  }
  return [...fields].map(([name, value]) => (value === "" ? name : `${name}=${value}`)).join(";");
}
