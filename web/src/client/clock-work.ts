// The client's one clock for work that waits: a regular tick, and earlier calls for what must not wait so long.

const every = 250;

export class ClockWork {
  readonly #work: () => void;
  readonly #interval: ReturnType<typeof setInterval>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  constructor(work: () => void) {
    this.#work = work;
    this.#interval = setInterval(work, every);
  }

  /** wake asks for a tick at a time, ms by Date.now. Later than the next regular one it is not needed. */
  wake(at: number): void {
    const wait = at - Date.now();
    if (wait > every || at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => {
      this.#at = Infinity;
      this.#work();
    }, Math.max(0, wait));
  }

  close(): void {
    clearInterval(this.#interval);
    clearTimeout(this.#timer);
  }
}
