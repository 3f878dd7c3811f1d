// A path that has died without a word. ICE gives up after six seconds of unanswered checks (RFC 7675 §5.1 allows thirty); a conversation
// does not wait so long. While media leave, the node's reports on them come back many times a second, and while media come, they do.

/** Silence on a path that should not be silent, ms. */
const patience = 2_000;
/** No path is called dead a third time within this, ms: on a machine that is short of everything, new connections are no help. */
const window = 30_000;
/** Who looks less often than this, ms, has been asleep and knows nothing of the path. */
const asleep = 1_000;

interface Counted {
  type: string;
  bytesReceived?: number;
  packetsSent?: number;
}

export class Silence {
  #received = 0;
  #sent = 0;
  #heardAt = -Infinity;
  #lookedAt = -Infinity;
  #told: readonly [number, number] = [-Infinity, -Infinity];

  /** look takes a connection's statistics. expected: media should be coming; what is sent is counted here. It tells that the path is dead. */
  look(report: Iterable<Counted>, expected: boolean, now: number): boolean {
    let [received, sent] = [0, 0];
    for (const s of report) {
      if (s.type === "candidate-pair") received += s.bytesReceived ?? 0;
      if (s.type === "outbound-rtp") sent += s.packetsSent ?? 0;
    }
    const heard = received !== this.#received;
    const waits = expected || sent > this.#sent;
    if (heard || !waits || now - this.#lookedAt > asleep) this.#heardAt = now;
    this.#received = received;
    this.#sent = sent;
    this.#lookedAt = now;
    if (now - this.#heardAt < patience || now - this.#told[0] < window) return false;
    this.#told = [this.#told[1], now];
    this.#heardAt = now;
    return true;
  }
}
