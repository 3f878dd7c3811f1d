// The up connection: what this person shows and says, on its way to the own node. We offer, the node answers.
//
// The invariant of this file: a sender has its sealing transform before it has a track, and before any description that
// names it is set. seal() throwing stops the publishing of that track; nothing falls back to sending in clear.
import { codecName, preferred, sendCodecs } from "./codecs";
import { chooseExtensions, withoutLevels } from "./extensions";
import { makePeer, type Path, type PeerState } from "./peer";
import { constantRate } from "./sdp";
import type { MediaKind, Sealing } from "./sealing";

export type Source = "microphone" | "camera" | "screen" | "screen-audio";

export interface Description {
  sdp: string;
  generation: bigint;
  tracks: { mid: string; track: string }[];
  iceRestart: boolean;
}

export interface UpPorts {
  path: Path;
  sealing: Sealing;
  /** offer carries a description to the node and returns its answer. */
  offer(d: Description): Promise<Description>;
  changed(state: PeerState): void;
  failed(e: unknown): void;
}

interface Slot {
  track: string;
  source: Source;
  transceiver: RTCRtpTransceiver;
}

/** ms until a negotiation that failed is made again. */
const againAfter = 1_000;

export const kindOf = (source: Source): MediaKind => (source === "camera" || source === "screen" ? "video" : "audio");

/** Bit rates, bits per second: enough for one layer; the allocator to come will set them. */
const ceilings: Record<Source, number> = { microphone: 40_000, "screen-audio": 96_000, camera: 1_500_000, screen: 2_500_000 };

export class Up {
  readonly #pc: RTCPeerConnection;
  readonly #ports: UpPorts;
  readonly #slots = new Map<string, Slot>();
  #generation = 0n;
  #dirty = false;
  #restart = false;
  #busy = false;
  #failures = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(ports: UpPorts) {
    this.#ports = ports;
    this.#pc = makePeer(ports.path, ports.changed, () => this.restart());
  }

  /** add makes the place of a track, sealed from the start, empty until put fills it. */
  add(track: string, source: Source): void {
    if (this.#closed || this.#slots.has(track)) return;
    const kind = kindOf(source);
    const transceiver = this.#pc.addTransceiver(kind, {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: ceilings[source], ...(kind === "video" ? { scalabilityMode: "L1T1" } : {}) } as RTCRtpEncodingParameters],
    });
    try {
      this.#ports.sealing.seal(transceiver.sender, track, kind);
    } catch (e) {
      transceiver.direction = "inactive";
      this.#ports.failed(e);
      return;
    }
    chooseExtensions(transceiver);
    transceiver.setCodecPreferences(sendCodecs(kind));
    this.#slots.set(track, { track, source, transceiver });
    this.#dirty = true;
    void this.#negotiate();
  }

  /** put gives a track its media, or none; no negotiation is needed for it. */
  async put(track: string, media: MediaStreamTrack | null): Promise<void> {
    const slot = this.#slots.get(track);
    if (slot === undefined || this.#closed) return;
    if (slot.transceiver.sender.transform == null) throw new Error("sender without a seal");
    if (media !== null && slot.source === "screen") media.contentHint = "detail";
    await slot.transceiver.sender.replaceTrack(media);
  }

  drop(track: string): void {
    const slot = this.#slots.get(track);
    if (slot === undefined) return;
    this.#slots.delete(track);
    void slot.transceiver.sender.replaceTrack(null).catch(() => undefined);
    if (!this.#closed) slot.transceiver.direction = "inactive";
    this.#ports.sealing.forget(track);
    this.#dirty = true;
    void this.#negotiate();
  }

  /** restart looks for a new path: after the network changed, or ICE gave up. */
  restart(): void {
    if (this.#closed || this.#slots.size === 0) return;
    this.#restart = true;
    void this.#negotiate();
  }

  /** keyFrames makes every video sender send a key frame: receivers of a new epoch can start with nothing else. */
  async keyFrames(): Promise<void> {
    for (const { source, transceiver } of this.#slots.values()) {
      if (kindOf(source) !== "video" || transceiver.sender.track === null) continue;
      const set = transceiver.sender.setParameters.bind(transceiver.sender) as (p: RTCRtpSendParameters, o?: unknown) => Promise<void>;
      const parameters = transceiver.sender.getParameters();
      await set(parameters, { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) }).catch(() => undefined);
    }
  }

  stats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    for (const track of this.#slots.keys()) this.#ports.sealing.forget(track);
    this.#slots.clear();
    this.#pc.close();
    this.#ports.changed("closed");
  }

  /**
   * One negotiation at a time; what changed meanwhile goes into the next. One that failed (a node that answered too late, or not) is made again, or
   * this person would not be seen and heard for as long as the socket lives.
   */
  async #negotiate(): Promise<void> {
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    try {
      while ((this.#dirty || this.#restart) && !this.#closed) await this.#round(this.#restart);
      this.#failures = 0;
    } catch (e) {
      if (this.#failures++ === 0 && !this.#closed) this.#ports.failed(e);
      clearTimeout(this.#again); // one at a time, whatever else asks meanwhile
      this.#again = setTimeout(() => void this.#negotiate(), againAfter);
    } finally {
      this.#busy = false;
    }
  }

  async #round(iceRestart: boolean): Promise<void> {
    this.#dirty = this.#restart = false;
    try {
      await this.#exchange(iceRestart);
    } catch (e) {
      this.#dirty = true;
      this.#restart ||= iceRestart;
      throw e;
    }
  }

  async #exchange(iceRestart: boolean): Promise<void> {
    const offer = await this.#pc.createOffer({ iceRestart });
    await this.#pc.setLocalDescription({ type: "offer", sdp: withoutLevels(offer.sdp ?? "") });
    const generation = ++this.#generation;
    const tracks = [...this.#slots.values()].flatMap(({ track, transceiver }) =>
      transceiver.mid === null ? [] : [{ mid: transceiver.mid, track }],
    );
    const answer = await this.#ports.offer({ sdp: this.#pc.localDescription?.sdp ?? "", generation, tracks, iceRestart });
    if (this.#closed) return;
    if (answer.generation !== generation) throw new Error("an answer to another offer");
    await this.#pc.setRemoteDescription({ type: "answer", sdp: constantRate(answer.sdp) });
  }
}

/** codecOf is the codec a publish act names for a source in this browser. */
export function codecOf(source: Source): "opus" | "vp9" | "vp8" {
  const kind = kindOf(source);
  return codecName(kind, preferred(kind, RTCRtpSender.getCapabilities(kind)?.codecs ?? []));
}
