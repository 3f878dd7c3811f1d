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

export class Own {
  #state: OwnState = nothing;
  #context: AudioContext | undefined;
  readonly #changed: (state: OwnState) => void;
  readonly #choice: Choice = { echoCancellation: true };

  constructor(changed: (state: OwnState) => void) {
    this.#changed = changed;
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#list());
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
    if (camera) {
      this.#set({ microphone: { kind: "asking" }, camera: { kind: "asking" } });
      try {
        const both = await openBoth(this.#choice);
        this.#heard(both.microphone);
        this.#seen(both.camera);
      } catch {
        await this.openMicrophone();
        await this.openCamera();
      }
    } else await this.openMicrophone();
    await this.#list();
  }

  async openMicrophone(): Promise<void> {
    stop(this.#state.microphone);
    this.#set({ microphone: { kind: "asking" } });
    try {
      this.#heard(await openMicrophone(this.#choice));
    } catch (e) {
      this.#set({ microphone: { kind: "failed", code: refusal(e, "microphone") } });
    }
  }

  async openCamera(): Promise<void> {
    stop(this.#state.camera);
    this.#set({ camera: { kind: "asking" } });
    try {
      this.#seen(await openCamera(this.#choice));
    } catch (e) {
      this.#set({ camera: { kind: "failed", code: refusal(e, "camera") } });
    }
  }

  closeCamera(): void {
    stop(this.#state.camera);
    this.#set({ camera: { kind: "off" } });
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

  async choose(kind: Listed["kind"], id: string): Promise<void> {
    if (kind === "speaker") this.#set({ chosen: { ...this.#state.chosen, speaker: id } });
    else {
      this.#choice[kind] = id;
      await (kind === "microphone" ? this.openMicrophone() : this.openCamera());
    }
  }

  close(): void {
    stop(this.#state.microphone);
    stop(this.#state.camera);
    this.#state.screen?.stop();
    this.#state.screenSound?.stop();
    this.#set({ microphone: { kind: "off" }, camera: { kind: "off" }, screen: null, screenSound: null });
  }

  #heard(track: MediaStreamTrack): void {
    track.onended = () => this.#gone("microphone", track);
    const level = new Level(this.context, track);
    this.#set({ microphone: { kind: "live", track, level }, chosen: this.#nowChosen("microphone", track) });
  }

  #seen(track: MediaStreamTrack): void {
    track.onended = () => this.#gone("camera", track);
    this.#set({ camera: { kind: "live", track, level: null }, chosen: this.#nowChosen("camera", track) });
  }

  #gone(kind: "microphone" | "camera", track: MediaStreamTrack): void {
    const now = this.#state[kind];
    if (now.kind !== "live" || now.track !== track) return;
    now.level?.close();
    this.#set({ [kind]: { kind: "failed", code: `${kind}-lost` } });
  }

  #nowChosen(kind: "microphone" | "camera", track: MediaStreamTrack): OwnState["chosen"] {
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

function refusal(e: unknown, device: "microphone" | "camera"): string {
  return e instanceof DeviceError ? e.code : codeOf(e, device);
}

function stop(device: OwnDevice): void {
  if (device.kind !== "live") return;
  device.track.onended = null;
  device.track.stop();
  device.level?.close();
}
