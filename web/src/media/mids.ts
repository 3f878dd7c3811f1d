// The names of the sections of a description, as the browser gets them: random, and never told to the node.
//
// The attack. A receiver's transform is bound to the source (SSRC) that the description names. Chromium makes a further stream,
// without any transform, for a source that nobody named, if a packet tells by the section's name (the MID header extension,
// RFC 9143 §9) or by its payload type where it belongs; what it decodes goes to the loudspeaker, past the seal and past the audio element.
// So a node that announces one source and sends another speaks in clear to its person.
//
// The defence. Sections get names that the node cannot write into a packet, so that a packet goes by its source and in no other way:
// a name that is unknown drops the packet (RFC 9143 §9.2), and payload types are not looked at in a bundle whose sections all have the
// extension. So the browser is told of the extension in every section, the node in none; a section outside the bundle is refused.

const midExtension = "urn:ietf:params:rtp-hdrext:sdes:mid";
const extension = /^a=extmap:(\d{1,3})(?:\/\w+)? (\S+)/;
/** Numbers of extensions, from the end that others do not begin at; those above 14 need a longer header (RFC 8285 §4.3). */
const extensionIds = [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
const bundle = "a=group:BUNDLE ";
const name = /^[A-Za-z0-9]{1,16}$/;

export class Mids {
  readonly #hidden = new Map<string, string>();
  readonly #shown = new Map<string, string>();
  #extension: number | undefined;

  /** hidden is the browser's name of a section of the node's. */
  hidden(mid: string): string | undefined {
    return this.#hidden.get(mid);
  }

  /** shown is the node's name of a section. */
  shown(mid: string): string | undefined {
    return this.#shown.get(mid);
  }

  /** hide renames every section of the node's description; it throws for one in which packets could find a section by anything but their source. */
  hide(sdp: string): string {
    const [head = [], ...sections] = split(sdp).map((lines) => lines.filter((l) => extension.exec(l)?.[2] !== midExtension));
    const used = new Set([head, ...sections].flat().map((l) => Number(extension.exec(l)?.[1])));
    this.#extension ??= extensionIds.find((id) => !used.has(id));
    if (this.#extension === undefined || used.has(this.#extension)) throw new Error("no number is left for an extension");
    const renamed = sections.map((s) => this.#section(s));
    const bundled = new Set(head.filter((l) => l.startsWith(bundle)).flatMap((l) => l.slice(bundle.length).split(" ")));
    if (renamed.some((s) => s.live && !bundled.has(s.mid))) throw new Error("section outside the bundle");
    const groups = head.flatMap((l) => (l.startsWith("a=group:") ? this.#group(l) : [l]));
    return write([groups, ...renamed.map((s) => s.lines)]);
  }

  /** show gives our answer the node's names back, and does not agree to packets that carry a name. */
  show(sdp: string): string {
    const lines = sdp.split("\r\n").filter((l) => extension.exec(l)?.[2] !== midExtension);
    let out = lines.join("\r\n");
    for (const [hidden, mid] of this.#shown) out = out.replaceAll(hidden, mid);
    return out;
  }

  #section(lines: string[]): { mid: string; live: boolean; lines: string[] } {
    const mids = lines.filter((l) => l.startsWith("a=mid"));
    const mid = mids[0]?.slice("a=mid:".length) ?? "";
    if (mids.length !== 1 || mids[0] !== `a=mid:${mid}` || !name.test(mid)) throw new Error("section without a usable name");
    const live = !/^m=\S+ 0 /.test(lines[0] ?? "") || lines.some((l) => l.startsWith("a=bundle-only")); // RFC 9143 §6
    const named = [`a=mid:${this.#hide(mid)}`, `a=extmap:${this.#extension} ${midExtension}`];
    return { mid, live, lines: lines.flatMap((l) => (l === mids[0] ? named : [l])) };
  }

  #group(line: string): string[] {
    if (!line.startsWith(bundle)) return [];
    const mids = line.slice(bundle.length).split(" ").map((m) => this.#hidden.get(m));
    return [bundle + mids.filter((m) => m !== undefined).join(" ")];
  }

  #hide(mid: string): string {
    let hidden = this.#hidden.get(mid);
    if (hidden === undefined) {
      hidden = random();
      this.#hidden.set(mid, hidden);
      this.#shown.set(hidden, mid);
    }
    return hidden;
  }
}

/** sources is what each section says of its sources. */
export function sources(sdp: string): Map<string, string> {
  const [, ...sections] = split(sdp);
  return new Map(sections.map((lines) => [midOf(lines), lines.filter((l) => l.startsWith("a=ssrc")).join("\n")]));
}

/** quiet is the description with some sections that send nothing. */
export function quiet(sdp: string, mids: ReadonlySet<string>): string {
  const still = (lines: string[]) => [...lines.filter((l) => !direction.test(l)), "a=inactive"];
  return write(split(sdp).map((lines) => (mids.has(midOf(lines)) ? still(lines) : lines)));
}

const direction = /^a=(sendrecv|sendonly|recvonly|inactive)$/;
const midOf = (lines: string[]) => lines.find((l) => l.startsWith("a=mid:"))?.slice("a=mid:".length) ?? "";
const write = (parts: string[][]) => parts.flat().map((l) => `${l}\r\n`).join("");

/** split gives the lines before the first section, and those of each section. A lone carriage return is a line of two meanings. */
function split(sdp: string): string[][] {
  const parts: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line === "") continue;
    if (line.includes("\r")) throw new Error("description with stray line ends");
    if (line.startsWith("m=")) parts.push([]);
    parts.at(-1)?.push(line);
  }
  return parts;
}

/** 64 random bits: more than anybody can try in packets. */
function random(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
}
