// A path that has died without a word. ICE gives up after six seconds of unanswered checks (RFC 7675 §5.1 allows thirty); a conversation
// does not wait so long. While media leave, the node's reports on them come back many times a second, and while media come, they do:
// when neither does for two seconds, a new path is looked for. A restart that was not needed costs one description and no frame.

/** Silence on a path that should not be silent, ms; and how soon a restart may follow another. */
const patience = 2_000;
const every = 5_000;

interface Counted {
  type: string;
  bytesReceived?: number;
  packetsSent?: number;
}

export class Silence {
  #received = 0;
  #sent = 0;
  #heardAt: number | undefined;
  #restartedAt = -Infinity;

  /** look takes a connection's statistics. expected: media should be coming; what is sent is counted here. It tells when to restart. */
  look(report: Iterable<Counted>, expected: boolean, now: number): boolean {
    let [received, sent] = [0, 0];
    for (const s of report) {
      if (s.type === "candidate-pair") received += s.bytesReceived ?? 0;
      if (s.type === "outbound-rtp") sent += s.packetsSent ?? 0;
    }
    const heard = received !== this.#received;
    const waits = expected || sent > this.#sent;
    this.#received = received;
    this.#sent = sent;
    if (heard || !waits || this.#heardAt === undefined) this.#heardAt = now;
    if (now - this.#heardAt < patience || now - this.#restartedAt < every) return false;
    this.#restartedAt = now;
    return true;
  }
}
