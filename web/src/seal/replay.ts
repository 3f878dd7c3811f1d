// A replay window over the counters of one KID: 1,024 frames back from the highest that verified.

export const replayWindow = 1024;

export class ReplayWindow {
  #highest = -1n;
  readonly #seen = new Uint8Array(replayWindow);

  /** May a frame with this counter still be opened? Ask before, mark after the tag verified. */
  check(ctr: bigint): "fresh" | "replayed" | "too-old" {
    if (ctr > this.#highest) return "fresh";
    if (this.#highest - ctr >= BigInt(replayWindow)) return "too-old";
    return this.#seen[slot(ctr)] === 1 ? "replayed" : "fresh";
  }

  /** Only for counters whose frame verified: a forged high counter must not move the window. */
  mark(ctr: bigint): void {
    if (ctr > this.#highest) {
      const gap = ctr - this.#highest;
      if (gap >= BigInt(replayWindow)) this.#seen.fill(0);
      else for (let c = this.#highest + 1n; c < ctr; c++) this.#seen[slot(c)] = 0;
      this.#highest = ctr;
    }
    this.#seen[slot(ctr)] = 1;
  }
}

function slot(ctr: bigint): number {
  return Number(ctr % BigInt(replayWindow));
}
