// Pins: the delegation keys this device has met. Its own side's is pinned with the first accreditation, which an officer made in
// person; another side's with the first plan that names it, which the own officer signed. A side's id is the hash of its key, so
// an altered key shows as another side: one that comes under a name already pinned is the attack this file looks for.
import type { Cabinet } from "../../identity/cabinet";
import { hex } from "../../words/bytes";
import { ProblemError } from "../problem";

export interface Pinned {
  readonly id: string;
  readonly name: Readonly<Record<string, string>>;
  readonly at: number;
}

const ownPlace = "pin.own";
const peersPlace = "pin.peers";

export class Pins {
  readonly #cabinet: Cabinet;

  constructor(cabinet: Cabinet) {
    this.#cabinet = cabinet;
  }

  /** own refuses a node that serves another side than the one this device was accredited to. */
  async own(id: Uint8Array, accredited: boolean): Promise<void> {
    const pinned = await this.#cabinet.get<string>(ownPlace);
    if (pinned === undefined) {
      if (accredited) await this.#cabinet.put(ownPlace, hex(id));
      return;
    }
    if (pinned !== hex(id)) throw new ProblemError("link-swapped-key", { side: "own" });
  }

  /** peers pins the sides of a plan, and throws for one that bears a known name over another key. */
  async peers(sides: readonly { id: Uint8Array; name: Readonly<Record<string, string>> }[], now: number): Promise<void> {
    const before = (await this.#cabinet.get<Pinned[]>(peersPlace)) ?? [];
    const after = [...before];
    for (const side of sides) {
      const id = hex(side.id);
      if (before.some((p) => p.id === id)) continue;
      const swapped = before.find((p) => sharesName(p.name, side.name));
      if (swapped !== undefined) throw new ProblemError("link-swapped-key", { side: Object.values(side.name)[0] ?? "" });
      after.push({ id, name: { ...side.name }, at: now });
    }
    if (after.length !== before.length) await this.#cabinet.put(peersPlace, after);
  }

  /** accept replaces a pin, after an officer has compared the new key outside the link. */
  async accept(side: { id: Uint8Array; name: Readonly<Record<string, string>> }, now: number): Promise<void> {
    const before = (await this.#cabinet.get<Pinned[]>(peersPlace)) ?? [];
    const kept = before.filter((p) => !sharesName(p.name, side.name));
    await this.#cabinet.put(peersPlace, [...kept, { id: hex(side.id), name: { ...side.name }, at: now }]);
  }
}

function sharesName(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const fold = (s: string) => s.normalize("NFKC").toLocaleLowerCase("und").trim();
  const names = new Set(Object.values(a).map(fold));
  return Object.values(b).some((n) => names.has(fold(n)));
}
