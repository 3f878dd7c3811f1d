// What arrives of others: which tracks have media, which of them have shown a frame, which are heard, and how their seals hold.
import type { Down } from "../../media/down";
import { pictureOf, type Picture } from "../../media/picture";
import type { Player } from "../../media/player";
import type { TrackCounters } from "../../seal/messages";

export type Opening = "opening" | "sealed" | "cannot-open";

interface Arrival {
  readonly media: MediaStreamTrack;
  readonly kind: "audio" | "video";
  seen: boolean;
  opened: number;
  failed: number;
  openedAt: number;
  failedAt: number;
  epoch: bigint | null;
  /** Frames the browser decoded, and how many were opened when that number last changed. */
  decoded: number;
  decodedAt: number;
  openedThen: number;
}

interface InboundStats {
  type: string;
  trackIdentifier?: string;
  audioLevel?: number;
  framesDecoded?: number;
}

/** So many frames opened and none decoded for so long, ms, is a decoder that will not go on by itself. */
const stuckFrames = 10;
const stuckFor = 1_500;

/** A voice above this peak, 0 to 1, counts as speaking; it is held so that a plate does not flicker between words. */
const speaking = 0.02;
const heldFor = 700;
/** A track that fails and has not opened for this long cannot be opened. */
const patience = 3_000;
/** What came within this time is missed when it stops, ms. */
const expectedFor = 10_000;

export class Arrivals {
  readonly #player: Player;
  readonly #changed: () => void;
  readonly #arrivals = new Map<string, Arrival>();
  readonly #spoke = new Map<string, number>();
  #silent = false;
  /** When nothing had to come for the last time, ms. */
  #idle = -Infinity;

  constructor(player: Player, changed: () => void) {
    this.#player = player;
    this.#changed = changed;
  }

  /** set takes the tracks that have media now; what is gone is no longer played. */
  set(tracks: ReadonlyMap<string, MediaStreamTrack>): void {
    for (const track of this.#arrivals.keys()) if (!tracks.has(track)) this.#arrivals.delete(track);
    for (const [track, media] of tracks) {
      if (this.#arrivals.get(track)?.media === media) continue;
      const kind = media.kind === "audio" ? "audio" : "video";
      this.#arrivals.set(track, { media, kind, seen: false, opened: 0, failed: 0, openedAt: -Infinity, failedAt: -Infinity, epoch: null, decoded: -1, decodedAt: 0, openedThen: 0 });
      if (kind === "video") this.#watch(track, media);
    }
    this.#play();
    this.#changed();
  }

  /** silence stops all sound while a session stands still or is over. */
  silence(silent: boolean): void {
    if (this.#silent === silent) return;
    this.#silent = silent;
    this.#idle = Date.now();
    this.#play();
  }

  has(track: string): boolean {
    return this.#arrivals.has(track);
  }

  /** picture is what a page may show; null until a frame was decoded. */
  picture(track: string): Picture | null {
    const a = this.#arrivals.get(track);
    return a === undefined || !a.seen ? null : pictureOf(a.media);
  }

  opening(track: string, now: number): Opening {
    const a = this.#arrivals.get(track);
    if (a === undefined) return "opening";
    if (a.failedAt > a.openedAt && now - a.openedAt > patience && a.failed > 2) return "cannot-open";
    return a.opened > 0 || a.seen ? "sealed" : "opening";
  }

  /** stalled says that a track which came has stopped coming. While a session stands still nobody sends, and nobody is missed; frames that come and do not open are no interruption. */
  stalled(track: string, now: number): boolean {
    const a = this.#arrivals.get(track);
    return a !== undefined && a.opened > 0 && !this.#silent && now - Math.max(a.openedAt, a.failedAt, this.#idle) > patience + 1_000;
  }

  /** expected says that something came a moment ago and should go on to come. */
  expected(now: number): boolean {
    return !this.#silent && [...this.#arrivals.values()].some((a) => now - a.openedAt < expectedFor);
  }

  /** The browser goes on reporting the last loudness of a track that has stopped: who is not heard is not shown as speaking. */
  speaking(track: string, now: number): boolean {
    return !this.#silent && !this.stalled(track, now) && now - (this.#spoke.get(track) ?? -Infinity) < heldFor;
  }

  /** frames counts the opened frames of a track, for the debug surface. */
  frames(): { track: string; opened: number; failed: number; epoch: string | null }[] {
    return [...this.#arrivals].map(([track, a]) => ({ track, opened: a.opened, failed: a.failed, epoch: a.epoch === null ? null : String(a.epoch) }));
  }

  /** count takes the seal's counters, once a second. */
  count(all: readonly TrackCounters[], now: number): void {
    let changed = false;
    for (const c of all) {
      const a = c.direction === "receive" ? this.#arrivals.get(c.trackId) : undefined;
      if (a === undefined) continue;
      const failed = c.counters.forged + c.counters["no-key"] + c.counters["wrong-leaf"] + c.counters["wrong-context"] + c.counters.malformed;
      if (c.counters.opened > a.opened) a.openedAt = now;
      if (failed > a.failed) a.failedAt = now;
      changed ||= c.counters.opened > 0 !== a.opened > 0 || failed > a.failed;
      a.opened = c.counters.opened;
      a.failed = failed;
      a.epoch = c.epoch;
    }
    if (changed) this.#changed();
  }

  /**
   * measure asks the browser what it made of what arrived. The loudness: the header extension that would tell is never negotiated.
   * And the decoder: it returns the tracks whose frames open and are not decoded, as when the source behind a node began its
   * count anew.
   */
  async measure(down: Down, now: () => number): Promise<string[]> {
    const byMedia = new Map([...this.#arrivals].map(([track, a]) => [a.media.id, track]));
    const frozen: string[] = [];
    let changed = false;
    for (const s of (await down.stats()).values() as IterableIterator<InboundStats>) {
      const track = s.type === "inbound-rtp" ? byMedia.get(s.trackIdentifier ?? "") : undefined;
      const a = track === undefined ? undefined : this.#arrivals.get(track);
      if (track === undefined || a === undefined) continue;
      if (a.kind === "video" && this.#stuck(a, s.framesDecoded ?? 0, now())) frozen.push(track);
      if (a.kind === "video" || (s.audioLevel ?? 0) < speaking) continue;
      changed ||= !this.speaking(track, now());
      this.#spoke.set(track, now());
    }
    if (changed) this.#changed();
    return frozen;
  }

  #stuck(a: Arrival, decoded: number, now: number): boolean {
    if (decoded !== a.decoded) {
      a.decoded = decoded;
      a.decodedAt = now;
      a.openedThen = a.opened;
    }
    return a.opened - a.openedThen > stuckFrames && now - a.decodedAt > stuckFor;
  }

  close(): void {
    this.#arrivals.clear();
    this.#player.only(new Set());
  }

  #play(): void {
    const audible = new Set<string>();
    for (const [track, a] of this.#arrivals) {
      if (a.kind !== "audio" || this.#silent) continue;
      audible.add(track);
      this.#player.play(track, a.media);
    }
    this.#player.only(audible);
  }

  /** A frame has been decoded when an element has drawn one; the element is never in the page. */
  #watch(track: string, media: MediaStreamTrack): void {
    const probe = document.createElement("video");
    probe.muted = true;
    probe.srcObject = new MediaStream([media]);
    void probe.play().catch(() => undefined);
    probe.requestVideoFrameCallback(() => {
      probe.srcObject = null;
      const a = this.#arrivals.get(track);
      if (a?.media !== media) return;
      a.seen = true;
      this.#changed();
    });
  }
}
