// A path that has died without a word. ICE gives up after six seconds of unanswered checks (RFC 7675 §5.1 allows thirty); a conversation
// does not wait so long. While media leave, the node's reports on them come back many times a second, and none while nothing reaches it;
// while media come, they do.
import { Unheard } from "./unheard";

/** Silence on a path that should not be silent, ms. */
const patience = 2_000;
/** How often a path is looked at, ms. */
const every = 250;

interface Counted {
  type: string;
  bytesReceived?: number;
  packetsSent?: number;
}

export class Silence {
  #received = 0;
  #sent = 0;
  #came = false;
  readonly #unheard = new Unheard(every);

  /** came says that something came between the last two looks: the node lives. */
  get came(): boolean {
    return this.#came;
  }

  /** look takes a connection's statistics. expected: media should be coming; what is sent is counted here. It tells that the path is dead. */
  look(report: Iterable<Counted>, expected: boolean, now: number): boolean {
    let [received, sent] = [0, 0];
    for (const s of report) {
      if (s.type === "candidate-pair") received += s.bytesReceived ?? 0;
      if (s.type === "outbound-rtp") sent += s.packetsSent ?? 0;
    }
    const heard = received !== this.#received;
    this.#came = received > this.#received;
    const waits = expected || sent > this.#sent;
    this.#received = received;
    this.#sent = sent;
    return this.#unheard.look(heard || !waits, now) >= patience && this.#unheard.tell();
  }
}
