// How long nothing was heard of a path. Silence is counted in looks, never read off a clock: a page that is late itself (a busy machine, a
// lid that was closed, a clock that was set) has not listened in between, and what it did not listen to was not silent.

/** A look that comes late counts for so many of those that should have been. */
const late = 1.5;
/** No path is called dead a third time within this, ms: on a machine that is short of everything, new connections are no help. */
const window = 30_000;

export class Unheard {
  readonly #every: number;
  #silent = 0;
  /** ms this page was awake and looking; what was told is told on this clock, which nobody sets. */
  #awake = 0;
  #lookedAt = -Infinity;
  #told: readonly [number, number] = [-Infinity, -Infinity];

  /** every is how often there will be a look, ms. */
  constructor(every: number) {
    this.#every = every;
  }

  /** look gives how long nothing has been heard, ms, of which this page was awake. */
  look(heard: boolean, now: number): number {
    const passed = Math.max(0, Math.min(now - this.#lookedAt, this.#every * late));
    this.#lookedAt = now;
    this.#awake += passed;
    this.#silent = heard ? 0 : this.#silent + passed;
    return this.#silent;
  }

  /** tell says whether the path may be called dead now, and takes note that it is. */
  tell(): boolean {
    if (this.#awake - this.#told[0] < window) return false;
    this.#told = [this.#told[1], this.#awake];
    this.#silent = 0;
    return true;
  }
}
