// What a person is told beside the screen: each trouble once, until it is over or dismissed.
import type { Notice } from "../view/model";
import { shown, type ProblemError } from "./problem";

type Severity = Notice["severity"];

/** Information and warnings that nobody has to look at go away by themselves after this long, ms. */
const fadeAfter = 15_000;

export class Notices {
  readonly #notices = new Map<string, Notice & { readonly until: number }>();
  readonly #changed: () => void;
  readonly #now: () => number;

  constructor(changed: () => void, now: () => number) {
    this.#changed = changed;
    this.#now = now;
  }

  all(): Notice[] {
    return [...this.#notices.values()].map(({ until: _until, ...notice }) => notice);
  }

  /** alarm stays until people have looked. */
  alarm(problem: ProblemError): void {
    this.#add(`alarm/${problem.code}`, problem, "alarm", false, Infinity);
  }

  warn(problem: ProblemError): void {
    this.#add(`warn/${problem.code}`, problem, "warning", true, this.#now() + fadeAfter);
  }

  /** while keeps a notice as long as a condition holds. */
  while(holds: boolean, problem: ProblemError, severity: Severity = "warning"): void {
    const id = `while/${problem.code}`;
    if (holds) this.#add(id, problem, severity, false, Infinity);
    else this.#drop(id);
  }

  dismiss(id: string): void {
    if (this.#notices.get(id)?.dismissible === true) this.#drop(id);
  }

  tick(): void {
    const now = this.#now();
    for (const [id, n] of this.#notices) if (now >= n.until) this.#drop(id);
  }

  #add(id: string, problem: ProblemError, severity: Severity, dismissible: boolean, until: number): void {
    const before = this.#notices.get(id);
    if (before !== undefined && sameParams(before.problem.params, problem.params)) {
      this.#notices.set(id, { ...before, until });
      return;
    }
    this.#notices.set(id, { id, problem: shown(problem, this.#now()), severity, dismissible, until });
    this.#changed();
  }

  #drop(id: string): void {
    if (this.#notices.delete(id)) this.#changed();
  }
}

/** A condition that goes on and concerns somebody else is said anew. */
function sameParams(a: Readonly<Record<string, string>> | undefined, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a ?? {}), ...Object.keys(b)]);
  return [...names].every((n) => a?.[n] === b[n]);
}
