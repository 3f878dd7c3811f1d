// From the lobby to the room and back: one session at a time that this person prepares for, enters, and leaves.
import type { Own } from "../../media/own";
import type { Path } from "../../media/peer";
import type { Player } from "../../media/player";
import type { Source } from "../../media/up";
import type { Holding, TrackCounters } from "../../seal/messages";
import type { Description, Relay } from "../../wire/parley/v1/signal_pb";
import { hex } from "../../words/bytes";
import type { Author, MadeAct } from "../author";
import { ProblemError } from "../problem";
import { Seals } from "../seals";
import type { Socket } from "../socket";
import type { Workers } from "../workers";
import { Arrivals } from "./arrivals";
import { RoomMedia } from "./media";
import type { Evidence } from "./evidence";
import { OwnTracks } from "./own-tracks";
import { Room } from "./room";
import type { Applied } from "./scope-log";
import type { Followed } from "./scopes";
import { wants } from "./wants";

export interface AttendancePorts {
  readonly followed: Followed;
  readonly socket: Socket;
  readonly workers: Workers;
  readonly author: Author;
  readonly own: Own;
  readonly player: Player;
  readonly person: string;
  path(): Path;
  accreditation(): Uint8Array;
  submit(made: MadeAct): Promise<void>;
  alarm(problem: ProblemError): void;
  evidence(e: Evidence): void;
  warn(problem: ProblemError): void;
  gone(problem: ProblemError | null): void;
  /** sent: the join is on its way, or an answer to an offer of the node. */
  sent(what: "join" | "answer"): void;
  changed(): void;
  now(): number;
  nodeNow(): number;
  wake(at: number): void;
}

const reportEvery = 5_000;

export class Attendance {
  readonly followed: Followed;
  readonly tracks: OwnTracks;
  readonly arrivals: Arrivals;
  readonly room: Room;
  readonly #ports: AttendancePorts;
  readonly #media: RoomMedia;
  readonly #seals: Seals;
  #stage: string | undefined;
  #reported = -Infinity;
  #sealed = { frames: 0, at: -Infinity };

  constructor(ports: AttendancePorts) {
    this.#ports = ports;
    this.followed = ports.followed;
    const { followed, workers, socket, player } = ports;
    const { scope } = followed;
    this.tracks = new OwnTracks({
      submit: async (kind, body) => ports.submit(await ports.author.act(scope, kind, body)),
      failed: (e) => ports.warn(e instanceof ProblemError ? e : new ProblemError("media-failed")),
      changed: ports.changed,
    });
    this.arrivals = new Arrivals(player, ports.changed);
    this.#seals = new Seals({
      worker: workers.seal,
      tell: workers.tell,
      scope: followed.id,
      codecOf: (id) => this.#track(id)?.codec as "opus" | "vp9" | "vp8" | undefined,
      leafOf: (id) => this.#leafOf(id),
    });
    this.#media = new RoomMedia({
      socket,
      sealing: this.#seals,
      tracks: this.tracks,
      arrivals: this.arrivals,
      failed: () => ports.warn(new ProblemError("media-failed")),
      answered: () => ports.sent("answer"),
      changed: ports.changed,
    });
    this.room = new Room({
      ...ports,
      keys: workers.keys,
      log: followed.log,
      evidence: (statements) => ports.evidence({ what: "attestation", scope, at: ports.nodeNow(), statements }),
      scope,
      relay: (kind, payload) => void socket.send({ case: "relay", value: { scope, kind, payload } }),
      tell: workers.tell,
      keyFrames: () => this.#media.keyFrames(),
      member: (identity) => workers.spare.take(identity, ports.nodeNow()),
      joined: (again) => {
        this.tracks.joined(again, this.#isFirst());
        ports.sent("join");
      },
      changed: () => this.#refresh(),
    });
  }

  /** enter joins: connections, join act and tracks leave together, and none waits for another. */
  async enter(): Promise<void> {
    this.showOwn();
    this.connect();
    await this.room.enter();
  }

  /** connect makes the media anew, after every Welcome. */
  connect(): void {
    this.#media.connect(this.#ports.path());
    this.#refresh();
  }

  /** showOwn sends what the devices give: at entry and whenever a device was changed. */
  showOwn(): void {
    const { microphone, camera, screen, screenSound } = this.#ports.own.state;
    if (microphone.kind === "live") this.tracks.show("microphone", microphone.track);
    if (microphone.kind === "failed") this.tracks.lose("microphone");
    if (camera.kind === "live") this.tracks.show("camera", camera.track);
    if (camera.kind === "failed") this.tracks.lose("camera");
    this.#share("screen", screen);
    this.#share("screen-audio", screenSound);
  }

  applied(a: Applied): void {
    this.room.applied(a);
    if (a.effects.some((e) => e.kind === "joined") && a.id === this.room.joinId) this.#look();
    if (a.effects.some((e) => e.kind === "joined" || e.kind === "resumed")) this.#media.again();
    this.#refresh();
  }

  offered(d: Description): void {
    this.#media.offered(d);
  }

  relayed(r: Relay): void {
    void this.room.relayed(r);
  }

  counted(tracks: readonly TrackCounters[]): void {
    const now = this.#ports.now();
    this.arrivals.count(tracks, now);
    const microphone = this.tracks.get("microphone")?.id;
    const sealed = tracks.find((t) => t.direction === "send" && t.trackId === microphone)?.counters.sealed ?? 0;
    if (sealed > this.#sealed.frames) this.#sealed = { frames: sealed, at: now };
  }

  /** heard says that the microphone's sealed packets have left within the last seconds. */
  heard(now: number): boolean {
    return now - this.#sealed.at < 3_000;
  }

  /** stage tells whose picture is large, for what is asked of the node. */
  stage(join: string | undefined): void {
    if (this.#stage === join) return;
    this.#stage = join;
    this.#want();
  }

  networkChanged(): void {
    this.#media.moved();
  }

  mediaFailing(now: number): boolean {
    return this.#media.failing(now);
  }

  tick(now: number): void {
    this.room.tick(now);
    if (this.room.member?.state === "live" && this.followed.log.state.phase() === "agreed") this.#look();
    void this.#media.tick(this.#ports.now);
    if (now - this.#reported >= reportEvery) this.#report(now);
  }

  async leave(): Promise<void> {
    this.#media.close();
    await this.room.leave();
  }

  async end(): Promise<void> {
    this.#media.close();
    this.arrivals.close();
    this.tracks.end();
    await this.room.end();
  }

  /** No earlier join of this device stands; before the log has been read nobody knows. */
  #isFirst(): boolean {
    const { state } = this.followed.log;
    return this.followed.caughtUp && state.memberOfDevice(this.#ports.author.device.publicKey) === undefined;
  }

  /** The node's health page shows whether this device works, for the side's own technical lead. */
  #report(now: number): void {
    this.#reported = now;
    const { microphone, camera } = this.#ports.own.state;
    const level = microphone.kind === "live" ? (microphone.level?.value ?? 0) : 0;
    const value = {
      microphoneLive: microphone.kind === "live" && this.heard(now),
      levelDbov: Math.max(-127, Math.round(20 * Math.log10(level + 1e-7))),
      cameraLive: camera.kind === "live",
      hears: this.arrivals.frames().filter((t) => t.opened > 0).map((t) => t.track),
    };
    this.#ports.socket.send({ case: "report", value });
  }

  #look(): void {
    this.tracks.look((id) => this.#track(id)?.muted);
  }

  #share(source: Source, media: MediaStreamTrack | null): void {
    if (media !== null) this.tracks.show(source, media);
    else void this.tracks.hide(source).catch(() => undefined);
  }

  #refresh(): void {
    this.#seals.refresh();
    this.arrivals.silence(this.followed.log.broken !== undefined || this.followed.log.state.phase() !== "agreed");
    this.#want();
    this.#ports.changed();
  }

  #want(): void {
    const { state } = this.followed.log;
    const own = this.room.joinId ?? "";
    const announced = state.tracks().map((t) => ({ id: t.id, join: hex(t.join), source: t.source, muted: t.muted })).filter((t) => !this.room.isNamed(t.join));
    this.#media.want(wants(announced, own, this.#stage));
  }

  #track(id: string) {
    return this.followed.log.state.tracks().find((t) => t.id === id);
  }

  #leafOf(id: string): Holding | null {
    const track = this.#track(id);
    const leaf = track === undefined || this.room.isNamed(hex(track.join)) ? null : this.room.leafOf(hex(track.join));
    const since = track === undefined ? undefined : this.followed.log.state.member(track.join)?.since;
    return leaf === null || since === undefined ? null : { leaf, since: BigInt(since) };
  }
}
