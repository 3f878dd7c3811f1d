// Random histories of a group, for tests: seeded, every member real, every epoch compared.

import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { Group, type Roster, type RosterEntry, type Staged } from "./group.js";
import { keyPackageRef, Member } from "./member.js";
import { hex, utf8 } from "./octets.js";

/** mulberry32: enough to choose operations, never for keys. */
export function random(seed: number): (below: number) => number {
  let a = seed >>> 0;
  return (below) => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

interface Person {
  readonly entry: RosterEntry;
  readonly group: Group;
}

export interface Change {
  readonly adds: readonly Member[];
  readonly removes: readonly number[];
}

export const now = Date.UTC(2026, 10, 24);

export class History {
  readonly people: Person[] = [];
  readonly counts = { adds: 0, removes: 0, updates: 0, lost: 0, rejoins: 0 };
  readonly #next: (below: number) => number;
  #made = 0;
  #entries = new Map<Member, RosterEntry>();

  constructor(
    readonly suite: CiphersuiteImpl,
    seed: number,
    readonly most: number,
  ) {
    this.#next = random(seed);
  }

  async found(): Promise<void> {
    const m = await this.member();
    const groupId = crypto.getRandomValues(new Uint8Array(32));
    this.people.push({ entry: this.#entries.get(m)!, group: await Group.create(m, groupId) });
  }

  async member(name = `p${this.#made++}`): Promise<Member> {
    const identity = utf8(name);
    const m = await Member.make(this.suite, { identity, now });
    this.#entries.set(m, { identity, signatureKey: m.signaturePublicKey });
    return m;
  }

  roster(adds: readonly Member[]): Roster {
    return [...this.people.map((p) => p.entry), ...adds.map((m) => this.#entries.get(m)!)];
  }

  stage(by: Group, c: Change): Promise<Staged> {
    return by.commit({ adds: c.adds.map((m) => m.keyPackage), removes: c.removes, roster: this.roster(c.adds), now });
  }

  /** Everyone applies one ordered commit. */
  async order(by: Group, staged: Staged, c: Change): Promise<void> {
    const roster = this.roster(c.adds);
    const expected = {
      committerLeaf: by.ownLeaf,
      adds: await Promise.all(c.adds.map((m) => keyPackageRef(this.suite, m.keyPackage))),
      removes: c.removes,
      now,
    };
    for (const p of [...this.people]) {
      if (p.group === by) by.confirm(staged.pending);
      else {
        const r = await p.group.process(staged.message, expected, roster);
        if (r.outcome === "removed") this.people.splice(this.people.indexOf(p), 1);
      }
    }
    const { groupId, epoch } = by.context();
    for (const m of c.adds) {
      const group = await Group.join(m, staged.welcome!, { groupId, roster, epoch });
      this.people.push({ entry: this.#entries.get(m)!, group });
    }
  }

  async change(): Promise<Change> {
    const next = this.#next;
    const room = this.most - this.people.length;
    const others = this.people.filter((p) => p !== this.#committer).map((p) => p);
    const adds: Member[] = [];
    const removes: number[] = [];
    const kind = next(10);
    if (kind < 4 && room > 0) {
      for (let i = 0; i <= next(Math.min(room, 3)); i++) adds.push(await this.member());
    } else if (kind < 7 && others.length > 1) {
      const out = shuffle(others, next).slice(0, 1 + next(Math.min(2, others.length - 1)));
      removes.push(...out.map((p) => p.group.ownLeaf));
      if (next(3) === 0) adds.push(await this.member());
    } else if (kind === 7 && others.length > 0) {
      // A person who lost its state is removed and added again in one commit.
      const who = others[next(others.length)]!;
      removes.push(who.group.ownLeaf);
      adds.push(await this.member(`${new TextDecoder().decode(who.entry.identity)}`));
      this.counts.rejoins++;
    }
    this.counts.adds += adds.length;
    this.counts.removes += removes.length;
    if (adds.length + removes.length === 0) this.counts.updates++;
    return { adds, removes };
  }

  #committer: Person | undefined;

  /** One epoch; now and then a second member commits too and loses its place. */
  async step(): Promise<void> {
    const winner = this.people[this.#next(this.people.length)]!;
    this.#committer = winner;
    const c = await this.change();
    const staged = await this.stage(winner.group, c);
    if (this.#next(5) === 0 && this.people.length > 1) {
      const loser = this.people.find((p) => p !== winner)!;
      const lost = await this.stage(loser.group, { adds: [], removes: [] });
      loser.group.discard(lost.pending);
      this.counts.lost++;
    }
    await this.order(winner.group, staged, c);
  }

  /** Throws unless every member has the same secret, context and leaves. */
  async agree(): Promise<void> {
    const views = await Promise.all(
      this.people.map(async ({ group }) => {
        const c = group.context();
        const leaves = group.leaves().map((l) => `${l.index}:${hex(l.identity)}:${hex(l.signatureKey)}`);
        return [hex(await group.exporter()), c.epoch, hex(c.treeHash), hex(c.confirmedTranscriptHash), leaves].join("|");
      }),
    );
    if (new Set(views).size !== 1) throw new Error(`members disagree in epoch ${this.people[0]!.group.context().epoch}`);
  }
}

function shuffle<T>(a: readonly T[], next: (below: number) => number): T[] {
  const out = [...a];
  for (let i = out.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
