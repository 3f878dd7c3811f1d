// One's own tracks: from a device's media to an announced, sealed, sent track.
//
// Narrowing is local first: a muted microphone is silent here before the act that says so has left. Widening is the log's: an
// unmuted microphone is shown as live when the act is in the log, and the node forwards nothing before.
import { codecOf, type Source, type Up } from "../../media/up";
import { asProblem } from "../problem";

export interface OwnTrack {
  readonly id: string;
  readonly source: Source;
  readonly media: MediaStreamTrack | null;
  readonly muted: boolean;
  /** Muted because its device was gone, not by the person: with the device it comes back. */
  readonly lost?: boolean;
}

export interface OwnTracksPorts {
  /** submit sends an act of this person; it rejects with a ProblemError. */
  submit(kind: string, body: object): Promise<void>;
  failed(e: unknown): void;
  changed(): void;
}

export class OwnTracks {
  readonly #ports: OwnTracksPorts;
  readonly #tracks = new Map<Source, OwnTrack>();
  #up: Up | undefined;
  #joined = false;
  /** Ids whose announcement is on its way or in the log. */
  readonly #announced = new Set<string>();
  /** Ids with a mute or unmute on its way. */
  readonly #muting = new Set<string>();

  constructor(ports: OwnTracksPorts) {
    this.#ports = ports;
  }

  get(source: Source): OwnTrack | undefined {
    return this.#tracks.get(source);
  }

  all(): OwnTrack[] {
    return [...this.#tracks.values()];
  }

  /** connect takes a new up connection: after a reconnect every track gets its place again, under the same id. */
  connect(up: Up | undefined): void {
    this.#up = up;
    for (const t of this.#tracks.values()) this.#send(t);
  }

  /**
   * joined says that the join is on its way. What is shown is announced along with it, unless an earlier join of this device still
   * stands (first is false): an announcement that overtakes the new join would be taken for the old one's. A second join of this
   * page ends all that the first announced.
   */
  joined(again: boolean, first: boolean): void {
    this.#joined = true;
    if (again) {
      for (const [source, t] of this.#tracks) {
        this.#up?.drop(t.id);
        this.#tracks.set(source, { ...t, id: trackId() });
        this.#send(this.#tracks.get(source)!);
      }
    }
    if (first) for (const t of this.#tracks.values()) this.#announce(t);
    else this.#joined = false; // look follows when the join is in the log
  }

  /**
   * look announces what could not be announced before (the join was still on its way, or the session stood still), and says again
   * what is muted here and not yet in the log.
   */
  look(muted: (track: string) => boolean | undefined): void {
    this.#joined = true;
    for (const t of this.#tracks.values()) {
      this.#announce(t);
      if (t.muted && muted(t.id) === false && !this.#muting.has(t.id)) void this.#submitMute(t, true).catch(() => undefined);
      this.#found(t);
    }
  }

  /** show sends a source, or replaces the media of one that is sent. */
  show(source: Source, media: MediaStreamTrack | null, muted = false): void {
    const before = this.#tracks.get(source);
    if (before !== undefined) {
      this.#set({ ...before, media });
      this.#found(this.#tracks.get(source)!);
      return;
    }
    const track = { id: trackId(), source, media, muted };
    if (media !== null) media.enabled = !muted;
    this.#tracks.set(source, track);
    this.#send(track);
    if (this.#joined) this.#announce(track);
    this.#ports.changed();
  }

  /** lose: the device of a source is gone. Others are told that nothing comes, and it comes back with the device. */
  lose(source: Source): void {
    const track = this.#tracks.get(source);
    if (track === undefined || track.media === null) return;
    this.#set({ ...track, media: null, muted: true, lost: !track.muted || track.lost === true });
    if (!track.muted && this.#joined) void this.#submitMute(track, true).catch(() => undefined); // look says it again
  }

  /** found opens what only its lost device had muted. */
  #found(track: OwnTrack): void {
    if (track.lost === true && track.media !== null && !this.#muting.has(track.id)) void this.mute(track.source, false).catch(() => undefined);
  }

  async hide(source: Source): Promise<void> {
    const track = this.#tracks.get(source);
    if (track === undefined) return;
    this.#tracks.delete(source);
    this.#up?.drop(track.id);
    this.#ports.changed();
    if (this.#joined) await this.#ports.submit("withdraw", { track: track.id });
  }

  async mute(source: Source, muted: boolean): Promise<void> {
    const track = this.#tracks.get(source);
    if (track === undefined || track.muted === muted) return;
    this.#set({ ...track, muted, lost: false });
    try {
      if (this.#joined) await this.#submitMute(track, muted);
    } catch (e) {
      if (muted) return; // silent here already; look says it again
      // A refused unmute leaves the microphone as silent as it was.
      const now = this.#tracks.get(source);
      if (now?.id === track.id) this.#set({ ...now, muted: true, lost: track.lost === true });
      throw e;
    }
  }

  /** end forgets the join; media stays with the devices. */
  end(): void {
    this.#joined = false;
    this.#up = undefined;
    this.#announced.clear();
    this.#tracks.clear();
  }

  async #submitMute(track: OwnTrack, muted: boolean): Promise<void> {
    this.#muting.add(track.id);
    try {
      await this.#ports.submit(muted ? "mute" : "unmute", { track: track.id });
    } finally {
      this.#muting.delete(track.id);
    }
  }

  #set(track: OwnTrack): void {
    this.#tracks.set(track.source, track);
    if (track.media !== null) track.media.enabled = !track.muted;
    this.#up?.put(track.id, track.media).catch(this.#ports.failed);
    this.#ports.changed();
  }

  #send(track: OwnTrack): void {
    this.#up?.add(track.id, track.source);
    this.#up?.put(track.id, track.media).catch(this.#ports.failed);
  }

  #announce(track: OwnTrack): void {
    if (this.#announced.has(track.id)) return;
    this.#announced.add(track.id);
    const body = { track: track.id, source: track.source, codec: codecOf(track.source), muted: track.muted };
    this.#ports.submit("publish", body).catch((e: unknown) => {
      if (early.has(asProblem(e).code)) setTimeout(() => this.#announced.delete(track.id), againAfter);
      else this.#ports.failed(e);
    });
  }
}

/** How long an announcement that came too early waits before it is made again, ms. */
const againAfter = 300;
/** Refusals that say "not yet". Track ids are random, so "already-done" means that an earlier join still shows this source. */
const early = new Set(["already-done", "not-joined", "session-suspended", "not-in-force", "unknown-session", "link-lost"]);

/** trackId is 16 random bytes as 22 characters of base64url. */
export function trackId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
