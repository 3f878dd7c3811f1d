// Counters per verdict of one track, and the alarm on decrypt failures. Pure.

import { type Verdict, verdicts } from "./keyring.js";

export type Counters = Record<Verdict, number>;

/** Over this many ms, more than 2 % of frames with a known key failing to verify is an alarm: a fork or a bad client. */
export const alarmWindow = 3_000;
export const alarmShare = 0.02;
/** Fewer failures than this are a single odd frame, not a share. */
const alarmLeast = 3;

export class Tally {
  readonly total: Counters = Object.fromEntries(verdicts.map((v) => [v, 0])) as Counters;
  #recent: { at: number; opened: number; forged: number }[] = [];
  #alarmed = false;

  count(v: Verdict, now: number): void {
    this.total[v]++;
    if (v !== "opened" && v !== "forged") return;
    let bucket = this.#recent.at(-1);
    if (bucket === undefined || now - bucket.at >= 250) this.#recent.push((bucket = { at: now, opened: 0, forged: 0 }));
    if (v === "opened") bucket.opened++;
    else bucket.forged++;
  }

  /** True once when the share of failures passes the limit; again only after it fell below. */
  alarm(now: number): boolean {
    this.#recent = this.#recent.filter((b) => now - b.at <= alarmWindow);
    const opened = this.#recent.reduce((n, b) => n + b.opened, 0);
    const forged = this.#recent.reduce((n, b) => n + b.forged, 0);
    const bad = forged >= alarmLeast && forged > alarmShare * (opened + forged);
    const raise = bad && !this.#alarmed;
    this.#alarmed = bad;
    return raise;
  }
}

/** Key-frame requests of one receiver, at most one a second: a wrong key alone once drew 22 in 4.5 s. */
export class KeyFrameThrottle {
  #wanted = true; // a receiver that starts needs one
  #last = -Infinity;
  want(): void {
    this.#wanted = true;
  }
  /** A key frame came and opened. */
  got(): void {
    this.#wanted = false;
  }
  due(now: number): boolean {
    if (!this.#wanted || now - this.#last < 1_000) return false;
    this.#last = now;
    return true;
  }
}
