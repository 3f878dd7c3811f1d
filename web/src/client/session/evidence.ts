// Evidence: signed statements that cannot all be true. The page that saw them may be closed, and its node may be the one that lied: so the
// device keeps them, and gives them to its person as a file that anybody can check with Ed25519 and the keys of the plan.
import type { Cabinet } from "../../identity/cabinet";
import { hash } from "../../words/act";
import { concat, hex } from "../../words/bytes";

/** Statement is one signature and exactly the bytes under it, context string included. */
export interface Statement {
  /** Of the plan or the roster: side, or side/person; hexadecimal side id. */
  readonly by: string;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Evidence {
  readonly what: "log" | "attestation";
  readonly scope: Uint8Array;
  /** When it was seen here, ms, by the node's clock. */
  readonly at: number;
  readonly statements: readonly Statement[];
  /** The entry that came second, if one came: the heads name it by its hash. */
  readonly entry?: Uint8Array;
}

const place = "evidence";
/** Pieces kept; a node that makes more of them gains nothing by it: the oldest stay. */
const mostKept = 32;
/** Larger entries (a commit for many) are named by their hash only. */
const largestEntry = 64 << 10;

export class EvidenceBox {
  readonly #cabinet: Cabinet;
  #queue: Promise<void> = Promise.resolve();

  constructor(cabinet: Cabinet) {
    this.#cabinet = cabinet;
  }

  /** keep adds a piece, once. */
  keep(e: Evidence): Promise<void> {
    const kept: Evidence = e.entry === undefined || e.entry.length <= largestEntry ? e : { what: e.what, scope: e.scope, at: e.at, statements: e.statements };
    const work = this.#queue.then(async () => {
      const before = await this.all();
      if (before.length >= mostKept || before.some((b) => same(b, kept))) return;
      await this.#cabinet.put(place, [...before, kept]);
    });
    this.#queue = work.catch(() => undefined);
    return work;
  }

  async all(): Promise<Evidence[]> {
    return (await this.#cabinet.get<Evidence[]>(place)) ?? [];
  }
}

function same(a: Evidence, b: Evidence): boolean {
  const id = (e: Evidence) => hex(hash(concat(...e.statements.map((s) => s.signature))));
  return a.what === b.what && id(a) === id(b);
}

const meaning = {
  log: "Heads of a session's log, signed by its nodes. Two of them name different entries at one index of one term: whoever signed both has shown two people two different logs.",
  attestation: "Statements of members about their group at one epoch. They name different trees or transcripts: either their author lies, or members are in different groups.",
};

/** evidenceFile is the text of the file that a person takes out of the page. */
export function evidenceFile(all: readonly Evidence[]): string {
  const pieces = all.map((e) => ({
    what: e.what,
    meaning: meaning[e.what],
    scope: hex(e.scope),
    seen: new Date(e.at).toISOString(),
    statements: e.statements.map((s) => ({ by: s.by, ed25519: hex(s.key), message: hex(s.message), signature: hex(s.signature) })),
    ...(e.entry === undefined ? {} : { entry: hex(e.entry) }),
  }));
  const how = "Each signature is Ed25519 (RFC 8032) over the message, whose bytes are a context string, a zero byte and canonical CBOR (docs/protocol.md). All bytes are hexadecimal.";
  return `${JSON.stringify({ parleyEvidence: 1, how, pieces }, null, 1)}\n`;
}
