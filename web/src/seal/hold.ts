// Frames of an epoch whose key is on its way. A sender changes keys after 300 ms or 1 s whether or not everybody is ready
// (switch.ts), so a slow receiver meets frames it cannot open yet. The track waits with the frame instead of losing it.

/** ms that a track waits for a key; longer, and the listener is better served by what comes next. */
export const holdFor = 1_500;

/** Waits of all tracks of all scopes for the next key. */
export class Hold {
  readonly #waiting = new Map<string, Set<(came: boolean) => void>>();

  /** came resolves true when a key of the scope is installed, false when the time is over. */
  came(scope: string, after: (ms: number, f: () => void) => void): Promise<boolean> {
    return new Promise((resolve) => {
      const all = this.#waiting.get(scope) ?? new Set();
      this.#waiting.set(scope, all);
      all.add(resolve);
      after(holdFor, () => {
        if (all.delete(resolve)) resolve(false);
      });
    });
  }

  /** installed wakes every track of a scope. */
  installed(scope: string): void {
    const all = this.#waiting.get(scope);
    this.#waiting.delete(scope);
    for (const resolve of all ?? []) resolve(true);
    all?.clear();
  }
}
