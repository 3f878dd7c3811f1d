// When a sender moves to a new epoch. Pure: takes now (ms), returns effects, and says when it wants to be woken.
//
// Receive keys are taken at once. A sender uses the new key when every other member said ready, or after 1 s, or
// after 300 ms if somebody was removed: a removed person reads at most that long past the commit. Suspended: stop.

export const switchAfter = 1_000;
export const switchAfterRemoval = 300;

export type SwitchEffect =
  | { readonly kind: "announce-ready"; readonly epoch: bigint }
  | { readonly kind: "send"; readonly epoch: bigint }
  | { readonly kind: "stop" }
  /** A key frame lets those who could not open the last frames start again. */
  | { readonly kind: "key-frame" };

export interface NewEpoch {
  readonly epoch: bigint;
  /** Leaves of the others who must be ready. */
  readonly others: readonly number[];
  /** Somebody was removed by the commit. */
  readonly removed: boolean;
}

export class EpochSwitch {
  #epoch = -1n;
  #sending: bigint | undefined;
  #waiting = new Set<number>();
  #deadline: number | undefined;
  #suspended = false;
  /** ready may overtake the commit it speaks of. */
  #early = new Map<number, bigint>();

  /** The group moved on and its key is installed for receiving. */
  newEpoch(now: number, e: NewEpoch): SwitchEffect[] {
    if (e.epoch <= this.#epoch) return [];
    this.#epoch = e.epoch;
    this.#waiting = new Set(e.others.filter((leaf) => (this.#early.get(leaf) ?? -1n) < e.epoch));
    const wait = now + (e.removed ? switchAfterRemoval : switchAfter);
    // A later epoch never lengthens a wait: a removal's 300 ms hold even when an Add follows.
    this.#deadline = this.#deadline === undefined ? wait : Math.min(this.#deadline, wait);
    return [{ kind: "announce-ready", epoch: e.epoch }, ...this.#settle(now)];
  }

  /** A member said it holds this epoch's key. */
  ready(now: number, leaf: number, epoch: bigint): SwitchEffect[] {
    if (epoch > (this.#early.get(leaf) ?? -1n)) this.#early.set(leaf, epoch);
    if (epoch >= this.#epoch) this.#waiting.delete(leaf);
    return this.#settle(now);
  }

  tick(now: number): SwitchEffect[] {
    return this.#settle(now);
  }

  suspend(): SwitchEffect[] {
    if (this.#suspended) return [];
    this.#suspended = true;
    this.#sending = undefined;
    return [{ kind: "stop" }];
  }

  /** The session goes on; sends with the newest epoch at once. */
  resume(): SwitchEffect[] {
    if (!this.#suspended) return [];
    this.#suspended = false;
    return this.#epoch < 0n ? [] : this.#send();
  }

  /** A new group: its epochs start again, and the ready of the old one mean nothing. */
  reset(): void {
    this.#epoch = -1n;
    this.#sending = undefined;
    this.#waiting.clear();
    this.#early.clear();
    this.#deadline = undefined;
  }

  /** ms at which tick must be called, undefined if nothing waits. */
  get wakeAt(): number | undefined {
    return this.#suspended ? undefined : this.#deadline;
  }

  #settle(now: number): SwitchEffect[] {
    if (this.#suspended || this.#deadline === undefined) return [];
    if (this.#waiting.size > 0 && now < this.#deadline) return [];
    return this.#send();
  }

  #send(): SwitchEffect[] {
    this.#deadline = undefined;
    this.#waiting.clear();
    if (this.#sending === this.#epoch) return [];
    this.#sending = this.#epoch;
    return [{ kind: "send", epoch: this.#epoch }, { kind: "key-frame" }];
  }
}
