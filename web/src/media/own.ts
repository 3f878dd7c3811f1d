// One's own microphone, camera and screen as they are now. Nothing here sends: up.ts is given the tracks.
import { Level } from "./level";
import { type Choice, codeOf, DeviceError, type Listed, listDevices, openBoth, openCamera, openMicrophone, openScreen } from "./devices";

export type OwnDevice =
  | { readonly kind: "off" }
  | { readonly kind: "asking" }
  | { readonly kind: "live"; readonly track: MediaStreamTrack; readonly level: Level | null }
  | { readonly kind: "failed"; readonly code: string };

export interface OwnState {
  readonly microphone: OwnDevice;
  readonly camera: OwnDevice;
  readonly screen: MediaStreamTrack | null;
  readonly screenSound: MediaStreamTrack | null;
  readonly listed: readonly Listed[];
  readonly chosen: Readonly<{ microphone: string | null; camera: string | null; speaker: string | null }>;
}

const nothing: OwnState = {
  microphone: { kind: "off" },
  camera: { kind: "off" },
  screen: null,
  screenSound: null,
  listed: [],
  chosen: { microphone: null, camera: null, speaker: null },
};

type Captured = "microphone" | "camera";

export class Own {
  #state: OwnState = nothing;
  #context: AudioContext | undefined;
  readonly #changed: (state: OwnState) => void;
  readonly #choice: Choice = { echoCancellation: true };
  /** How often each device was asked for or closed: what answers an older wish is stopped at once, and shown nowhere. */
  readonly #wish = { microphone: 0, camera: 0 };
  readonly #permissions: Partial<Record<Captured, PermissionStatus>> = {};

  constructor(changed: (state: OwnState) => void) {
    this.#changed = changed;
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#plugged());
    void this.#watchPermission("microphone");
    void this.#watchPermission("camera");
  }

  get state(): OwnState {
    return this.#state;
  }

  /** context is the one AudioContext: it measures the microphone and plays the test tone. */
  get context(): AudioContext {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    if (this.#context.state === "suspended") void this.#context.resume().catch(() => undefined);
    return this.#context;
  }

  /** open asks for both at once; if that is refused, for each: a camera not to be had takes nothing from the microphone. */
  async open(camera: boolean): Promise<void> {
    const wanted: Captured[] = camera ? ["microphone", "camera"] : ["microphone"];
    await this.#ask(wanted.filter((kind) => this.#state[kind].kind !== "live"));
  }

  /** again asks for what was wanted and could not be had, and for nothing that the person has closed. */
  async again(): Promise<void> {
    await this.#ask((["microphone", "camera"] as const).filter((kind) => this.#state[kind].kind === "failed"));
  }

  async openCamera(): Promise<void> {
    if (this.#state.camera.kind !== "live") await this.#open("camera");
  }

  closeCamera(): void {
    this.#close("camera");
  }

  async openScreen(): Promise<void> {
    const { picture, sound } = await openScreen();
    picture.onended = () => this.closeScreen();
    this.#set({ screen: picture, screenSound: sound ?? null });
  }

  closeScreen(): void {
    this.#state.screen?.stop();
    this.#state.screenSound?.stop();
    this.#set({ screen: null, screenSound: null });
  }

  /** choose changes a device. The one in use goes on until the other gives something, and stays if the other cannot be had. */
  async choose(kind: Listed["kind"], id: string): Promise<void> {
    if (kind === "speaker") {
      this.#set({ chosen: { ...this.#state.chosen, speaker: id } });
      return;
    }
    const before = this.#choice[kind];
    this.#choice[kind] = id;
    if (this.#state[kind].kind !== "live") return this.#open(kind);
    const wish = ++this.#wish[kind];
    try {
      this.#take(kind, await openOne[kind](this.#choice), wish);
    } catch (e) {
      if (wish !== this.#wish[kind]) return;
      if (before === undefined) delete this.#choice[kind];
      else this.#choice[kind] = before;
      throw e;
    }
  }

  close(): void {
    this.#close("microphone");
    this.#close("camera");
    this.closeScreen();
  }

  async #ask(kinds: readonly Captured[]): Promise<void> {
    for (const kind of kinds) this.#set({ [kind]: { kind: "asking" } });
    if (kinds.length === 2) await this.#openBoth();
    for (const kind of kinds) if (this.#state[kind].kind === "asking") await this.#open(kind);
    await this.#list();
  }

  async #openBoth(): Promise<void> {
    const wishes = { microphone: ++this.#wish.microphone, camera: ++this.#wish.camera };
    try {
      const both = await openBoth(this.#choice);
      this.#take("microphone", both.microphone, wishes.microphone);
      this.#take("camera", both.camera, wishes.camera);
    } catch {
      // one of them, or both: each is asked for
    }
  }

  /** quiet: by itself, so that a failure shown stays until it is over. */
  async #open(kind: Captured, quiet = false): Promise<void> {
    const wish = ++this.#wish[kind];
    if (!quiet) this.#set({ [kind]: { kind: "asking" } });
    try {
      this.#take(kind, await openOne[kind](this.#choice), wish);
    } catch (e) {
      if (wish === this.#wish[kind]) this.#set({ [kind]: { kind: "failed", code: refusal(e, kind) } });
    }
  }

  #take(kind: Captured, track: MediaStreamTrack, wish: number): void {
    if (wish !== this.#wish[kind]) {
      track.stop();
      return;
    }
    stop(this.#state[kind]);
    track.onended = () => this.#gone(kind, track);
    const level = kind === "microphone" ? new Level(this.context, track) : null;
    this.#set({ [kind]: { kind: "live", track, level }, chosen: this.#nowChosen(kind, track) });
  }

  #close(kind: Captured): void {
    this.#wish[kind]++;
    stop(this.#state[kind]);
    this.#set({ [kind]: { kind: "off" } });
  }

  #gone(kind: Captured, track: MediaStreamTrack): void {
    const now = this.#state[kind];
    if (now.kind !== "live" || now.track !== track) return;
    now.level?.close();
    this.#set({ [kind]: { kind: "failed", code: `${kind}-${this.#permissions[kind]?.state === "denied" ? "refused" : "lost"}` } });
    void this.#list();
  }

  /** Plugged in again, a device goes on by itself: who lost it in mid-sentence shall not look for a button. */
  async #plugged(): Promise<void> {
    await this.#list();
    for (const kind of ["microphone", "camera"] as const)
      if (this.#failed(kind) === `${kind}-lost` && this.#state.listed.some((d) => d.kind === kind)) await this.#open(kind, true);
  }

  /** Allowed in the browser's own bar, a device that was asked for needs no second button and no reload. */
  async #watchPermission(kind: Captured): Promise<void> {
    try {
      const permission = await navigator.permissions.query({ name: kind as PermissionName });
      this.#permissions[kind] = permission;
      permission.onchange = () => {
        const failed = this.#failed(kind);
        if (permission.state === "granted" && failed === `${kind}-refused`) void this.#open(kind).then(() => this.#list());
        if (permission.state === "denied" && failed === `${kind}-lost`) this.#set({ [kind]: { kind: "failed", code: `${kind}-refused` } });
      };
    } catch {
      // a browser that does not tell: there is a button
    }
  }

  #failed(kind: Captured): string | undefined {
    const now = this.#state[kind];
    return now.kind === "failed" ? now.code : undefined;
  }

  #nowChosen(kind: Captured, track: MediaStreamTrack): OwnState["chosen"] {
    return { ...this.#state.chosen, [kind]: track.getSettings().deviceId ?? null };
  }

  async #list(): Promise<void> {
    this.#set({ listed: await listDevices().catch(() => []) });
  }

  #set(part: Partial<OwnState>): void {
    this.#state = Object.freeze({ ...this.#state, ...part });
    this.#changed(this.#state);
  }
}

const openOne = { microphone: openMicrophone, camera: openCamera };

function refusal(e: unknown, device: "microphone" | "camera"): string {
  return e instanceof DeviceError ? e.code : codeOf(e, device);
}

function stop(device: OwnDevice): void {
  if (device.kind !== "live") return;
  device.track.onended = null;
  device.track.stop();
  device.level?.close();
}
