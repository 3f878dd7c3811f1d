// What the session tells the seal: which transform belongs to which track, and which leaf may speak in it.
import type { MediaKind, Sealing } from "../media/sealing";
import type { Holding, SealOptions, SealRequest } from "../seal/messages";

type Codec = SealOptions["codec"];

export interface SealPorts {
  worker: Worker;
  tell(request: SealRequest): void;
  /** scope in whose group tracks are sealed, hex. */
  scope: string;
  /** codec that the announcement of a track names. */
  codecOf(track: string): Codec | undefined;
  /** leaf of the member who announced a track, null while none is known. */
  leafOf(track: string): Holding | null;
}

export class Seals implements Sealing {
  readonly #ports: SealPorts;
  readonly #opening = new Map<string, Holding | null>();

  constructor(ports: SealPorts) {
    this.#ports = ports;
  }

  seal(sender: RTCRtpSender, track: string, kind: MediaKind): void {
    sender.transform = this.#transform("send", track, kind, null);
  }

  open(receiver: RTCRtpReceiver, track: string, kind: MediaKind): void {
    const leaf = this.#ports.leafOf(track);
    this.#opening.set(track, leaf);
    receiver.transform = this.#transform("receive", track, kind, leaf);
  }

  forget(track: string): void {
    if (this.#opening.delete(track)) this.#ports.tell({ kind: "allow-leaf", trackId: track, leaf: null });
  }

  /** refresh is called when the roster or the group changed: a frame opens only under the leaf of who announced its track. */
  refresh(): void {
    for (const [track, before] of this.#opening) {
      const leaf = this.#ports.leafOf(track);
      if (leaf?.leaf === before?.leaf && leaf?.since === before?.since) continue;
      this.#opening.set(track, leaf);
      this.#ports.tell({ kind: "allow-leaf", trackId: track, leaf });
    }
  }

  #transform(direction: SealOptions["direction"], trackId: string, kind: MediaKind, leaf: Holding | null): RTCRtpScriptTransform {
    const codec = this.#ports.codecOf(trackId) ?? (kind === "audio" ? "opus" : "vp9");
    const options: SealOptions = { direction, scope: this.#ports.scope, trackId, kind, codec, leaf };
    return new RTCRtpScriptTransform(this.#ports.worker, options);
  }
}
