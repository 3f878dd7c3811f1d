// When a screen reader may say what. It must not talk over the person who is speaking: a sentence waits for a pause, but no longer
// than `patience`, and several that waited are said together.

export const gather = 1_200; // ms that a first sentence waits for others
export const patience = 8_000; // ms after which it is said although somebody speaks

export class Queue {
  #waiting: string[] = [];
  #since = 0;

  add(text: string, now: number): void {
    if (this.#waiting.length === 0) this.#since = now;
    if (!this.#waiting.includes(text)) this.#waiting.push(text);
    if (this.#waiting.length > 6) this.#waiting.shift(); // everyone reloads at once: the last six are enough
  }

  // take gives what is to be said now, or null.
  take(now: number, speaking: boolean): string | null {
    if (this.#waiting.length === 0) return null;
    const waited = now - this.#since;
    if (waited < gather || (speaking && waited < patience)) return null;
    const said = this.#waiting.join(' ');
    this.#waiting = [];
    return said;
  }
}
