// Acts on their way: sent, and neither ordered nor refused yet. They are sent again after every reconnect, so that an act is not
// lost with the node that took it; its id is in the log at most once, so that it is not done twice.
import { ProblemError } from "./problem";

export interface PendingAct {
  readonly id: string;
  readonly kind: string;
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly since: number;
}

interface Waiting extends PendingAct {
  resolve: () => void;
  reject: (e: ProblemError) => void;
}

/** Held back: neither ordered nor refused for this long while the socket is open (design.md §2). */
export const heldBackAfter = 3_000;
/** After this long without an answer an act is given up and said to be. */
const givenUpAfter = 30_000;

export class Pending {
  readonly #acts = new Map<string, Waiting>();
  readonly #send: (act: PendingAct) => void;
  readonly #now: () => number;

  constructor(send: (act: PendingAct) => void, now: () => number = Date.now) {
    this.#send = send;
    this.#now = now;
  }

  /** add sends an act and answers when the log, or the own node's outbox, holds it. */
  add(id: string, kind: string, signed: Uint8Array<ArrayBuffer>): Promise<void> {
    return new Promise((resolve, reject) => {
      const act = { id, kind, signed, since: this.#now(), resolve, reject };
      this.#acts.set(id, act);
      this.#send(act);
    });
  }

  /** seen takes an act id of an entry or an outbox item. */
  seen(id: string): void {
    const act = this.#acts.get(id);
    this.#acts.delete(id);
    act?.resolve();
  }

  /** refused takes the node's refusal. A replay is no refusal: it says that the act is there already. */
  refused(id: string, problem: ProblemError): void {
    const act = this.#acts.get(id);
    if (act === undefined) return;
    this.#acts.delete(id);
    if (problem.code === "replayed") act.resolve();
    else act.reject(problem);
  }

  /** again sends what was sent before a time and is still open: after a reconnect, once the log has been read. */
  again(before = Infinity): void {
    for (const act of this.#acts.values()) if (act.since < before) this.#send(act);
  }

  /** tick gives up what has waited too long. */
  tick(): void {
    for (const act of this.#acts.values()) {
      if (this.#now() - act.since < givenUpAfter) continue;
      this.#acts.delete(act.id);
      act.reject(new ProblemError("held-back", { kind: act.kind }));
    }
  }

  /** heldBack lists the kinds of acts that nobody answered in time. */
  heldBack(): PendingAct[] {
    return [...this.#acts.values()].filter((a) => this.#now() - a.since >= heldBackAfter);
  }

  /** drop forgets acts of a kind that make no sense any more (a staged commit that lost its place). */
  drop(id: string): void {
    this.#acts.delete(id);
  }

  close(): void {
    for (const act of this.#acts.values()) act.reject(new ProblemError("not-joined"));
    this.#acts.clear();
  }
}
