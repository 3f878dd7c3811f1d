// How long to wait before the next attempt: 100 ms first, doubled up to 2 s, with jitter so that a restarted node is not met
// by everybody in the same millisecond.

const first = 100;
const longest = 2000;

export class Backoff {
  #attempt = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** next is the wait before the next attempt, ms. The first is always near 100 ms. */
  next(): number {
    const base = Math.min(longest, first * 2 ** Math.min(this.#attempt, 10));
    this.#attempt++;
    return Math.round(base * (0.8 + 0.4 * this.#random()));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
