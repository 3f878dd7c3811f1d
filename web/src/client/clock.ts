// The node's clock as seen from here, from Ping and Pong: offset at the least round trip of the last few samples.

interface Sample {
  offset: number;
  rtt: number;
}

/** A clock further off than this is told to the person (design.md §2). */
export const clockTolerance = 2000;

export class Clock {
  #samples: Sample[] = [];
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** sample takes the times of one ping: sent and received here, now there; all ms since the epoch. */
  sample(sent: number, received: number, there: number): void {
    const rtt = received - sent;
    if (!(rtt >= 0) || !Number.isSafeInteger(there)) return;
    this.#samples.push({ offset: there - (sent + rtt / 2), rtt });
    if (this.#samples.length > 8) this.#samples.shift();
  }

  /** offset is node minus own clock in ms; 0 before the first sample. */
  get offset(): number {
    let best: Sample | undefined;
    for (const s of this.#samples) if (best === undefined || s.rtt < best.rtt) best = s;
    return best === undefined ? 0 : Math.round(best.offset);
  }

  get rtt(): number | undefined {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples.map((s) => s.rtt));
  }

  /** nodeNow is the node's clock, ms since the epoch. */
  nodeNow(): number {
    return this.#now() + this.offset;
  }

  get off(): boolean {
    return Math.abs(this.offset) > clockTolerance;
  }
}
