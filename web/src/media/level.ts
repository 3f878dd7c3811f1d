// How loud a track of this device is, ten times a second, and whether it carries anything at all.

/** A microphone in a silent room still has noise of its own; exact silence is a switch, a dead cable or the wrong device. */
const alive = 2 ** -13;
const every = 100;

export class Level {
  readonly #listeners = new Set<(level: number) => void>();
  readonly #node: AnalyserNode;
  readonly #source: MediaStreamAudioSourceNode;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #samples: Float32Array<ArrayBuffer>;
  #aliveAt = -Infinity;
  #value = 0;

  constructor(context: AudioContext, track: MediaStreamTrack) {
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#node = context.createAnalyser();
    this.#node.fftSize = 2048;
    this.#samples = new Float32Array(this.#node.fftSize);
    this.#source.connect(this.#node);
    this.#timer = setInterval(() => this.#measure(), every);
  }

  /** value is the peak of the last tenth of a second: 0 silence, 1 full scale. */
  get value(): number {
    return this.#value;
  }

  /** aliveWithin tells whether the device itself carried sound in the last ms milliseconds. */
  aliveWithin(ms: number, now = performance.now()): boolean {
    return now - this.#aliveAt <= ms;
  }

  subscribe(listener: (level: number) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#value);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source.disconnect();
    this.#listeners.clear();
  }

  #measure(): void {
    this.#node.getFloatTimeDomainData(this.#samples);
    this.#value = peak(this.#samples);
    if (this.#value > alive) this.#aliveAt = performance.now();
    for (const l of this.#listeners) l(this.#value);
  }
}

export function peak(samples: Float32Array): number {
  let most = 0;
  for (const s of samples) most = Math.max(most, Math.abs(s));
  return Math.min(1, most);
}
