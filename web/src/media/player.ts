// The sound of others: one audio element per track, outside the page's own tree, so that no redrawing interrupts a voice.

export class Player {
  readonly #elements = new Map<string, HTMLAudioElement>();
  readonly #shelf: HTMLElement;
  readonly #changed: () => void;
  #speaker = "";
  #blocked = false;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#shelf = document.createElement("div");
    this.#shelf.hidden = true;
    this.#shelf.dataset["sound"] = "";
    document.body.append(this.#shelf);
  }

  /** blocked: the browser waits for a gesture before it lets anything be heard. */
  get blocked(): boolean {
    return this.#blocked;
  }

  play(track: string, media: MediaStreamTrack): void {
    let element = this.#elements.get(track);
    if (element === undefined) {
      element = document.createElement("audio");
      element.dataset["track"] = track;
      element.autoplay = true;
      this.#elements.set(track, element);
      this.#shelf.append(element);
    }
    const before = element.srcObject as MediaStream | null;
    if (before?.getTracks()[0] === media) return;
    element.srcObject = new MediaStream([media]);
    void this.#route(element);
    this.#start(element);
  }

  /** only keeps the named tracks and stops every other. */
  only(tracks: ReadonlySet<string>): void {
    for (const [track, element] of this.#elements) {
      if (tracks.has(track)) continue;
      element.srcObject = null;
      element.remove();
      this.#elements.delete(track);
    }
  }

  /** resume plays what was blocked; called from a gesture. */
  resume(): void {
    this.#blocked = false;
    for (const element of this.#elements.values()) this.#start(element);
    this.#changed();
  }

  async choose(speaker: string): Promise<void> {
    this.#speaker = speaker;
    await Promise.all([...this.#elements.values()].map((e) => this.#route(e)));
  }

  /** tone plays a short tone on the chosen speaker. */
  async tone(context: AudioContext): Promise<void> {
    const out = context.createMediaStreamDestination();
    const gain = context.createGain();
    const oscillator = context.createOscillator();
    oscillator.frequency.value = 523.25;
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.gain.linearRampToValueAtTime(0.25, context.currentTime + 0.05);
    gain.gain.linearRampToValueAtTime(0, context.currentTime + 1.2);
    oscillator.connect(gain).connect(out);
    const element = new Audio();
    element.srcObject = out.stream;
    await this.#route(element);
    await element.play();
    oscillator.start();
    oscillator.stop(context.currentTime + 1.25);
    await new Promise((resolve) => (oscillator.onended = resolve));
    element.srcObject = null;
  }

  close(): void {
    this.only(new Set());
    this.#shelf.remove();
  }

  async #route(element: HTMLAudioElement): Promise<void> {
    if (this.#speaker !== "" && "setSinkId" in element) await element.setSinkId(this.#speaker).catch(() => undefined);
  }

  #start(element: HTMLAudioElement): void {
    element.play().catch((e: unknown) => {
      if (!(e instanceof DOMException) || e.name !== "NotAllowedError") return;
      this.#blocked = true;
      this.#changed();
    });
  }
}
