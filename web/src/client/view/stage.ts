// Whose picture is large. It follows who speaks, slowly: a cough or a "yes" does not move the room.

/** A voice must last this long to take the stage, and keeps it at least as long. ms */
export const takeAfter = 1_200;
export const keepFor = 3_000;

export class Stage {
  #on: string | undefined;
  #since = -Infinity;
  readonly #began = new Map<string, number>();

  /** choose gives the join on the stage. present is in the order of the roster; the first is there when nobody has spoken. */
  choose(present: readonly string[], speaking: ReadonlySet<string>, pinned: string | null, now: number): string | undefined {
    for (const join of this.#began.keys()) if (!speaking.has(join)) this.#began.delete(join);
    for (const join of speaking) if (!this.#began.has(join)) this.#began.set(join, now);
    if (pinned !== null && present.includes(pinned)) return pinned;
    const here = this.#on !== undefined && present.includes(this.#on);
    if (here && speaking.has(this.#on!)) return this.#on;
    if (!here || now - this.#since >= keepFor) {
      const next = present.find((join) => now - (this.#began.get(join) ?? Infinity) >= takeAfter) ?? (here ? this.#on : present[0]);
      if (next !== this.#on) this.#since = now;
      this.#on = next;
    }
    return this.#on;
  }
}
