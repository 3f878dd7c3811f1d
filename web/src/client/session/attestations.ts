// What members attested. After each epoch every member signs what it believes the group is; two beliefs about one epoch are a
// fork, or a lie (split.ts). Pure: verified attestations in, a comparison of every member with oneself out.

/** Verdicts as a page shows them. */
export type Attestation = "agrees" | "awaited" | "differs";

/** A member whose attestation has been missing for this long, ms, is shown in amber (keys.md). */
export const missingAfter = 10_000;

export interface Belief {
  /** Hex of the MLS group id. */
  readonly group: string;
  readonly epoch: bigint;
  readonly tree: string;
  readonly transcript: string;
}

export class Attestations {
  #own: Belief | undefined;
  #since = 0;
  readonly #heard = new Map<string, Belief>();
  readonly #proven = new Set<string>();

  /** enter begins an epoch: what others said of earlier ones is over, what they said early of this one counts. */
  enter(own: Belief, now: number): void {
    if (this.#own !== undefined && same(this.#own, own)) return;
    this.#own = own;
    this.#since = now;
    for (const [join, b] of this.#heard) if (b.group === own.group && b.epoch < own.epoch) this.#heard.delete(join);
  }

  /** hear takes a verified attestation of a member, named by its join; false if it contradicts what that member said before. */
  hear(join: string, belief: Belief): boolean {
    const before = this.#heard.get(join);
    if (before !== undefined && sameEpoch(before, belief)) {
      if (!same(before, belief)) this.#proven.add(join);
      return same(before, belief);
    }
    if (before !== undefined && before.group === belief.group && before.epoch > belief.epoch) return true;
    this.#heard.set(join, belief);
    return true;
  }

  of(join: string): Attestation {
    const heard = this.#heard.get(join);
    if (this.#own === undefined || heard === undefined || !sameEpoch(heard, this.#own)) return "awaited";
    return same(heard, this.#own) ? "agrees" : "differs";
  }

  /** contradictory says that a member signed two things of one epoch: the lie needs no other witness. */
  contradictory(join: string): boolean {
    return this.#proven.has(join);
  }

  /** overdue says whether members have had their time. */
  overdue(now: number): boolean {
    return this.#own !== undefined && now - this.#since >= missingAfter;
  }

  /** forget ends a group. */
  forget(): void {
    this.#own = undefined;
    this.#heard.clear();
    this.#proven.clear();
  }
}

function sameEpoch(a: Belief, b: Belief): boolean {
  return a.group === b.group && a.epoch === b.epoch;
}

function same(a: Belief, b: Belief): boolean {
  return sameEpoch(a, b) && a.tree === b.tree && a.transcript === b.transcript;
}
