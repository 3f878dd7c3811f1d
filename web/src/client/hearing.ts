// When a socket has hung. Over a path that loses its packets without a word, TCP says nothing for minutes; every answer to a ping tells that
// it lives. While media of the same node arrive, that node lives and so does the way to it: then silence of the socket is the socket's.
import { Unheard } from "../media/unheard";

/** How often to look, and at every how many looks to ping. */
export const lookEvery = 250;
export const pingEvery = 4;

/** Silence that is forgiven, ms: while the node is heard on another way, and while nothing is known of it. */
const quick = 2_000;
const patience = 6_000;
/** Heard on another way so lately, ms, the node lives. */
const lately = 1_000;
/** A node that is slow to answer is given more, up to the patience: so many times the slowest of its last answers. */
const slack = 4;
const lastAnswers = 8;

export class Hearing {
  readonly #unheard = new Unheard(lookEvery);
  #heard = true;
  #elsewhereAt = -Infinity;
  #answers: number[] = [];

  /** heard: something came by the socket, or there is a new one. */
  heard(): void {
    this.#heard = true;
  }

  /** elsewhere: something came from the same node by another way. */
  elsewhere(now: number): void {
    this.#elsewhereAt = now;
  }

  /** answered takes how long an answer took, ms. */
  answered(ms: number): void {
    this.#answers = [ms, ...this.#answers].slice(0, lastAnswers);
  }

  /** look is to be called every lookEvery ms; it tells that the socket has hung. */
  look(now: number): boolean {
    const silent = this.#unheard.look(this.#heard, now);
    this.#heard = false;
    if (silent >= patience) return true;
    return now - this.#elsewhereAt <= lately && silent >= quick + slack * Math.max(0, ...this.#answers) && this.#unheard.tell();
  }
}
