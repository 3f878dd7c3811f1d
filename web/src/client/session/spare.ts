// A member made before its join is wanted. To make one takes the keys worker some tens of milliseconds; a person who is about to enter need
// not wait for them. It is of one session, device and person, it is used once, and another one takes its place.
import type { KeysClient } from "../../keys/client";
import type { KeysOperations } from "../../keys/messages";
import { equal } from "../../words/bytes";
import { encode } from "../../words/canon";

type Made = KeysOperations["make-member"]["out"];

/** An older one is not used, ms: its KeyPackage says when it was made. */
const fresh = 10 * 60_000;

/** leafIdentity is the identity of a person's leaf (ident.Leaf). */
export function leafIdentity(scope: Uint8Array, side: Uint8Array, person: string, device: Uint8Array): Uint8Array {
  return encode({ v: 1, scope, side, person, device });
}

export class Spare {
  readonly #keys: Pick<KeysClient, "ask">;
  #spare: { readonly identity: Uint8Array; readonly at: number; readonly made: Promise<Made> } | undefined;

  constructor(keys: Pick<KeysClient, "ask">) {
    this.#keys = keys;
  }

  /** make begins with the member for an identity, unless there is one. now: the node's clock, ms. */
  make(identity: Uint8Array, now: number): void {
    if (this.#fits(identity, now)) return;
    this.#drop();
    const made = this.#new(identity, now);
    made.catch(() => undefined); // whoever takes it asks again and is told
    this.#spare = { identity, at: now, made };
  }

  /** take gives a member for an identity, to this caller alone. */
  async take(identity: Uint8Array, now: number): Promise<Made> {
    const spare = this.#spare;
    if (spare === undefined || !this.#fits(identity, now)) return this.#new(identity, now);
    this.#spare = undefined;
    try {
      return await spare.made;
    } catch {
      return this.#new(identity, now);
    }
  }

  #fits(identity: Uint8Array, now: number): boolean {
    return this.#spare !== undefined && equal(this.#spare.identity, identity) && Math.abs(now - this.#spare.at) < fresh;
  }

  #new(identity: Uint8Array, now: number): Promise<Made> {
    return this.#keys.ask("make-member", { identity, now });
  }

  /** The worker forgets the private keys of a member that nobody will use. */
  #drop(): void {
    this.#spare?.made.then(({ member }) => this.#keys.ask("close", { handle: member })).catch(() => undefined);
    this.#spare = undefined;
  }
}
