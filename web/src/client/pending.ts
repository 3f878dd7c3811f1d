// Acts on their way: sent, and neither ordered nor refused yet. They are sent again after every reconnect, so that an act is not
// lost with the node that took it; its id is in the log at most once, so that it is not done twice.
//
// "uncertain" is no refusal: the node has sent the act on and could not record the answer. It stands until the log shows the act, or shows that
// it will not come. What the client itself does (a join, a commit) goes on waiting and is asked for again under the same id. What an
// officer decided is told to be uncertain and never sent again: a consent must not take effect at a moment that its officer did not choose.
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
/** An uncertain act of the client's own is asked for again, ms. */
const askAgainEvery = 2_000;

/** What needs every side (internal/ledger, joint). */
const joint: ReadonlySet<string> = new Set(["plan", "consent", "admit", "resume", "close", "extend", "term"]);

export class Pending {
  readonly #acts = new Map<string, Waiting>();
  /** Acts whose node could not say what became of them, and when it was asked last. */
  readonly #uncertain = new Map<string, { readonly act: PendingAct; asked: number }>();
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
    this.#take(id)?.resolve();
    this.#uncertain.delete(id);
  }

  /** refused takes the node's refusal. A replay is no refusal: it says that the act is there already. */
  refused(id: string, problem: ProblemError): void {
    const act = this.#acts.get(id);
    if (act === undefined) return;
    if (problem.code === "uncertain") this.#doubt(act, problem);
    // A node that could not take it now has not said what became of the copy before.
    else if (problem.code !== "disk-full" || !this.#uncertain.has(id)) {
      this.#take(id);
      this.#uncertain.delete(id);
      if (problem.code === "replayed") act.resolve();
      else act.reject(problem);
    }
  }

  /** again sends what was sent before a time and is still open: after a reconnect, once the log has been read. */
  again(before = Infinity): void {
    for (const act of this.#acts.values()) if (act.since < before) this.#send(act);
  }

  /** tick asks again for what is uncertain, and gives up what has waited too long. */
  tick(): void {
    const now = this.#now();
    for (const act of this.#acts.values()) {
      const doubt = this.#uncertain.get(act.id);
      if (now - act.since >= givenUpAfter) {
        this.#take(act.id);
        this.#uncertain.delete(act.id);
        act.reject(doubt === undefined ? new ProblemError("held-back", { kind: act.kind }) : new ProblemError("uncertain"));
      } else if (doubt !== undefined && now - doubt.asked >= askAgainEvery) {
        doubt.asked = now;
        this.#send(act);
      }
    }
  }

  /** heldBack lists the kinds of acts that nobody answered in time. */
  heldBack(): PendingAct[] {
    return [...this.#acts.values()].filter((a) => !this.#uncertain.has(a.id) && this.#now() - a.since >= heldBackAfter);
  }

  /** uncertain lists the acts of which it is not known whether they were taken. */
  uncertain(): PendingAct[] {
    return [...this.#uncertain.values()].map((d) => d.act);
  }

  /** never ends the doubt about those that the log shows not to come any more. */
  never(over: (act: PendingAct) => boolean): void {
    for (const { act } of this.#uncertain.values()) {
      if (this.#acts.has(act.id) || !over(act)) continue; // the former are still asked for
      this.#uncertain.delete(act.id);
    }
  }

  /** drop forgets acts of a kind that make no sense any more (a staged commit that lost its place). */
  drop(id: string): void {
    this.#acts.delete(id);
    this.#uncertain.delete(id);
  }

  close(): void {
    for (const act of this.#acts.values()) act.reject(new ProblemError("not-joined"));
    this.#acts.clear();
    this.#uncertain.clear();
  }

  #doubt(act: Waiting, problem: ProblemError): void {
    this.#uncertain.set(act.id, { act, asked: this.#now() });
    if (!joint.has(act.kind)) return;
    this.#acts.delete(act.id);
    act.reject(problem);
  }

  #take(id: string): Waiting | undefined {
    const act = this.#acts.get(id);
    this.#acts.delete(id);
    return act;
  }
}
