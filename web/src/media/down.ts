// The down connection: what others show and say, from the own node. The node offers what we want, we answer.
//
// Every receiver has its opening transform before anything else is waited for, those that carry no track yet too: one that has been
// without for a moment never passes frames through a transform again, whatever it is given later (Chromium 156). A frame that
// does not open is dropped in the worker; a receiver without a transform would hand sealed bytes, or whatever a node puts there,
// to the decoder. Sections have names that the node does not know (mids.ts).
import { Mids, quiet, sources } from "./mids";
import { makePeer, type Path, type PeerState } from "./peer";
import type { MediaKind, Sealing } from "./sealing";
import type { Description } from "./up";

export interface DownPorts {
  path: Path;
  sealing: Sealing;
  answer(d: Description): void;
  changed(state: PeerState): void;
  /** tracks tells which tracks have media now. */
  tracks(arrived: ReadonlyMap<string, MediaStreamTrack>): void;
  failed(e: unknown): void;
}

/** Tracks one offer may carry. A node that offers more is not served. */
const mostTracks = 256;
/** The track of a receiver that carries none: nobody announced it, so nothing opens. */
const noTrack = "";

export class Down {
  readonly #pc: RTCPeerConnection;
  readonly #ports: DownPorts;
  /** Tracks by the browser's names of their sections. */
  readonly #byMid = new Map<string, string>();
  readonly #mids = new Mids();
  #generation = 0n;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(ports: DownPorts) {
    this.#ports = ports;
    this.#pc = makePeer(ports.path, ports.changed, () => this.restart());
  }

  /** offered takes the node's offer. Offers are taken one after another; an older generation than the last is not. */
  offered(offer: Description): void {
    this.#queue = this.#queue.then(() => this.#take(offer)).catch((e: unknown) => {
      if (!this.#closed) this.#ports.failed(e);
    });
  }

  /** restart asks the node for an offer with an ICE restart. */
  restart(): void {
    if (!this.#closed) this.#ports.answer({ sdp: "", generation: this.#generation, tracks: [], iceRestart: true });
  }

  /** receivers gives each arrived track's receiver, for statistics. */
  receivers(): Map<string, RTCRtpReceiver> {
    const all = new Map<string, RTCRtpReceiver>();
    for (const t of this.#pc.getTransceivers()) {
      const track = t.mid === null ? undefined : this.#byMid.get(t.mid);
      if (track !== undefined) all.set(track, t.receiver);
    }
    return all;
  }

  stats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  close(): void {
    this.#closed = true;
    for (const track of this.#byMid.values()) this.#ports.sealing.forget(track);
    this.#byMid.clear();
    this.#pc.close();
    this.#ports.changed("closed");
  }

  async #take(offer: Description): Promise<void> {
    if (this.#closed || offer.generation <= this.#generation) return;
    if (offer.tracks.length > mostTracks) throw new Error("too many tracks offered");
    this.#generation = offer.generation;
    const sdp = this.#mids.hide(offer.sdp);
    await this.#still(sdp);
    await this.#pc.setRemoteDescription({ type: "offer", sdp });
    this.#assign(offer.tracks);
    await this.#pc.setLocalDescription(await this.#pc.createAnswer());
    if (this.#closed) return;
    this.#ports.answer({
      sdp: this.#mids.show(this.#pc.localDescription?.sdp ?? ""),
      generation: offer.generation,
      tracks: [...this.#byMid].map(([mid, track]) => ({ mid: this.#mids.shown(mid) ?? "", track })),
      iceRestart: false,
    });
    this.#ports.tracks(this.#arrived());
  }

  /**
   * A live section that changes its source stands still first: the browser makes the new source's stream a moment before it puts the
   * transform there, and what comes in that moment would be decoded as it is.
   */
  async #still(sdp: string): Promise<void> {
    const now = sources(this.#pc.remoteDescription?.sdp ?? "");
    const live = this.#pc.getTransceivers().filter((t) => t.currentDirection === "recvonly").map((t) => t.mid ?? "");
    const next = sources(sdp);
    const changing = new Set(live.filter((mid) => now.get(mid) !== next.get(mid)));
    if (changing.size === 0) return;
    await this.#pc.setRemoteDescription({ type: "offer", sdp: quiet(sdp, changing) });
    this.#cover();
    await this.#pc.setLocalDescription(await this.#pc.createAnswer());
  }

  #cover(): void {
    for (const { direction, receiver } of this.#pc.getTransceivers())
      if (direction !== "stopped" && receiver.transform == null) this.#ports.sealing.open(receiver, noTrack, receiver.track.kind as MediaKind);
  }

  /** Every receiver gets its track's transform here, between the offer and the answer. One without a track name gets no media. */
  #assign(tracks: { mid: string; track: string }[]): void {
    this.#cover();
    const named = new Map(tracks.map(({ mid, track }) => [this.#mids.hidden(mid), track]));
    for (const [mid, track] of this.#byMid) {
      if (named.get(mid) !== track) {
        this.#byMid.delete(mid);
        this.#ports.sealing.forget(track);
      }
    }
    for (const t of this.#pc.getTransceivers()) {
      const track = t.mid === null ? undefined : named.get(t.mid);
      if (t.mid === null || track === undefined) {
        if (t.direction !== "stopped" && t.currentDirection !== "stopped") t.direction = "inactive";
        continue;
      }
      if (this.#byMid.get(t.mid) !== track) this.#ports.sealing.open(t.receiver, track, t.receiver.track.kind as MediaKind);
      if (t.receiver.transform == null) throw new Error("receiver without a seal");
      this.#byMid.set(t.mid, track);
      t.direction = "recvonly";
    }
  }

  #arrived(): Map<string, MediaStreamTrack> {
    const arrived = new Map<string, MediaStreamTrack>();
    for (const [track, receiver] of this.receivers()) arrived.set(track, receiver.track);
    return arrived;
  }
}
