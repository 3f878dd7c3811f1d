// The hall: where a person is (lobby, holding room, room), and the devices that go along. What a person does here changes
// what is shown at once; what it changes for others is an act, and shown when the log says so.
import { Own } from "../media/own";
import { Player } from "../media/player";
import type { DeviceKind } from "../view/model";
import { Attendance, type AttendancePorts } from "./session/attendance";
import type { Followed } from "./session/scopes";
import { asProblem, ProblemError } from "./problem";

export type Speaker = "untested" | "playing" | "asked" | "heard" | "not-heard";

export type Hold =
  | { readonly kind: "lobby" }
  | { readonly kind: "holding"; readonly followed: Followed; readonly speaker: Speaker; readonly entering: boolean }
  | { readonly kind: "room"; readonly attendance: Attendance; readonly wish: "stage" | "grid" | "photo"; readonly pinned: string | null };

/** A reload in the middle of a session goes straight back in; a closed tab does not. */
const lastRoom = "parley.room";
/** What a person has left is not entered again without being asked, not after a reload either. */
const lastLeft = "parley.left";

/** Reasons out of a room that are nobody's wish and pass by themselves. */
const again = new Set(["node-unreachable", "node-stopping", "session-suspended", "link-lost", "not-in-force", "internal"]);

export interface HallPorts {
  attend(followed: Followed, more: Pick<AttendancePorts, "own" | "player" | "gone">): Attendance;
  /** preparing: somebody is about to enter. */
  preparing(followed: Followed): void;
  warn(problem: ProblemError): void;
  /** left: the media of a room are over, and the node's end of them is of no use to the next. */
  left(): void;
  changed(): void;
}

export class Hall {
  readonly own: Own;
  readonly player: Player;
  readonly #ports: HallPorts;
  #hold: Hold = { kind: "lobby" };

  constructor(ports: HallPorts) {
    this.#ports = ports;
    this.player = new Player(ports.changed);
    this.own = new Own(() => {
      this.attendance?.showOwn();
      ports.changed();
    });
    const gesture = () => this.player.blocked && this.player.resume();
    addEventListener("pointerdown", gesture);
    addEventListener("keydown", gesture);
  }

  get hold(): Hold {
    return this.#hold;
  }

  get attendance(): Attendance | undefined {
    return this.#hold.kind === "room" ? this.#hold.attendance : undefined;
  }

  /** returning is the session this tab was in when it was reloaded. */
  static returning(): string | null {
    return sessionStorage.getItem(lastRoom);
  }

  /** left is the session that this person last went out of, or was put out of. */
  static left(): string | null {
    return sessionStorage.getItem(lastLeft);
  }

  async prepare(followed: Followed): Promise<void> {
    if (this.#hold.kind === "room") throw new ProblemError("already-done");
    this.#set({ kind: "holding", followed, speaker: "untested", entering: false });
    this.#ports.preparing(followed);
    if (this.own.state.microphone.kind === "off") await this.own.open(true);
  }

  async testSpeaker(): Promise<void> {
    this.#speaker("playing");
    try {
      await this.player.tone(this.own.context);
    } finally {
      this.#speaker("asked");
    }
  }

  confirmSpeaker(heard: boolean): void {
    this.#speaker(heard ? "heard" : "not-heard");
  }

  async choose(kind: DeviceKind, id: string): Promise<void> {
    await this.own.choose(kind, id);
    if (kind === "speaker") await this.player.choose(id);
  }

  async enter(): Promise<void> {
    const hold = this.#hold;
    if (hold.kind !== "holding" || hold.entering) return;
    this.#set({ ...hold, entering: true });
    const attendance = this.#ports.attend(hold.followed, { own: this.own, player: this.player, gone: (p) => void this.#gone(p) });
    this.#set({ kind: "room", attendance, wish: "stage", pinned: null });
    sessionStorage.setItem(lastRoom, hold.followed.id);
    sessionStorage.removeItem(lastLeft);
    try {
      await attendance.enter();
    } catch (e) {
      await this.#gone(asProblem(e));
      throw e;
    }
  }

  back(): void {
    if (this.#hold.kind === "room") void this.#gone(null);
    else {
      if (this.#hold.kind === "holding") sessionStorage.setItem(lastLeft, this.#hold.followed.id);
      this.own.close();
      this.#set({ kind: "lobby" });
    }
  }

  async leave(): Promise<void> {
    if (this.#hold.kind !== "room") return;
    const { attendance } = this.#hold;
    sessionStorage.removeItem(lastRoom);
    await attendance.leave().catch((e: unknown) => this.#ports.warn(asProblem(e)));
    await this.#gone(null);
  }

  async setCamera(on: boolean): Promise<void> {
    const { attendance } = this;
    if (on) {
      await this.own.openCamera();
      const { camera } = this.own.state;
      if (camera.kind === "failed") throw new ProblemError(camera.code);
      await attendance?.tracks.mute("camera", false);
    } else {
      this.own.closeCamera();
      if (attendance?.tracks.get("camera") !== undefined) {
        attendance.tracks.show("camera", null);
        await attendance.tracks.mute("camera", true);
      }
    }
  }

  async setMuted(muted: boolean): Promise<void> {
    await this.attendance?.tracks.mute("microphone", muted);
  }

  async shareScreen(): Promise<void> {
    if (this.attendance === undefined) throw new ProblemError("not-joined");
    await this.own.openScreen();
  }

  stopSharing(): void {
    this.own.closeScreen();
  }

  layout(wish: "stage" | "grid" | "photo"): void {
    if (this.#hold.kind === "room") this.#set({ ...this.#hold, wish });
  }

  pin(pinned: string | null): void {
    if (this.#hold.kind === "room") this.#set({ ...this.#hold, pinned });
  }

  async #gone(problem: ProblemError | null): Promise<void> {
    if (this.#hold.kind !== "room") return;
    const { attendance } = this.#hold;
    sessionStorage.removeItem(lastRoom);
    if (problem === null || !again.has(problem.code)) sessionStorage.setItem(lastLeft, attendance.followed.id);
    this.own.close();
    this.#set({ kind: "lobby" });
    await attendance.end();
    this.#ports.left();
    if (problem !== null) this.#ports.warn(problem);
  }

  #speaker(speaker: Speaker): void {
    if (this.#hold.kind === "holding") this.#set({ ...this.#hold, speaker });
  }

  #set(hold: Hold): void {
    this.#hold = Object.freeze(hold);
    this.#ports.changed();
  }
}
