// The media of a room: one up and one down connection as long as the socket lives, and new ones after it was lost.
import { Down } from "../../media/down";
import type { Path, PeerState } from "../../media/peer";
import { Silence } from "../../media/silence";
import type { Sealing } from "../../media/sealing";
import { Up, type Description } from "../../media/up";
import type { Description as WireDescription } from "../../wire/parley/v1/signal_pb";
import type { Socket } from "../socket";
import type { Arrivals } from "./arrivals";
import type { OwnTracks } from "./own-tracks";
import { sameWants, type WantedTrack } from "./wants";

/** How long a connection may be down before the person is told, ms. */
const patience = 3_000;

/** How often frozen tracks are asked for anew, and how long they are given back for, ms. */
const thawEvery = 4_000;
const thawAfter = 150;

export interface RoomMediaPorts {
  readonly socket: Socket;
  readonly sealing: Sealing;
  readonly tracks: OwnTracks;
  readonly arrivals: Arrivals;
  failed(e: unknown): void;
  /** answered: an offer of the node has been answered. */
  answered(): void;
  changed(): void;
}

export class RoomMedia {
  readonly #ports: RoomMediaPorts;
  #up: Up | undefined;
  #down: Down | undefined;
  #states: { up: PeerState; down: PeerState } = { up: "new", down: "new" };
  #badSince: number | undefined;
  #wanted: readonly WantedTrack[] = [];
  #thawedAt = -Infinity;
  #welcome = 0;
  readonly #silence = { up: new Silence(), down: new Silence() };
  #looking = false;

  constructor(ports: RoomMediaPorts) {
    this.#ports = ports;
  }

  /**
   * connect makes both connections anew: at entry and after every Welcome. ICE starts now, long before there are keys. Under the same
   * Welcome it does nothing: the node still has its end of the down connection and would not offer to another.
   */
  connect(path: Path): void {
    if (this.#up !== undefined && this.#welcome === this.#ports.socket.welcomes) return;
    this.close();
    this.#welcome = this.#ports.socket.welcomes;
    const { sealing, failed, socket, arrivals, tracks } = this.#ports;
    this.#up = new Up({
      path,
      sealing,
      offer: async (d) => fromWire(await socket.ask("upAnswer", { case: "upOffer", value: d })),
      changed: (s) => this.#state("up", s),
      failed,
    });
    this.#down = new Down({
      path,
      sealing,
      answer: (d) => {
        socket.send({ case: "downAnswer", value: d });
        this.#ports.answered();
      },
      changed: (s) => this.#state("down", s),
      tracks: (arrived) => arrivals.set(arrived),
      failed,
    });
    tracks.connect(this.#up);
    const wanted = this.#wanted;
    this.#wanted = [];
    this.want(wanted);
  }

  offered(d: WireDescription): void {
    this.#down?.offered(fromWire(d));
  }

  /** want tells the node which tracks to send; the whole list, when it changed. */
  want(tracks: readonly WantedTrack[]): void {
    if (sameWants(tracks, this.#wanted)) return;
    if (this.#ports.socket.send({ case: "want", value: { tracks: tracks.map((t) => ({ ...t })) } })) this.#wanted = tracks;
  }

  /** again sends the wishes anew: a node hears them only from who has joined. */
  again(): void {
    const wanted = this.#wanted;
    this.#wanted = [];
    this.want(wanted);
  }

  /** moved looks for new paths, because the device's network changed. */
  moved(): void {
    this.#up?.restart();
    this.#down?.restart();
  }

  keyFrames(): void {
    void this.#up?.keyFrames();
  }

  /** failing says that media has been down for longer than a person would forgive. */
  failing(now: number): boolean {
    return this.#badSince !== undefined && now - this.#badSince > patience;
  }

  async tick(now: () => number): Promise<void> {
    if (this.#down === undefined) return;
    const frozen = await this.#ports.arrivals.measure(this.#down, now).catch(() => []);
    if (frozen.length > 0 && now() - this.#thawedAt > thawEvery) this.#thaw(frozen, now());
    await this.#listen(now);
  }

  /**
   * Both connections go the same way: what one is not answered on, the other would be cut on too. New connections stand sooner than an ICE
   * restart: a browser keeps to the old path for seconds, and the node hears of the new one still later. They need a new socket, which may hang
   * on the same dead path anyway.
   */
  async #listen(now: () => number): Promise<void> {
    const { tracks, arrivals } = this.#ports;
    if (this.#looking || this.#up === undefined || this.#down === undefined) return;
    this.#looking = true;
    try {
      const sends = tracks.all().some((t) => t.media !== null);
      const [silence, report] = sends ? [this.#silence.up, await this.#up.stats()] : [this.#silence.down, await this.#down.stats()];
      const dead = silence.look(report.values(), !sends && arrivals.expected(now()), now());
      if (silence.came) this.#ports.socket.elsewhere();
      if (dead && sends) this.#ports.socket.abandon();
      if (dead && !sends) this.moved(); // others may simply have fallen silent
    } catch {
      // closed meanwhile
    } finally {
      this.#looking = false;
    }
  }

  /** A frozen track is given back and asked for again: the node sends it with fresh numbers, to a fresh decoder. */
  #thaw(frozen: readonly string[], now: number): void {
    this.#thawedAt = now;
    const all = this.#wanted;
    this.want(all.filter((w) => !frozen.includes(w.track)));
    setTimeout(() => this.want(all), thawAfter);
  }

  close(): void {
    this.#ports.tracks.connect(undefined);
    this.#up?.close();
    this.#down?.close();
    this.#up = this.#down = undefined;
    this.#ports.arrivals.set(new Map());
    this.#badSince = undefined;
  }

  #state(which: "up" | "down", state: PeerState): void {
    if (this.#states[which] === state) return;
    this.#states = { ...this.#states, [which]: state };
    const bad = Object.values(this.#states).some((s) => s === "failed" || s === "interrupted");
    this.#badSince = bad ? (this.#badSince ?? Date.now()) : undefined;
    this.#ports.changed();
  }
}

function fromWire(d: WireDescription): Description {
  return { sdp: d.sdp, generation: d.generation, tracks: d.tracks.map(({ mid, track }) => ({ mid, track })), iceRestart: d.iceRestart };
}
