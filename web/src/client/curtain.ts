// The curtain: while it is closed, nothing is drawn. One thread draws, signs and answers the node, and a screen that is made for the first
// time takes it a tenth of a second or more. So a screen that is about to give way to another is not made at all, and a join leaves before the
// room is built. It is closed for a stated time at most: who has to wait longer than that sees what there is.
import { once } from "./store";

export class Curtain {
  /** opened is settled when the first screen may be made. */
  readonly opened: Promise<void>;
  readonly #look: () => void;
  #first: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Closed, for so long at most, ms. It opens by itself when there is something worth drawing. */
  constructor(draw: () => void, longest: number, worth: () => boolean) {
    this.opened = new Promise((resolve) => (this.#first = resolve));
    this.#look = once(() => {
      if (this.#timer === undefined) draw();
      else if (worth()) this.open();
    });
    this.close(longest);
  }

  /** close draws nothing for so long at most, ms, from now. */
  close(longest: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), longest);
  }

  /** open draws what there is. */
  open(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#first();
    this.#look();
  }

  /** openWithin lets a closed one open after so long, ms, if nothing opens it before. */
  openWithin(longest: number): void {
    if (this.#timer !== undefined) this.close(longest);
  }

  /** changed says that there is something new to draw. It is drawn after the present task, or when the curtain opens. */
  changed(): void {
    this.#look();
  }
}
